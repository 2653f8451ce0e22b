#!/usr/bin/env python3
"""How much a nudge's decision adds to a hook call: the same call with its answer thrown away and with it kept, side by side.

Usage: nudge.py [PROGRAM] [ROUNDS]. All nudges are on, under a policy of 24 rules, in a long session. Exits with 1 where the
median of the differences is 1 ms or more of processor time, which tells the same on a busy machine. A prompt with a secret
and one without are both measured.
"""
import json, os, statistics, subprocess, sys, tempfile

program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault")
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 300

RULES = """
[[rule]]
name = "models"
condition = "model-allowlist"
level = "block"
allow = ["anthropic/claude-*"]
[[rule]]
name = "tests"
condition = "required-tool"
level = "block"
programs = ["cargo"]
[[rule]]
name = "lint"
condition = "conditional-tool"
level = "block"
paths = ["db/**"]
skills = ["lint"]
[[rule]]
name = "budget"
condition = "token-budget"
level = "warn"
per = "session"
max_tokens = 900000000
max_usd = 9000.00
""" + "".join(f"""
[[rule]]
name = "sensitive-{n}"
condition = "sensitive-paths"
level = "block"
paths = ["secret{n}/**", "*.key{n}", "!**/*.md"]
reviewer = "auditor"
""" for n in range(20))

with tempfile.TemporaryDirectory() as root:
    repo = os.path.join(root, "repo")
    env = {"PATH": os.environ["PATH"], "HOME": root, "GIT_CONFIG_NOSYSTEM": "1", "CLAUDE_PROJECT_DIR": repo,
           "GIT_AUTHOR_NAME": "Tess", "GIT_AUTHOR_EMAIL": "tess@example.com",
           "GIT_COMMITTER_NAME": "Tess", "GIT_COMMITTER_EMAIL": "tess@example.com"}
    run = lambda *args: subprocess.run(args, cwd=repo, env=env, check=True, stdout=subprocess.DEVNULL)
    os.makedirs(f"{repo}/src")
    run("git", "init", "-q")
    with open(f"{repo}/src/a.py", "w") as file:
        file.write("line\n" * 200)
    run("git", "add", ".")
    run("git", "commit", "-qm", "start")
    run(program, "init")
    with open(f"{root}/rules.toml", "w") as file:
        file.write(RULES)
    run(program, "policy", "set", f"{root}/rules.toml")
    run("git", "config", "tracevault.nudge", "all")
    transcript = f"{root}/transcript.jsonl"
    message = lambda n: json.dumps({"type": "assistant", "uuid": f"u{n}", "message": {
        "id": f"m{n}", "role": "assistant", "model": "claude-opus-5-5",
        "content": [{"type": "tool_use", "id": f"toolu_{n}", "name": "Edit", "input": {"x": "y" * 400}}],
        "usage": {"input_tokens": 10, "output_tokens": 90, "cache_read_input_tokens": 9000, "cache_creation_input_tokens": 99}}})
    with open(transcript, "w") as file:
        file.writelines(message(n) + "\n" for n in range(2000))

    def payload(event, n, **more):
        return json.dumps({"session_id": "s", "transcript_path": transcript, "cwd": repo, "hook_event_name": event,
                           "tool_use_id": f"toolu_{n}", **more}).encode()

    edit = {"file_path": f"{repo}/src/a.py", "old_string": "a" * 200, "new_string": "b" * 200}
    prompt = "Please look at the prices of pears, and why they are told in cents. " * 30
    secret = "Use ghp" + "_" + "0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R please"
    cases = {
        "Edit before": lambda n: payload("PreToolUse", n, tool_name="Edit", tool_input=edit),
        "Edit after": lambda n: payload("PostToolUse", n, tool_name="Edit", tool_input=edit),
        "Read before": lambda n: payload("PreToolUse", n, tool_name="Read", tool_input={"file_path": edit["file_path"]}),
        "prompt": lambda n: payload("UserPromptSubmit", n, prompt=prompt),
        "secret": lambda n: payload("UserPromptSubmit", n, prompt=secret),
        "stop": lambda n: payload("Stop", n),
    }
    def call(given, stdout):
        child = subprocess.Popen([program, "hook", "claude-code"], cwd=repo, env=env, stdin=subprocess.PIPE, stdout=stdout)
        child.stdin.write(given)
        child.stdin.close()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = status
        return used.ru_utime + used.ru_stime

    without, added = ({name: [] for name in cases} for _ in range(2))
    with open(f"{root}/answers", "w") as answers, open("/dev/null", "w") as nowhere:
        for n in range(rounds):
            with open(transcript, "a") as file:
                file.write(message(2000 + n) + "\n")
            for name, make in cases.items():
                silent, told = call(make(2000 + n), nowhere), call(make(2000 + n), answers)
                if n >= 20:  # The transcript is read to its end by then.
                    without[name].append(silent)
                    added[name].append(told - silent)

failed = False
print(f"{'':14}{'without ms':>12}{'adds ms':>10}{'p95 ms':>10}{'ratio':>8}   ({rounds} rounds, interleaved)")
for name, spans in added.items():
    base, median, p95 = statistics.median(without[name]), statistics.median(spans), sorted(spans)[int(len(spans) * 0.95)]
    too_slow = median >= 0.001
    failed |= too_slow
    print(f"{name:14}{base * 1000:12.2f}{median * 1000:10.2f}{p95 * 1000:10.2f}{1 + median / base:8.2f}{'   too slow' if too_slow else ''}")
sys.exit(failed)
