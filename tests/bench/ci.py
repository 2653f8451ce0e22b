#!/usr/bin/env python3
"""How long a CI job takes for a push of 20 commits, in a fresh shallow clone, beside a ledger of many records.

Of that, how long git takes to fetch the ledger. Usage: ci.py [PROGRAM] [RECORDS]
"""
import json, os, statistics, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World

PUSHED = 20


def commits(world, count, begin):
    """Commits that no hook saw: the push catches up, and makes a record of each."""
    now = int(time.time()) + 60 + begin
    stream = []
    for i in range(begin, begin + count):
        text = f"line {i}\n" * 3
        stream.append(f"commit refs/heads/main\ncommitter Tess <tess@example.com> {now + i} +0000\ndata 2\nx\n"
                      + ("from refs/heads/main^0\n" if i == begin else "")
                      + f"M 100644 inline f{i % 50}\ndata {len(text)}\n{text}\n")
    world.git("fast-import", "--quiet", "--force", data="".join(stream).encode())
    world.git("push", "-q", "origin", "main")
    return world.git("rev-parse", "main").decode().strip()


program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
world = World(program)
world.git("commit", "-q", "--allow-empty", "-m", "x")
before = commits(world, count - PUSHED, 0)
after = commits(world, PUSHED, count)
world.git("gc", "-q", cwd=world.remote)
ledger = world.git("config", "tracevault.ledger").decode().strip()
event = f"{world.root}/event.json"
with open(event, "w") as file:
    json.dump({"ref": "refs/heads/main", "before": before, "after": after, "repository": {"default_branch": "main"}}, file)

times, fetches = [], []
for n in range(5):
    clone = f"{world.root}/job{n}"
    world.git("clone", "-q", "--depth=1", f"file://{world.remote}", clone, cwd=world.root)
    env = world.env | {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": event, "GITHUB_SHA": after,
                       "HOME": f"{world.root}/none{n}", "GITHUB_STEP_SUMMARY": f"{world.root}/page{n}"}
    start = time.perf_counter()
    done = subprocess.run([world.program, "ci", "--ledger", ledger], cwd=clone, env=env, capture_output=True)
    times.append(time.perf_counter() - start)
    if done.returncode:
        sys.exit(done.stdout.decode() + done.stderr.decode())
    other = f"{world.root}/fetch{n}"
    world.git("clone", "-q", "--depth=1", f"file://{world.remote}", other, cwd=world.root)
    start = time.perf_counter()
    world.git("fetch", "-q", "origin", "refs/tracevault/*:refs/seen/*", cwd=other)
    fetches.append(time.perf_counter() - start)
print(done.stdout.decode().splitlines()[-2])
print(f"{statistics.median(times):.2f} s, of which git needs {statistics.median(fetches):.2f} s to fetch the ledger")
