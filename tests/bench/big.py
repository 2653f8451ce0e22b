"""Large ledgers, which benches/big_ledger.rs makes, and what commands over them take of time and memory."""
import hashlib, os, resource, shutil, subprocess, sys, threading, time

from world import big_ledger


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
        big_ledger(self.repo, records, chains, self.env)
        # What an earlier run has seen and verified.
        shutil.rmtree(f"{self.repo}/tracevault", ignore_errors=True)
        genesis = self.git("rev-list", "--max-parents=0", "refs/tracevault/policy")
        self.id = hashlib.sha256(self.git("cat-file", "blob", f"{genesis}:record.json", text=False)).hexdigest()

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
