#!/usr/bin/env python3
"""A large ledger: what `verify --full` makes of the signatures' rate on one thread and on two, what it needs of memory, and
how long `verify` takes after one new record.

Usage: ledger.py [PROGRAM] [RECORDS] [CHAINS] [ROUNDS] [FOLDER]. benches/big_ledger.rs makes the ledger from docs/format.md
alone, in FOLDER for those who want it again. Its commits of code are not here, as in an auditor's clone. Memory is told apart:
what the program allocates, and the pages of git's packs that it maps, which the system takes back when it needs them.
"""
import hashlib, os, resource, shutil, statistics, subprocess, sys, tempfile, threading, time

sys.path.insert(0, os.path.dirname(__file__))
from world import built

# What benches/verify_strict.rs verifies on each core.
SIGNATURES = 8000 * os.cpu_count()
# New records, for as many rounds of `verify` after one.
NEW = 20


class Watch(threading.Thread):
    """The most memory that a process has, in MB, and the processor time of its first thread, looked at every 5 ms."""

    def __init__(self, process):
        super().__init__()
        self.pid, self.own, self.mapped, self.first = process.pid, 0, 0, 0
        self.start()

    def run(self):
        while self.look():
            time.sleep(0.005)

    def look(self):
        """Nothing, when the process has ended."""
        try:
            with open(f"/proc/{self.pid}/status") as file:
                fields = {line.split()[0]: line.split()[1] for line in file if line.startswith(("RssAnon", "RssFile"))}
            with open(f"/proc/{self.pid}/task/{self.pid}/schedstat") as file:
                first = int(file.read().split()[0]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            return False
        if fields:
            self.own = max(self.own, int(fields["RssAnon:"]) / 1024)
            self.mapped = max(self.mapped, int(fields["RssFile:"]) / 1024)
            self.first = first
        return bool(fields)


class Timed:
    """How long a command took, by the clock and in processor time."""

    def __init__(self, command, watch=False, **given):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **given)
        self.watch = Watch(process) if watch else None
        self.out, self.err = process.communicate()
        self.clock = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.code = process.returncode
        if self.watch:
            self.watch.join()


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
        done = Timed([self.program, "verify", "--ledger", self.id, *args], watch=True, cwd=self.repo, env=self.env)
        # Nothing at all may be found, not even a warning.
        if done.code or done.err or "\npass  " not in done.out or "W-" in done.out:
            sys.exit(f"verify: {done.out[-2000:]}{done.err}")
        return done


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
