#!/usr/bin/env python3
"""The audit view over a large ledger: how fast it is indexed, how soon and in how much memory it answers, and how many at once.

Usage: serve.py [PROGRAM] [RECORDS] [CHAINS] [ROUNDS] [FOLDER]. benches/big_ledger.rs makes the ledger from docs/format.md
alone, in FOLDER for those who want it again; a repository with code stands beside it. Every page is asked for ROUNDS times, in
many versions, over one connection; `/healthz`, which looks nothing up, in turn with them is the measure of the machine.
"""
import calendar, collections, concurrent.futures, http.client, json, os, random, re, shutil, statistics, subprocess, sys, tempfile, time
from urllib.parse import quote, urlsplit

sys.path.insert(0, os.path.dirname(__file__))
from big import Big, Timed
from world import World

# How long, and with how many readers at once, it is asked for as much as it can answer.
SECONDS, READERS = 10, 4
PROOF = "/records/…/proof"
WORDS = ["cargo", "test", "edit", "src", "fix"]


class Server:
    """A server over what is indexed already."""

    def __init__(self, program, args, env):
        start = time.perf_counter()
        self.process = subprocess.Popen([program, *args, "--listen", "127.0.0.1:0"], env=env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            sys.exit("it does not start")
        self.client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.get("/healthz")
        self.started = time.perf_counter() - start

    def get(self, path, client=None, refused=False):
        """How soon the first byte came and the last one, in ms; the answer's kind, and it. Nothing where it is refused by right."""
        client, start = client or self.client, time.perf_counter()
        client.request("GET", path, headers={"Host": f"127.0.0.1:{self.port}"})
        answer = client.getresponse()
        first = time.perf_counter()
        body = answer.read()
        if refused and answer.status == 429:
            return None
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status}\n{body.decode(errors='replace')[:2000]}")
        return 1000 * (first - start), 1000 * (time.perf_counter() - start), answer.headers["Content-Type"], body

    def memory(self):
        """MB of its own, and of files that it maps or that git's packs are."""
        with open(f"/proc/{self.process.pid}/status") as file:
            fields = dict(line.split(":", 1) for line in file)
        return [int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile")]


def links(server, path, pattern):
    """The addresses on a page that are like this, each once."""
    page = server.get(path)[3].decode()
    return list(dict.fromkeys(link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', page) if re.match(pattern, link)))


def deeper(server, path, pages):
    """A list's address, and those of the pages of it that follow."""
    found = [path]
    while len(found) < pages and (more := [link for link in links(server, found[-1], r".*\bafter=") if link not in found]):
        found.append(urlsplit(more[-1]).path + "?" + urlsplit(more[-1]).query if "://" in more[-1] else more[-1])
    return found


def span_of(server):
    """When the first and the last of all sessions ended, as far as a chain tells that."""
    chains = links(server, "/integrity", r"/r/\w+/chains/\w+$")
    first = json.loads(server.get(f"{chains[-1]}.json")[3])["rows"][0]["time"]
    return first, json.loads(server.get("/sessions.json")[3])["rows"][0]["ended"]


def instant(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def versions(server):
    """What is asked for, by the kind of page."""
    asked = {path: [path] for path in ("/", "/integrity", "/alerts", "/alerts.atom", "/policies", "/exceptions", "/compliance",
                                        "/retention", "/members", "/keys", "/help", "/openapi.json", "/metrics")}
    for name, pattern in (("sessions", r"/r/\w+/sessions/[^/?]+$"), ("commits", r"/r/\w+/commits/[^/?]+$")):
        lists = [page for query in ("", "?repository=big", "?repository=code") for page in deeper(server, f"/{name}{query}", 5)]
        narrower = links(server, f"/{name}?repository=big", rf"/{name}\?.*(author|model|agent|person)=")[:5]
        asked[f"/{name}"] = lists + narrower + [f"/{name}.json", f"/{name}.csv"]
        ones = [link for page in lists for link in links(server, page, pattern)]
        random.shuffle(ones)
        asked[f"/r/…/{name}/…"] = ones[:100]
    chains = links(server, "/integrity", r"/r/\w+/chains/\w+$")[:30]
    asked["/r/…/chains/…"] = [page for chain in chains[:5] for page in deeper(server, chain, 3)] + chains
    records = [link for chain in chains for link in links(server, chain, r"/records/[0-9a-f]+$")[:5]]
    asked["/records/…"] = records
    asked[PROOF] = [f"{record}/proof" for record in records[:20]]
    questions = links(server, "/analytics", r"/analytics/[a-z-]+$")
    spans = ("", "?repository=big", "?since=2020-01-01&until=2027-01-01", "?repository=code")
    asked["/analytics/…"] = ["/analytics"] + [question + span for question in questions for span in spans]
    shas = [one.rsplit("/", 1)[1] for one in asked["/r/…/commits/…"][:10]]
    asked["/search"] = [f"/search?q={quote(word)}" for word in WORDS + shas]
    folders = ["/r/code/code"] + links(server, "/r/code/code", r"/r/code/code/.+")
    inside = [link for folder in folders[1:] for link in links(server, folder, r"/r/code/code/.+") if link not in folders]
    asked["/r/code/code/…"] = folders + inside * 3
    asked["/suggestions"] = [f"/suggestions{part}{span}" for part in ("", "/uses", "/teams", "/members") for span in spans]
    asked["/retention/… /exceptions/…"] = [f"/retention/{part}" for part in ("holds", "pruned")] + [
        f"/exceptions/{part}" for part in ("approvals", "corrections", "checks")]
    # As of days and seconds that are spread over all that is recorded.
    begun, ended = (instant(one) for one in span_of(server))
    thens = [time.gmtime(begun + (ended - begun) * part / 8) for part in range(1, 9)]
    thens = [time.strftime(form, then) for then in thens for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ")]
    lists = ("/sessions", "/commits", "/compliance", "/analytics/tokens", "/analytics/agents-share", "/members", "/exceptions/checks")
    asked["…?asof=…"] = [f"{path}?asof={then}" for path in lists for then in thens]
    empty = [kind for kind, paths in asked.items() if not paths]
    if empty:
        sys.exit(f"nothing to ask for: {empty}")
    return asked


def part(times, share):
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def one_by_one(server, asked, rounds):
    """Each page by itself, and what looks nothing up in turn with them."""
    times, first, idle, sizes = collections.defaultdict(list), [], [], collections.Counter()
    todo = [(kind, path) for kind, paths in asked.items() for path in paths]
    for _ in range(rounds):
        random.shuffle(todo)
        for at, (kind, path) in enumerate(todo):
            soon, took, what, body = server.get(path)
            times[kind].append(took)
            first.append(soon)
            if what.startswith("text/html"):
                sizes[kind] = max(sizes[kind], len(body))
            if at % 5 == 0:
                idle.append(server.get("/healthz")[1])
    return times, first, idle, sizes


def reader(server, paths, until):
    """What one of those who ask at once gets: answers, and how often it is told that an address may not ask for more."""
    client, count, refused = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60), 0, 0
    while time.perf_counter() < until:
        got = server.get(random.choice(paths), client, refused=True)
        count, refused = count + (got is not None), refused + (got is None)
    return count, refused


def code(program):
    """A repository with code that an agent wrote, and one long file."""
    world = World(program)
    world.write("src/long.rs", "".join(f"fn number_{n}() -> u32 {{\n    {n}\n}}\n\n" for n in range(1500)))
    world.git("add", "-A")
    world.git("commit", "-q", "-m", "Count")
    for n in range(5):
        world.agent_writes(f"src/part{n}.rs", "".join(f"pub const C{n}_{m}: u32 = {m};\n" for m in range(300)), f"toolu_{n}")
        world.git("add", "-A")
        world.git("commit", "-q", "-m", f"Write part {n}")
    world.git("push", "-q", "origin", "main")
    return world


given = dict(enumerate(sys.argv))
program = os.path.abspath(given.get(1, "target/release/git-tracevault"))
records, chains, rounds = (int(given.get(at, default)) for at, default in ((2, 1_000_000), (3, 100), (4, 3)))
random.seed(1)
away = tempfile.TemporaryDirectory(prefix="tracevault-bench-")
big, small = Big(program, given.get(5, away.name), records, chains), code(program)
data = f"{away.name}/data"
serve = ["serve", "--public", "--data", data, "--repo", f"big={big.repo}", "--repo", f"code={small.remote}"]

whole = Timed([program, *serve, "--once"], watch=True, env=big.env)
if whole.code:
    sys.exit(f"serve --once: {whole.out}{whole.err}")
fetched = Timed(["git", "clone", "-q", "--mirror", "--no-local", big.repo, f"{away.name}/fetched.git"], env=big.env)
verified = big.verify("--full")
beyond = whole.clock - fetched.clock - verified.clock
print(f"{records} records in {chains} chains, load {os.getloadavg()[0]:.1f}")
print(f"mirrored, verified and indexed in {whole.clock:.0f} s, {records / whole.clock:.0f} records a second; git alone fetches in "
      f"{fetched.clock:.0f} s, verify --full takes {verified.clock:.0f} s: {records / max(beyond, 1e-9):.0f} records a second beyond these")
print(f"memory meanwhile {whole.watch.own:.0f} MB of its own, {whole.watch.mapped:.0f} MB of files mapped; "
      f"index {sum(os.path.getsize(f'{data}/{name}') for name in os.listdir(data) if name.startswith('index')) / 1e6:.0f} MB")

server = Server(program, serve, big.env)
process = server.process
try:
    asked = versions(server)
    times, first, idle, sizes = one_by_one(server, asked, rounds)
    every = [took for kind in times for took in times[kind] if kind != PROOF]
    print(f"first answer {1000 * server.started:.0f} ms after the start")
    print(f"{len(every)} answers: p50 {part(every, .5):.1f} ms, p99 {part(every, .99):.1f} ms, first byte p99 {part(first, .99):.1f} ms; "
          f"/healthz p50 {part(idle, .5):.1f} ms, p99 {part(idle, .99):.1f} ms: x {part(every, .5) / part(idle, .5):.1f}, x {part(every, .99) / part(idle, .99):.1f}")
    for kind, took in sorted(times.items(), key=lambda item: -part(item[1], .99)):
        size = f", HTML up to {sizes[kind] / 1000:.0f} kB" if sizes[kind] else ""
        print(f"  {kind:24} p50 {part(took, .5):6.1f} ms, p99 {part(took, .99):6.1f} ms, {len(took)} answers{size}")
    paths = [path for kind, some in asked.items() if kind != PROOF for path in some[:20]]
    with concurrent.futures.ProcessPoolExecutor(READERS) as pool:
        server.client.close()
        # Neither can be given to another process.
        server.process, server.client = None, None
        start = time.perf_counter()
        runs = [pool.submit(reader, server, paths, start + SECONDS) for _ in range(READERS)]
        done = [run.result() for run in runs]
        server.process = process
    took, answers, refused = time.perf_counter() - start, sum(done[0] for done in done), sum(done[1] for done in done)
    print(f"{READERS} readers at once: {answers / took:.0f} answers a second of all pages, {refused / took:.0f} refused (429)")
    own, mapped = server.memory()
    print(f"memory after it all: {own:.0f} MB of its own, {mapped:.0f} MB of files mapped")
finally:
    process.kill()
