#!/usr/bin/env python3
"""What the post-commit hook adds to a commit of 5 files that an agent wrote, hooks on and off in turn.

Usage: commit.py [PROGRAM] [ROUNDS] [FILES] [CHANGED] [agent|person]: so many files in all and in each commit (300 and 5;
50000 and 20 for a large repository), and who wrote them.
"""
import os, statistics, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World, turn

program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 40
files = int(sys.argv[3]) if len(sys.argv) > 3 else 300
changed = int(sys.argv[4]) if len(sys.argv) > 4 else 5
writer = sys.argv[5] if len(sys.argv) > 5 else "agent"
world = World(program)
for i in range(files):
    world.write(f"src/d{i // 200}/f{i}.py", f"line {i}\n" * 60)
world.git("add", ".")
world.git("commit", "-qm", "start")
if files > 10_000:
    world.git("gc", "-q")

times = {"without": [], "with": []}
for round_ in range(rounds):
    for name in times:
        if writer == "agent":
            world.say(turn(round_ * 2 + (name == "with")))
        for i in range(changed):
            text = "".join(f"{round_} {name} {i} {line}\n" for line in range(40))
            path = f"src/d{i % 7}/new{i}.py"
            if writer == "agent":
                world.agent_writes(path, text, f"toolu_{round_}_{name}_{i}")
            else:
                world.write(path, text)
        world.git("add", ".")
        off = ["-c", "core.hooksPath=/dev/null"] if name == "without" else []
        start = time.perf_counter()
        world.git(*off, "commit", "-qm", f"{name} {round_}")
        times[name].append(time.perf_counter() - start)
        if name == "without":
            # So that the next commit finds as much to seal in both cases.
            world.run("hook", "post-commit")

plain, hooked = statistics.median(times["without"]) * 1000, statistics.median(times["with"]) * 1000
version = []
for _ in range(rounds):
    start = time.perf_counter()
    world.git("--version")
    version.append(time.perf_counter() - start)
base = statistics.median(version) * 1000
print(f"{changed} of {files} files by {writer}: git --version {base:.1f} ms, git commit {plain:.1f} ms, with the hook {hooked:.1f} ms: "
      f"{hooked - plain:.1f} ms added, {(hooked - plain) / base:.1f} x git --version")
