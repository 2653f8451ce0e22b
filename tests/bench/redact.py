#!/usr/bin/env python3
"""How fast the redactor goes over transcripts, beside `wc -l` over the same bytes; over text that is full of secrets; how soon it starts.

Usage: redact.py [PROGRAM] [MEGABYTES] [ROUNDS]. Rates are in MB a second of processor time; all take turns.
"""
import json, os, random, resource, statistics, string, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(__file__))
from world import turn

given = dict(enumerate(sys.argv))
program = os.path.abspath(given.get(1, "target/release/git-tracevault"))
megabytes, rounds = int(given.get(2, 32)), int(given.get(3, 5))
rng = random.Random(1)
away = tempfile.TemporaryDirectory(prefix="tracevault-bench-")
env = {"PATH": os.environ["PATH"], "HOME": away.name, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def transcript():
    n = 0
    while True:
        yield from (json.dumps(line) + "\n" for line in turn(n, tools=6, text=2000))
        n += 1


def dense():
    while True:
        token = "ghp_" + "".join(rng.choices(string.ascii_letters + string.digits, k=36))
        yield f"export GITHUB_TOKEN={token} # {rng.random()}\n"


def write(name, lines, size):
    path = f"{away.name}/{name}"
    with open(path, "w") as file:
        while file.tell() < size:
            file.write(next(lines))
    return path


def took(command, path):
    """Seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(path) as file:
        subprocess.run(command, stdin=file, stdout=subprocess.DEVNULL, env=env, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


files = {"transcripts": write("transcripts", transcript(), megabytes << 20), "full of secrets": write("dense", dense(), 1 << 20)}
empty = write("empty", iter(()), 0)
runs = {name: [] for name in files}
count, start, git = [], [], []
for _ in range(rounds):
    start.append(took([program, "redact"], empty))
    git.append(took(["git", "--version"], empty))
    count.append(took(["wc", "-l"], files["transcripts"]))
    for name, path in files.items():
        runs[name].append(took([program, "redact"], path))
begin = statistics.median(start)
for name, path in files.items():
    rate = os.path.getsize(path) / 1e6 / max(statistics.median(runs[name]) - begin, 1e-6)
    print(f"{name}: {rate:.0f} MB/s")
wc = os.path.getsize(files["transcripts"]) / 1e6 / statistics.median(count)
print(f"wc -l over the transcripts: {wc:.0f} MB/s; load {os.getloadavg()[0]:.1f}")
print(f"start: {1000 * begin:.1f} ms, x git --version {begin / statistics.median(git):.1f}")
