#!/usr/bin/env python3
"""A large ledger: what `verify --full` makes of the signatures' rate on one thread and on two, what it needs of memory, and
how long `verify` takes after one new record.

Usage: ledger.py [PROGRAM] [RECORDS] [CHAINS] [ROUNDS] [FOLDER]. benches/big_ledger.rs makes the ledger from docs/format.md
alone, in FOLDER for those who want it again. Its commits of code are not here, as in an auditor's clone. Memory is told apart:
what the program allocates, and the pages of git's packs that it maps, which the system takes back when it needs them.
"""
import os, statistics, sys, tempfile

sys.path.insert(0, os.path.dirname(__file__))
from big import Big, Timed
from world import built

# What benches/verify_strict.rs verifies on each core.
SIGNATURES = 8000 * os.cpu_count()
# New records, for as many rounds of `verify` after one.
NEW = 20


def median(runs, of):
    return statistics.median(of(run) for run in runs)


given = dict(enumerate(sys.argv))
program, records, chains, rounds = given.get(1, "target/release/git-tracevault"), *(
    int(given.get(at, default)) for at, default in ((2, 100_000), (3, 100), (4, 5)))
away = tempfile.TemporaryDirectory(prefix="tracevault-bench-")
big, strict = Big(program, given.get(5, away.name), records, chains), built("verify_strict")
new = big.take_back(NEW)
signatures, one, two = [], [], []
for _ in range(rounds):
    # In turn: what else the machine does then hits all three.
    signatures.append(Timed([strict]))
    two.append(big.verify("--full"))
    one.append(big.verify("--full", "--threads", "1"))
rate, allowed = records / median(two, lambda run: run.clock), median(signatures, lambda run: float(run.out)) / 2
print(f"{records} records in {chains} chains, {rounds} rounds in turn, load {os.getloadavg()[0]:.1f}")
print(f"by the clock: {rate:.0f} records a second; verify_strict on all cores allows {allowed:.0f}: {100 * rate / allowed:.0f} %")
alone = 2 * median(signatures, lambda run: run.processor / SIGNATURES)
each = median(one, lambda run: run.processor / records)
print(f"in processor time: {1e6 * each:.0f} us a record on one thread, {1e6 * alone:.0f} of two signatures alone: {100 * alone / each:.0f} %")
print(f"one thread {median(one, lambda run: run.clock):.1f} s, all {median(two, lambda run: run.clock):.1f} s: "
      f"x {statistics.median(a.clock / b.clock for a, b in zip(one, two)):.2f}; of all processor time the first thread had "
      f"1/{median(two, lambda run: run.processor / run.watch.first):.2f}")
print(f"memory: {max(run.watch.own for run in one + two):.0f} MB of its own, "
      f"{max(run.watch.mapped for run in one + two):.0f} MB of files mapped")
after, git = [], []
for ref, commit in new:
    big.git("update-ref", ref, commit)
    after.append(big.verify())
    git.append(Timed(["git", "--version"]))
took, base = median(after, lambda run: run.clock), median(git, lambda run: run.clock)
print(f"after one new record: {1000 * took:.1f} ms, x git --version {took / base:.1f}; "
      f"{max(run.watch.own for run in after):.0f} MB of its own, {max(run.watch.mapped for run in after):.0f} MB of files mapped")
