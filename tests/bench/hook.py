#!/usr/bin/env python3
"""How long a hook call takes, beside `git --version` in the same run.

Usage: hook.py [PROGRAM] [ROUNDS]. Exits with 1 where an Edit or Write event takes more than 1.5 times the median.
It works in a temporary folder (TMPDIR). On ext4 making a file takes 10 us, but 300 and more for a minute after many
files were deleted on the same disk (a build does): wait, or set TMPDIR=/dev/shm.
"""
import json, os, statistics, subprocess, sys, tempfile, time

program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/git-tracevault")
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 300

with tempfile.TemporaryDirectory() as root:
    repo = os.path.join(root, "repo")
    env = {"PATH": os.environ["PATH"], "HOME": root, "GIT_CONFIG_NOSYSTEM": "1", "CLAUDE_PROJECT_DIR": repo}
    git = lambda *args: subprocess.run(["git", *args], cwd=repo, env=env, check=True, stdout=subprocess.DEVNULL)
    os.makedirs(os.path.join(repo, "src/deep"))
    git("init", "-q")
    git("config", "user.name", "Tess")
    git("config", "user.email", "tess@example.com")
    for i in range(500):
        with open(f"{repo}/src/f{i}.py", "w") as file:
            file.write(f"line {i}\n" * 100)
    with open(f"{repo}/.gitignore", "w") as file:
        file.write("*.log\n/target/\nnode_modules/\n.env*\n")
    git("add", ".")
    git("commit", "-qm", "start")
    os.mkdir(f"{repo}/.git/tracevault")
    open(f"{repo}/.git/tracevault/enrolled", "w").close()
    # A long session: the hook must not care.
    path = f"{repo}/src/deep/edited.py"
    transcript = f"{root}/transcript.jsonl"
    with open(transcript, "w") as file:
        file.write(("x" * 1023 + "\n") * (50 << 10))

    def payload(event, tool, given, session="s"):
        return json.dumps({
            "session_id": session, "transcript_path": transcript, "cwd": repo, "hook_event_name": event,
            "tool_name": tool, "tool_input": given, "tool_use_id": "toolu_1",
        }).encode()

    edit = {"file_path": path, "old_string": "a" * 200, "new_string": "b" * 200, "replace_all": False}
    write = {"file_path": path, "content": "line\n" * 2000}
    hook = [program, "hook", "claude-code"]
    cases = {
        "git --version": (["git", "--version"], b""),
        "Edit before": (hook, payload("PreToolUse", "Edit", edit)),
        "Edit after": (hook, payload("PostToolUse", "Edit", edit)),
        "Write after": (hook, payload("PostToolUse", "Write", write)),
        "Read before": (hook, payload("PreToolUse", "Read", {"file_path": path})),
        "Bash before": (hook, payload("PreToolUse", "Bash", {"command": "true"})),
        "Bash after": (hook, payload("PostToolUse", "Bash", {"command": "true"})),
        "git status": (["git", "status", "--porcelain=v2", "--untracked-files=all"], b""),
        "not enrolled": (hook, payload("PostToolUse", "Edit", edit).replace(repo.encode(), root.encode())),
    }
    times = {name: [] for name in cases}
    for i in range(rounds):
        for name, (command, given) in cases.items():
            if name in ("Edit after", "Write after"):
                # New bytes each time, so that each state has to be kept.
                with open(path, "w") as file:
                    file.write(f"{name} {i}\n" * 500)
            start = time.perf_counter()
            where = {**env, "CLAUDE_PROJECT_DIR": root} if name == "not enrolled" else env
            # Not /dev/null: a hook whose answer goes nowhere looks for none.
            with open(f"{root}/answers", "w") as answers:
                child = subprocess.Popen(command, cwd=repo, env=where, stdin=subprocess.PIPE, stdout=answers)
                child.communicate(given)
            times[name].append(time.perf_counter() - start)

base = statistics.median(times["git --version"])
failed = False
print(f"{'':16}{'median ms':>10}{'p95 ms':>10}{'x git':>8}   ({rounds} rounds, interleaved)")
for name, spans in times.items():
    median, p95 = statistics.median(spans), sorted(spans)[int(len(spans) * 0.95)]
    too_slow = name.startswith(("Edit", "Write")) and median > 1.5 * base
    failed |= too_slow
    print(f"{name:16}{median * 1000:10.2f}{p95 * 1000:10.2f}{median / base:8.2f}{'   too slow' if too_slow else ''}")
sys.exit(failed)
