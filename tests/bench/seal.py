#!/usr/bin/env python3
"""Sealing a session of 50 MB: memory, time, and what git keeps of it after gc, beside `gzip -6` of the same lines.

Usage: seal.py [PROGRAM] [MEGABYTES | TRANSCRIPT...]: made-up words of that size, or recorded sessions one after another.
"""
import os, resource, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World, turn

program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
given = sys.argv[2:] if not "".join(sys.argv[2:3]).isdigit() else []
size = (int(sys.argv[2]) if len(sys.argv) > 2 and not given else 50) << 20
world = World(program)
world.write("a.txt", "a\n")
world.git("add", ".")
world.git("commit", "-qm", "start")


def packed():
    """Bytes of all packs after gc."""
    world.git("gc", "-q", "--prune=now")
    packs = f"{world.repo}/.git/objects/pack"
    return sum(os.path.getsize(f"{packs}/{name}") for name in os.listdir(packs) if name.endswith(".pack"))


def records():
    return int(world.git("rev-list", "--count", "--glob=refs/tracevault/log/*"))


before, records_before = packed(), records()
for name in given:
    with open(name, "rb") as read, open(world.transcript, "ab") as write:
        write.write(read.read())
n = 0
while not given and (not os.path.exists(world.transcript) or os.path.getsize(world.transcript) < size):
    world.say(line for i in range(n, n + 50) for line in turn(i))
    n += 50
world.hook("UserPromptSubmit", prompt="go")
start = time.perf_counter()
world.hook("SessionEnd", reason="other")
spent = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024

with open(world.transcript, "rb") as file:
    redacted = subprocess.run([world.program, "redact"], stdin=file, env=world.env, stdout=subprocess.PIPE, check=True)
gzip = len(subprocess.run(["gzip", "-6"], input=redacted.stdout, stdout=subprocess.PIPE, check=True).stdout)
kept, count = packed() - before, records() - records_before
megabytes = os.path.getsize(world.transcript) / (1 << 20)
print(f"{megabytes:.0f} MB sealed in {spent:.1f} s ({megabytes / spent:.0f} MB/s) as {count} records, "
      f"largest process {memory:.0f} MB")
print(f"git keeps {kept / 1024:.0f} KB, gzip -6 {gzip / 1024:.0f} KB, allowed {(gzip + 2048 * count) / 1024:.0f} KB: "
      f"{kept / (gzip + 2048 * count):.2f} of it")
