#!/usr/bin/env python3
"""How long `stats --by path` takes over a history of 10,000 commits and 5,000 files, without a cache and with one.

A few hundred of the commits are an agent's, made through the hooks, in the second half of the history; the rest are
people's, with merges. Beside it, in the same run, what git itself takes to tell all of the changes. Usage: stats.py
[PROGRAM] [COMMITS] [FILES] [AGENT COMMITS]. Exits with 1 where it takes more than 60 seconds, or with a cache more than one.
"""
import json, os, random, statistics, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World, turn

program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
commits = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
files = int(sys.argv[3]) if len(sys.argv) > 3 else 5_000
agents = int(sys.argv[4]) if len(sys.argv) > 4 else 300
ROUNDS = 10
HEAD = "# Licensed to all of you under the terms of the file LICENSE\nimport os\nimport sys\n\n"
world = World(program)
rng = random.Random(1)
texts = {}
now = 1_700_000_000


def line():
    n = rng.randrange(10**6)
    return rng.choice([f"    value_{n} = compute({n}, {n % 97})\n", f"    return value_{n}\n", "\n", "    pass\n",
                       f"def function_{n}(first, second):\n"])


def lines(count):
    return "".join(line() for _ in range(count))


def edited(path):
    """The text of a file with a few lines replaced, put in and taken out."""
    text = texts[path].splitlines(keepends=True)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text) + 1)
        text[at:at + rng.randrange(3)] = [line() for _ in range(rng.randrange(4))]
    texts[path] = "".join(text)
    return texts[path]


def people(count, until):
    """As many commits by people, a tenth of them merges of a commit that stood beside; `until` files are there then."""
    global now
    stream, tip, mark = [], "refs/heads/main^0" if texts else None, 0

    def commit(parents, changed):
        nonlocal mark
        global now
        mark, now = mark + 1, now + 3600
        stream.append(f"commit refs/heads/main\nmark :{mark}\ncommitter P{mark % 7} <p{mark % 7}@example.com> {now} +0000\n"
                      f"data 2\nx\n" + "".join(f"{word} {parent}\n" for word, parent in zip(["from", "merge"], parents)))
        stream.extend(f"M 100644 inline {path}\ndata {len(texts[path])}\n{texts[path]}\n" for path in changed)
        return f":{mark}"

    while mark < count:
        known = list(texts)
        some = rng.sample(known, min(3, len(known)))
        if mark % 10 == 5 and len(some) == 3:
            [edited(path) for path in some]
            ours, side = commit([tip], some[:2]), commit([tip], some[2:])
            tip = commit([ours, side], some[2:])
            continue
        [edited(path) for path in some]
        new = [f"src/part{n % 60}/module{n}.py" for n in range(len(texts), min(len(texts) + 3, until))]
        texts.update({path: HEAD + lines(rng.randrange(20, 120)) for path in new})
        tip = commit([tip] if tip else [], some + new)
    world.git("fast-import", "--quiet", "--force", data="".join(stream).encode())
    world.git("reset", "-q", "--hard", "main")


def agent(n):
    """A commit of an agent: three files edited, a new one now and then."""
    global now
    now += 3600
    world.env |= {"GIT_AUTHOR_DATE": f"{now} +0000", "GIT_COMMITTER_DATE": f"{now} +0000"}
    world.say(turn(n))
    some = rng.sample(sorted(texts), 3)
    [edited(path) for path in some]
    if n % 3 == 0:
        some.append(f"src/part{n % 60}/agent{n}.py")
        texts[some[-1]] = HEAD + lines(60)
    for i, path in enumerate(some):
        world.agent_writes(path, texts[path], f"toolu_{n}_{i}")
    world.git("add", "-A", "src")
    world.git("commit", "-qm", f"Agent {n}")


def spent(*command):
    start = time.perf_counter()
    done = subprocess.run(command, cwd=world.repo, env=world.env, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}")
    return time.perf_counter() - start, done.stdout


# The first half knew no agents.
people(commits // 2, files // 2)
for part in range(ROUNDS):
    for n in range(agents // ROUNDS):
        agent(part * 1000 + n)
    people((commits // 2 - agents) // ROUNDS, files // 2 + (files // 2 - agents // 3) * (part + 1) // ROUNDS)
world.git("gc", "-q")

stats = (world.program, "stats", "--by", "path", "--json")
cache = f"{world.repo}/.git/tracevault/lines.json"
told = ("git", "log", "--raw", "-p", "-U0", "-M", "--no-color", "HEAD")
git, cold, warm = [], [], []
for _ in range(3):
    git.append(spent(*told)[0])
    if os.path.exists(cache):
        os.remove(cache)
    seconds, answer = spent(*stats)
    cold.append(seconds)
    warm += [spent(*stats)[0] for _ in range(5)]
agent(999_999)
after, _ = spent(*stats)

answer = json.loads(answer)
total = answer["total"]
count = int(world.git("rev-list", "--count", "HEAD"))
records = int(world.git("rev-list", "--count", "--glob=refs/tracevault/*"))
print(f"{count} commits, {answer['files']} files with {total['lines']} lines, {total['surviving']} of them agents' "
      f"({total['exact']} exact); {records} records, a cache of {os.path.getsize(cache) >> 10} KB")
base = statistics.median(git)
print(f"{'git log --raw -p -U0 -M':28}{base:8.2f} s")
for name, seconds in {"stats, cold": statistics.median(cold), "stats, warm": statistics.median(warm),
                      "stats after one more commit": after}.items():
    print(f"{name:28}{seconds:8.2f} s{seconds / base:7.2f} x")
sys.exit(statistics.median(cold) > 60 or statistics.median(warm) > 1)
