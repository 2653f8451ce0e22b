#!/usr/bin/env python3
"""How long `story` takes of a line, a symbol, a commit and a session beside a ledger of 10,000 records, and `why` of the same line.

Usage: story.py [PROGRAM] [RECORDS] [TURNS] [ROUNDS]. An agent writes a file in TURNS turns, a commit each, behind commits that no hook saw.
Exits with 1 where the story of a line takes more than 300 ms.
"""
import os, statistics, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import SESSION, World, turn

AIM = 0.3


def unseen(world, count):
    """Commits that no hook saw: the push catches up, and makes a record of each."""
    now = int(time.time()) + 60
    stream = []
    for i in range(count):
        text = f"line {i}\n" * 3
        stream.append(f"commit refs/heads/main\ncommitter Tess <tess@example.com> {now + i} +0000\ndata 2\nx\n"
                      + ("from refs/heads/main^0\n" if i == 0 else "")
                      + f"M 100644 inline f{i % 50}\ndata {len(text)}\n{text}\n")
    world.git("fast-import", "--quiet", "--force", data="".join(stream).encode())
    world.git("reset", "-q", "--hard")
    world.git("push", "-q", "origin", "main")


given = dict(enumerate(sys.argv))
program = given.get(1, "target/release/git-tracevault")
records, turns, rounds = (int(given.get(at, default)) for at, default in ((2, 10_000), (3, 40), (4, 20)))
world = World(program)
world.git("commit", "-q", "--allow-empty", "-m", "x")
unseen(world, records)
text = ""
for n in range(turns):
    world.hook("UserPromptSubmit", prompt=f"Step {n}, please")
    world.say(turn(n))
    text += f"def step_{n}(value):\n    return value + {n}\n\n\n"
    world.agent_writes("src/steps.py", text, f"toolu_{n}")
    world.git("add", ".")
    world.git("commit", "-qm", f"Step {n}")
world.git("gc", "-q")

middle = turns // 2
cases = {
    "git --version": ["git", "--version"],
    "why LINE": [world.program, "why", f"src/steps.py:{4 * middle + 2}"],
    "story LINE": [world.program, "story", f"src/steps.py:{4 * middle + 2}"],
    "story SYMBOL": [world.program, "story", f"src/steps.py#step_{middle}"],
    "story COMMIT": [world.program, "story", f"HEAD~{middle}"],
    "story SESSION": [world.program, "story", SESSION],
}
times = {name: [] for name in cases}
for _ in range(rounds):
    for name, command in cases.items():
        start = time.perf_counter()
        subprocess.run(command, cwd=world.repo, env=world.env, stdout=subprocess.DEVNULL, check=True)
        times[name].append(time.perf_counter() - start)

made = int(world.git("rev-list", "--count", "--glob=refs/tracevault/*"))
print(f"{made} records, a session of {turns} turns; {rounds} rounds, interleaved, load {os.getloadavg()[0]:.1f}")
for name, spans in times.items():
    print(f"{name:16}{statistics.median(spans) * 1000:8.1f} ms")
sys.exit(statistics.median(times["story LINE"]) > AIM)
