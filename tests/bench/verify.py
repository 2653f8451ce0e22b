#!/usr/bin/env python3
"""How many records a second `verify --full` checks, beside what `verify_strict` alone allows in the same run.

A record has two signatures. Usage: verify.py [PROGRAM] [COMMITS]
"""
import json, os, statistics, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World, built

WRITERS = 4


def commits(world, repo, branch, count):
    """Commits that no hook saw: the push catches up, and makes a record of each."""
    stream = [f"reset refs/heads/{branch}\n"]
    now = int(time.time()) + 60
    for i in range(count):
        text = f"{branch} line {i}\n" * 3
        stream.append(f"commit refs/heads/{branch}\ncommitter Tess <tess@example.com> {now + i} +0000\ndata 2\nx\n"
                      f"M 100644 inline f{i % 50}\ndata {len(text)}\n{text}\n")
    world.git("fast-import", "--quiet", "--force", data="".join(stream).encode(), cwd=repo)
    world.git("push", "-q", "origin", branch, cwd=repo)


program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
count = (int(sys.argv[2]) if len(sys.argv) > 2 else 3000) // WRITERS
world = World(program)
commits(world, world.repo, "main", count)
for writer in range(1, WRITERS):
    repo = f"{world.root}/writer{writer}"
    world.git("clone", "-q", world.remote, repo, cwd=world.root)
    world.run("-C", repo, "init")
    commits(world, repo, f"branch{writer}", count)
world.run("fetch")
world.git("fetch", "-q", "origin")
for chain in json.loads(world.run("member", "--json"))["pending"]:
    world.run("member", "add", chain["chain"])
world.run("push")
world.git("gc", "-q")

# The signatures alone are measured between the runs: what else the machine does then hits both.
bench = built("verify_strict")
times, rates = [], []
for _ in range(15):
    start = time.perf_counter()
    world.run("verify", "--full")
    times.append(time.perf_counter() - start)
    rates.append(float(subprocess.run([bench], stdout=subprocess.PIPE, check=True).stdout))
count = int(world.git("rev-list", "--count", "--glob=refs/tracevault/*", "--glob=refs/tracevault-local/*"))
rate, strict = count / statistics.median(times), statistics.median(rates) / 2
print(f"{count} records, {rate:.0f} a second; verify_strict on all cores allows {strict:.0f}: {100 * rate / strict:.0f} %")
start = time.perf_counter()
world.run("verify")
print(f"again, with what was verified before: {1000 * (time.perf_counter() - start):.0f} ms")
