"""What the benchmarks share: programs of `benches`, a folder with a home of its own, git, the program, and a session to record."""
import json, os, subprocess, sys, tempfile

SESSION = "11111111-2222-4333-8444-555555555555"


def built(bench):
    """A program of `benches`, built as `cargo bench` does."""
    build = ["cargo", "bench", "-q", "--no-run", "--bench", bench, "--message-format=json"]
    made = subprocess.run(build, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    return [line["executable"] for line in map(json.loads, made) if line.get("target", {}).get("name") == bench][-1]


def big_ledger(repo, records, chains, env, *more):
    """A bare repository with a ledger of this size and nothing else, unless it is there."""
    if os.path.exists(repo):
        return
    git = lambda *args, **given: subprocess.run(["git", *args], cwd=repo, env=env, check=True, **given)
    subprocess.run(["git", "init", "-q", "--bare", repo], env=env, check=True)
    makes = subprocess.Popen([built("big_ledger"), str(records), str(chains), *more], stdout=subprocess.PIPE)
    git("fast-import", "--quiet", f"--active-branches={2 * chains + 3}", stdin=makes.stdout)
    if makes.wait():
        sys.exit("big_ledger failed")
    # In the order in which git packs what it fetched, not in that in which it was written.
    git("repack", "-adq", "--window=2")
    git("pack-refs", "--all")


class World:
    """A repository with a bare remote, enrolled, in a temporary folder that goes away."""

    def __init__(self, program):
        self.program = os.path.abspath(program)
        self.folder = tempfile.TemporaryDirectory(prefix="tracevault-bench-")
        self.root = self.folder.name
        self.repo, self.remote = f"{self.root}/repo", f"{self.root}/remote.git"
        self.transcript = f"{self.root}/home/.claude/projects/bench/{SESSION}.jsonl"
        os.makedirs(os.path.dirname(self.transcript))
        path = os.path.dirname(self.program) + os.pathsep + os.environ["PATH"]
        self.env = {"PATH": path, "HOME": f"{self.root}/home", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        for role in ("AUTHOR", "COMMITTER"):
            self.env |= {f"GIT_{role}_NAME": "Tess", f"GIT_{role}_EMAIL": "tess@example.com"}
        # git would tidy up in the background, while something is measured.
        self.git("config", "--global", "gc.auto", "0", cwd=self.root)
        self.git("config", "--global", "maintenance.auto", "false", cwd=self.root)
        self.git("init", "-q", "--bare", "-b", "main", self.remote, cwd=self.root)
        self.git("clone", "-q", self.remote, self.repo, cwd=self.root)
        self.git("symbolic-ref", "HEAD", "refs/heads/main")
        self.run("init")

    def git(self, *args, cwd=None, data=None):
        done = subprocess.run(["git", *args], cwd=cwd or self.repo, env=self.env, input=data, capture_output=True)
        if done.returncode:
            sys.exit(f"git {' '.join(args)}: {done.stderr.decode()}")
        return done.stdout

    def run(self, *args, data=None):
        done = subprocess.run([self.program, *args], cwd=self.repo, env=self.env, input=data, capture_output=True)
        if done.returncode:
            sys.exit(f"{' '.join(args)}: {done.stdout.decode()}{done.stderr.decode()}")
        return done.stdout

    def write(self, path, text):
        path = f"{self.repo}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def hook(self, event, **fields):
        payload = {"session_id": SESSION, "transcript_path": self.transcript, "cwd": self.repo,
                   "hook_event_name": event, **fields}
        self.run("hook", "claude-code", data=json.dumps(payload).encode())

    def agent_writes(self, path, text, call):
        """A `Write` call with its hooks."""
        given = {"file_path": f"{self.repo}/{path}", "content": text}
        self.hook("PreToolUse", tool_name="Write", tool_use_id=call, tool_input=given)
        self.write(path, text)
        self.hook("PostToolUse", tool_name="Write", tool_use_id=call, tool_input=given, tool_response={"type": "create"})

    def say(self, lines):
        """Lines for the transcript."""
        with open(self.transcript, "a") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)


def turn(n, tools=4, text=400):
    """The lines of one made-up turn, about 1 KB a tool call: prose that compresses as prose does."""
    import random
    words = "the of and record chain file test change commit value error return when line each hook seal key".split()
    rng = random.Random(n)
    prose = lambda length: " ".join(rng.choice(words) for _ in range(length // 5))
    stamp = lambda i: f"2026-01-{1 + n // 1440 % 28:02}T{n // 60 % 24:02}:{n % 60:02}:{i % 60:02}.000Z"
    base = {"sessionId": SESSION, "version": "2.1.330", "isSidechain": False}
    yield {**base, "type": "user", "uuid": f"u{n}", "timestamp": stamp(0), "promptId": f"p{n}",
           "message": {"role": "user", "content": prose(text)}}
    for i in range(tools):
        call = f"toolu_{n:06}_{i}"
        usage = {"input_tokens": 10 + i, "output_tokens": 200 + i, "cache_read_input_tokens": 9000 + n,
                 "cache_creation_input_tokens": 300, "cache_creation":
                 {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0}}
        content = [{"type": "tool_use", "id": call, "name": "Read", "input": {"file_path": f"/src/f{rng.randrange(99)}"}}]
        yield {**base, "type": "assistant", "uuid": f"a{n}-{i}", "timestamp": stamp(2 * i + 1), "message":
               {"id": f"msg_{n}_{i}", "role": "assistant", "model": "claude-opus-5-5", "content": content, "usage": usage}}
        result = [{"type": "tool_result", "tool_use_id": call, "content": prose(text * 2)}]
        yield {**base, "type": "user", "uuid": f"r{n}-{i}", "timestamp": stamp(2 * i + 2),
               "message": {"role": "user", "content": result}}
