#!/usr/bin/env python3
"""What the gate adds to a push of commits with their records, with and without it in turn.

Usage: gate.py [PROGRAM] [ROUNDS] [COMMITS] [BEFORE]: so many commits an agent wrote are pushed, onto so many that are there.
"""
import os, shutil, statistics, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World, turn

program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
commits = int(sys.argv[3]) if len(sys.argv) > 3 else 50
before = int(sys.argv[4]) if len(sys.argv) > 4 else 200
world = World(program)


def work(count, first):
    for n in range(first, first + count):
        world.say(turn(n))
        world.agent_writes(f"src/f{n % 20}.py", "".join(f"line {n} {i}\n" for i in range(40)), f"toolu_{n}")
        world.git("add", ".")
        world.git("commit", "-qm", f"commit {n}")


def push():
    start = time.perf_counter()
    world.git("push", "-q", "--no-verify", "origin", "main", "refs/tracevault/*:refs/tracevault/*")
    return time.perf_counter() - start


work(before, 0)
world.git("push", "-q", "origin", "main")
gate = [world.program, "-C", world.remote, "init", "--server"]
work(commits, before)
kept = f"{world.root}/kept.git"
os.rename(world.remote, kept)
times = {"without": [], "with": []}
for _ in range(rounds):
    for name in times:
        shutil.rmtree(world.remote, ignore_errors=True)
        shutil.copytree(kept, world.remote)
        if name == "with":
            subprocess.run(gate, env=world.env, check=True, capture_output=True)
            # A push before this one has verified what was there.
            world.git("push", "-q", "--no-verify", "origin", "main~%d:refs/heads/other" % commits, "refs/tracevault/policy")
        else:
            world.git("push", "-q", "--no-verify", "origin", "main~%d:refs/heads/other" % commits)
        times[name].append(push())
version = []
for _ in range(rounds):
    start = time.perf_counter()
    world.git("--version")
    version.append(time.perf_counter() - start)
plain, gated, base = (statistics.median(x) * 1000 for x in (times["without"], times["with"], version))
print(f"{commits} commits onto {before}: git --version {base:.1f} ms, git push {plain:.1f} ms, with the gate {gated:.1f} ms: "
      f"{gated - plain:.1f} ms added, {(gated - plain) / base:.1f} x git --version")
