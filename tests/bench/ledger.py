#!/usr/bin/env python3
"""A large ledger: what `verify --full` makes of the signatures' rate on one thread and on two, what it needs of memory, and
how long `verify` takes after one new record.

Usage: ledger.py [PROGRAM] [RECORDS] [CHAINS] [ROUNDS] [FOLDER]. benches/big_ledger.rs makes the ledger from docs/format.md
alone, in FOLDER for those who want it again. Its commits of code are not here, as in an auditor's clone. Memory is told apart:
what the program allocates, and the pages of git's packs that it maps, which the system takes back when it needs them.
"""
import hashlib, os, shutil, statistics, subprocess, sys, tempfile, threading, time

sys.path.insert(0, os.path.dirname(__file__))
from world import built

# New records, for as many rounds of `verify` after one.
NEW = 20


class Memory(threading.Thread):
    """The most memory that a process has, looked at every 5 ms, in MB."""

    def __init__(self, process):
        super().__init__()
        self.status, self.own, self.mapped = f"/proc/{process.pid}/status", 0, 0
        self.start()

    def run(self):
        while fields := self.read():
            self.own, self.mapped = max(self.own, fields["RssAnon"]), max(self.mapped, fields["RssFile"])
            time.sleep(0.005)

    def read(self):
        """Nothing, when the process has ended."""
        try:
            with open(self.status) as file:
                lines = [line.split() for line in file if line.startswith(("RssAnon", "RssFile"))]
        except (FileNotFoundError, ProcessLookupError):
            return None
        return {name.rstrip(":"): int(kilobytes) / 1024 for name, kilobytes, _ in lines}


class Big:
    """A bare repository with the ledger alone."""

    def __init__(self, program, folder, records, chains):
        self.program, self.repo = os.path.abspath(program), f"{folder}/big-{records}-{chains}.git"
        self.env = {"PATH": os.environ["PATH"], "HOME": folder, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        if not os.path.exists(self.repo):
            self.make(records, chains)
        # What an earlier run has seen and verified.
        shutil.rmtree(f"{self.repo}/tracevault", ignore_errors=True)
        genesis = self.git("rev-list", "--max-parents=0", "refs/tracevault/policy")
        self.id = hashlib.sha256(self.git("cat-file", "blob", f"{genesis}:record.json", text=False)).hexdigest()

    def make(self, records, chains):
        subprocess.run(["git", "init", "-q", "--bare", self.repo], env=self.env, check=True)
        makes = subprocess.Popen([built("big_ledger"), str(records), str(chains)], stdout=subprocess.PIPE)
        self.git("fast-import", "--quiet", f"--active-branches={chains + 3}", stdin=makes.stdout)
        if makes.wait():
            sys.exit("big_ledger failed")
        # In the order in which git packs what it fetched, not in that in which it was written.
        self.git("repack", "-adq", "--window=2")
        self.git("pack-refs", "--all")

    def git(self, *args, text=True, **given):
        out = subprocess.run(["git", *args], cwd=self.repo, env=self.env, stdout=subprocess.PIPE, check=True, **given).stdout
        return out.decode().strip() if text else out

    def take_back(self, count):
        """The records that were written last; each ref's move to one of them makes that record a new one."""
        refs = self.git("for-each-ref", "--sort=-committerdate", "--format=%(refname)", "refs/tracevault/log/").split()
        moves = []
        for ref in [refs[at % len(refs)] for at in range(count)]:
            moves.append((ref, self.git("rev-parse", ref)))
            self.git("update-ref", ref, f"{ref}~1")
        return moves[::-1]

    def verify(self, *args):
        """Seconds; and what it needed of memory."""
        command = [self.program, "verify", "--ledger", self.id, *args]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=self.repo, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        memory = Memory(process)
        out, err = process.communicate()
        took = time.perf_counter() - start
        memory.join()
        # Nothing at all may be found, not even a warning.
        if process.returncode or err or "\npass  " not in out.decode() or "W-" in out.decode():
            sys.exit(f"verify: {out.decode()[-2000:]}{err.decode()}")
        return took, memory


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


given = dict(enumerate(sys.argv))
program, records, chains, rounds = given.get(1, "target/release/git-tracevault"), *(
    int(given.get(at, default)) for at, default in ((2, 100_000), (3, 100), (4, 5)))
print(f"load {os.getloadavg()[0]:.1f}", flush=True)
away = tempfile.TemporaryDirectory(prefix="tracevault-bench-")
big, strict = Big(program, given.get(5, away.name), records, chains), built("verify_strict")
new = big.take_back(NEW)
one, two, rates, own, mapped = [], [], [], 0, 0
for _ in range(rounds):
    # In turn: what else the machine does then hits all three.
    rates.append(float(subprocess.run([strict], stdout=subprocess.PIPE, check=True).stdout))
    for times, threads in ((two, "0"), (one, "1")):
        took, memory = big.verify("--full", "--threads", threads)
        times.append(took)
        own, mapped = max(own, memory.own), max(mapped, memory.mapped)
rate, allowed = records / statistics.median(two), statistics.median(rates) / 2
print(f"{records} records in {chains} chains, {rate:.0f} a second; verify_strict on all cores allows {allowed:.0f}: "
      f"{100 * rate / allowed:.0f} %")
print(f"one thread {statistics.median(one):.1f} s, all {statistics.median(two):.1f} s: "
      f"x {statistics.median(a / b for a, b in zip(one, two)):.2f}")
print(f"memory at the most: {own:.0f} MB of its own, {mapped:.0f} MB of files mapped")

after, git = [], []
for ref, commit in new:
    big.git("update-ref", ref, commit)
    took, memory = big.verify()
    after.append(took)
    git.append(seconds(["git", "--version"]))
print(f"after one new record: {1000 * statistics.median(after):.1f} ms, x git --version "
      f"{statistics.median(after) / statistics.median(git):.1f}; {memory.own:.0f} MB of its own, {memory.mapped:.0f} mapped")
print(f"load {os.getloadavg()[0]:.1f}")
