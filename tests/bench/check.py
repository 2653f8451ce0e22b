#!/usr/bin/env python3
"""What `check` of a push takes beyond reading the records: 50 commits of an agent's, judged by rules of every kind.

Usage: check.py [PROGRAM] [ROUNDS] [COMMITS]. In turn: the rules; no rules at all (the commits' evidence is gathered all the
same); `log -n 1`, which reads and verifies the same records and tells of one commit. The last is what is subtracted.
"""
import os, statistics, subprocess, sys, time

sys.path.insert(0, os.path.dirname(__file__))
from world import World, turn

RULES = """
[[rule]]
name = "all-recorded"
condition = "trace-completeness"
level = "block"
[[rule]]
name = "share"
condition = "ai-percentage"
level = "warn"
max_percent = 60
per = "path"
[[rule]]
name = "models"
condition = "model-allowlist"
level = "block"
allow = ["anthropic/claude-*"]
[[rule]]
name = "secrets"
condition = "sensitive-paths"
level = "block"
paths = ["src/crypto", "*.pem"]
[[rule]]
name = "tests-ran"
condition = "required-tool"
level = "warn"
programs = ["cargo"]
[[rule]]
name = "migrations"
condition = "conditional-tool"
level = "warn"
paths = ["src/d1/**"]
tools = ["Read"]
[[rule]]
name = "budget"
condition = "token-budget"
level = "warn"
per = "author-day"
max_tokens = 1000
"""

program = sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault"
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
commits = int(sys.argv[3]) if len(sys.argv) > 3 else 50
world = World(program)
for i in range(300):
    world.write(f"src/d{i // 100}/f{i}.py", f"line {i}\n" * 60)
world.git("add", ".")
world.git("commit", "-qm", "start")
world.git("push", "-q", "origin", "main")
for n in range(commits):
    world.say(turn(n))
    for i in range(5):
        text = "".join(f"{n} {i} {line}\n" for line in range(40))
        world.agent_writes(f"src/d{i % 3}/new{i}.py", text, f"toolu_{n}_{i}")
    world.git("add", ".")
    world.git("commit", "-qm", f"step {n}")
for name, text in (("rules", RULES), ("none", "")):
    with open(f"{world.root}/{name}.toml", "w") as file:
        file.write(text)

check = [world.program, "check", "--range", "origin/main..main", "--policy"]
cases = {"seven rules": [*check, f"{world.root}/rules.toml"], "no rules": [*check, f"{world.root}/none.toml"],
         "log -n 1": [world.program, "log", "-n", "1"], "git --version": ["git", "--version"]}
times = {name: [] for name in cases}
for _ in range(rounds):
    for name, command in cases.items():
        start = time.perf_counter()
        done = subprocess.run(command, cwd=world.repo, env=world.env, capture_output=True)
        times[name].append(time.perf_counter() - start)
        if done.returncode:
            sys.exit(f"{name}: {done.stdout.decode()}{done.stderr.decode()}")

records = int(world.git("rev-list", "--count", "--glob=refs/tracevault/log/*"))
print(f"{commits} commits, {records} records; {rounds} rounds in turn, load {os.getloadavg()[0]:.1f}")
median = {name: 1000 * statistics.median(spans) for name, spans in times.items()}
for name, span in median.items():
    print(f"{name:16}{span:8.1f} ms{span / median['git --version']:7.1f} x")
print(f"beyond reading the records: {median['seven rules'] - median['log -n 1']:.1f} ms")
