#!/usr/bin/env python3
"""How long `blame` takes of a file of 5,000 lines and 50 commits by an agent, beside `git blame --line-porcelain`.

Usage: blame.py [PROGRAM] [ROUNDS] [LINES] [COMMITS]. Exits with 1 where it takes more than 1.5 times as long.
"""
import os, random, statistics, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World, turn

program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 40
lines = int(sys.argv[3]) if len(sys.argv) > 3 else 5000
commits = int(sys.argv[4]) if len(sys.argv) > 4 else 50
world = World(program)
rng = random.Random(1)
text = []
for n in range(commits):
    # Ten places that grow in each commit.
    world.say(turn(n))
    for i in range(10):
        at = rng.randrange(len(text) + 1)
        text[at:at] = [f"    value_{n}_{i}_{k} = compute({rng.randrange(10**6)}, {k})\n" for k in range(lines // commits // 10)]
    world.agent_writes("src/shop.py", "".join(text), f"toolu_{n}")
    world.git("add", ".")
    world.git("commit", "-qm", f"Step {n}")
world.git("gc", "-q")

file = "src/shop.py"
cases = {
    "git blame --line-porcelain": ["git", "blame", "--line-porcelain", file],
    "blame": [world.program, "blame", file],
    "blame --line-porcelain": [world.program, "blame", "--line-porcelain", file],
    "blame --json": [world.program, "blame", "--json", file],
    "why": [world.program, "why", f"{file}:{len(text) // 2}"],
}
times = {name: [] for name in cases}
for _ in range(rounds):
    for name, command in cases.items():
        start = time.perf_counter()
        subprocess.run(command, cwd=world.repo, env=world.env, stdout=subprocess.DEVNULL, check=True)
        times[name].append(time.perf_counter() - start)

agents = world.run("blame", "--json", file).decode().count('"origin":"agent"')
records = int(world.git("rev-list", "--count", "--glob=refs/tracevault/*"))
base = statistics.median(times["git blame --line-porcelain"])
print(f"{len(text)} lines, {agents} of them an agent's, {commits} commits, {records} records; {rounds} rounds, interleaved")
failed = False
for name, spans in times.items():
    median = statistics.median(spans)
    too_slow = name.startswith("blame") and median > 1.5 * base
    failed |= too_slow
    print(f"{name:28}{median * 1000:8.1f} ms{median / base:7.2f} x{'   too slow' if too_slow else ''}")
sys.exit(failed)
