#!/usr/bin/env python3
"""How long a CI job takes for a push of 20 commits, in a fresh shallow clone, beside a ledger of many records.

Of that, how long git takes to fetch the ledger; of both, the processor time (the programs' own and their children's), which other
programs at work do not falsify. Usage: ci.py [PROGRAM] [RECORDS]
"""
import json, os, resource, statistics, subprocess, sys, time

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


def timed(work):
    """How long something takes, by the clock and in processor time."""
    def used():
        use = resource.getrusage(resource.RUSAGE_CHILDREN)
        return use.ru_utime + use.ru_stime
    start, before = time.perf_counter(), used()
    done = work()
    return time.perf_counter() - start, used() - before, done


def median(times):
    by_clock, of_processor = zip(*times)
    return f"{statistics.median(by_clock):.2f} s ({statistics.median(of_processor):.2f} s of a processor)"


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
    clock, processor, done = timed(lambda: subprocess.run([world.program, "ci", "--ledger", ledger], cwd=clone, env=env, capture_output=True))
    times.append((clock, processor))
    if done.returncode:
        sys.exit(done.stdout.decode() + done.stderr.decode())
    other = f"{world.root}/fetch{n}"
    world.git("clone", "-q", "--depth=1", f"file://{world.remote}", other, cwd=world.root)
    fetches.append(timed(lambda: world.git("fetch", "-q", "origin", "refs/tracevault/*:refs/seen/*", cwd=other))[:2])
print(done.stdout.decode().splitlines()[-2])
print(f"{median(times)}, of which git needs {median(fetches)} to fetch the ledger")
