#!/usr/bin/env python3
"""How many records a second `verify --full` checks, beside what `verify_strict` alone allows in the same run.

A record has two signatures. Usage: verify.py [PROGRAM] [COMMITS]
"""
import json, os, statistics, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World

program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
commits = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
world = World(program)
# Commits that no hook saw: the push catches up, and makes a record of each.
stream = ["reset refs/heads/main\n"]
now = int(time.time()) + 60
for i in range(commits):
    text = f"line {i}\n" * 3
    stream.append(f"commit refs/heads/main\ncommitter Tess <tess@example.com> {now + i} +0000\ndata 2\nx\n"
                  f"M 100644 inline f{i % 50}\ndata {len(text)}\n{text}\n")
world.git("fast-import", "--quiet", "--force", data="".join(stream).encode())
world.git("push", "-q", "origin", "main")
world.git("gc", "-q")

# The signatures alone are measured between the runs: what else the machine does then hits both.
built = subprocess.run(["cargo", "bench", "-q", "--no-run", "--bench", "verify_strict", "--message-format=json"],
                       stdout=subprocess.PIPE, check=True).stdout
made = [line for line in map(json.loads, built.splitlines()) if line.get("target", {}).get("name") == "verify_strict"]
bench = made[-1]["executable"]
times, rates = [], []
for _ in range(9):
    start = time.perf_counter()
    world.run("verify", "--full")
    times.append(time.perf_counter() - start)
    rates.append(float(subprocess.run([bench], stdout=subprocess.PIPE, check=True).stdout))
count = int(world.git("rev-list", "--count", "--glob=refs/tracevault/*"))
rate, strict = count / statistics.median(times), statistics.median(rates) / 2
print(f"{count} records, {rate:.0f} a second; verify_strict on all cores allows {strict:.0f}: {100 * rate / strict:.0f} %")
start = time.perf_counter()
world.run("verify")
print(f"again, with what was verified before: {1000 * (time.perf_counter() - start):.0f} ms")
