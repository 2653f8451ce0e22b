#!/usr/bin/env python3
"""How long `git tracevault mcp` takes for each tool beside a large ledger whose sessions have transcripts, as a client library sees it.

Usage: target/mcp-client/bin/python tests/bench/agents_ask.py [PROGRAM] [RECORDS] [CHAINS] [ROUNDS] [FOLDER]. tests/run makes that Python
(tests/mcp/requirements.txt). benches/big_ledger.rs makes the ledger, in FOLDER for those who want it again; a branch of 300 files
that no record speaks of stands beside it, so that `why` looks through all records of a file and finds none that fits.
"""
import asyncio, os, random, statistics, subprocess, sys, tempfile, time

from mcp import Client, StdioServerParameters, stdio_client

sys.path.insert(0, os.path.dirname(__file__))
from world import big_ledger

FILES = 300
WORDS = "rebate checkout cart retry backoff payment ledger index search cache token session border widget parser schema".split()


def code(repo, env):
    """A branch with files that have the names of those in the ledger."""
    if subprocess.run(["git", "rev-parse", "-q", "--verify", "HEAD"], cwd=repo, env=env, stdout=subprocess.DEVNULL).returncode == 0:
        return
    head = subprocess.run(["git", "symbolic-ref", "HEAD"], cwd=repo, env=env, stdout=subprocess.PIPE, check=True).stdout.decode()
    who = f"Tess <tess@example.com> {int(time.time())} +0000"
    stream = f"commit {head.strip()}\ncommitter {who}\ndata 5\nbegin\n"
    for number in range(FILES):
        text = "".join(f"line {number} {at}\n" for at in range(200))
        stream += f"M 100644 inline src/part{number % 16}/file{number % 256}.rs\ndata {len(text)}\n{text}\n"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo, env=env, input=stream.encode(), check=True)


def questions(rng):
    """One call of each tool."""
    words = lambda count: " ".join(rng.choice(WORDS) for _ in range(count))
    path = f"src/part{rng.randrange(FILES) % 16}/file"
    number = rng.randrange(256)
    return [
        ("why", {"file": f"src/part{number % 16}/file{number}.rs", "line": rng.randrange(1, 200)}),
        ("story", {"file": f"src/part{number % 16}/file{number}.rs", "line": rng.randrange(1, 200)}),
        ("search", {"text": words(rng.choice([1, 2, 3]))}),
        ("policy_check", {"paths": [f"{path}{rng.randrange(256)}.rs"], "model": "anthropic/claude-opus-4-5"}),
        ("budget", {}),
        ("similar_error", {"error": f"error[E0{rng.randrange(100, 700)}]: {words(6)} in `{words(1)}`\n{words(20)}"}),
        ("verify", {}),
    ]


async def whole(client):
    """Waits until the index has everything; how long that took."""
    begun, first = time.perf_counter(), None
    while True:
        asked = time.perf_counter()
        told = await client.call_tool("search", {"text": "rebate"})
        first = first or time.perf_counter() - asked
        if not told.is_error and told.structured_content["index"]["complete"]:
            return time.perf_counter() - begun, first
        await asyncio.sleep(1)


async def main():
    given = dict(enumerate(sys.argv))
    program = os.path.abspath(given.get(1, "target/release/git-tracevault"))
    records, chains, rounds = (int(given.get(at, default)) for at, default in ((2, 100_000), (3, 100), (4, 300)))
    away = tempfile.TemporaryDirectory(prefix="tracevault-bench-")
    folder = given.get(5, away.name)
    repo = f"{folder}/spoken-{records}-{chains}.git"
    env = {"PATH": os.environ["PATH"], "HOME": folder, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    big_ledger(repo, records, chains, env, "1")
    code(repo, env)
    server = StdioServerParameters(command=program, args=["mcp"], cwd=repo, env=env)
    times, rng = {}, random.Random(7)
    async with Client(stdio_client(server)) as client:
        took, first = await whole(client)
        print(f"the index: {took:.1f} s; the first call, meanwhile: {first:.2f} s")
        for _ in range(rounds):
            for tool, arguments in questions(rng):
                begun = time.perf_counter()
                told = await client.call_tool(tool, arguments)
                times.setdefault(tool, []).append(1000 * (time.perf_counter() - begun))
                if told.is_error:
                    sys.exit(f"{tool}: {told.content[0].text}")
        uris = [resource.uri for resource in (await client.list_resources()).resources]
        for at in range(rounds):
            begun = time.perf_counter()
            await client.read_resource(uris[at % len(uris)])
            times.setdefault("a session", []).append(1000 * (time.perf_counter() - begun))
    for tool, taken in times.items():
        taken.sort()
        print(f"{tool:14} p50 {statistics.median(taken):7.2f} ms  p99 {taken[len(taken) * 99 // 100]:7.2f} ms")
    size = sum(os.path.getsize(f"{repo}/tracevault/index/{name}") for name in os.listdir(f"{repo}/tracevault/index"))
    print(f"the index has {size / 1e6:.0f} MB")


asyncio.run(main())
