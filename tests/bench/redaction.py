#!/usr/bin/env python3
"""How much the redactor finds, and what it should have left alone.

    redaction.py [--cmd 'git-tracevault redact --jsonl'] [--seed 7] [--misses N] [--held] [--write DIR]

Makes several thousand labelled cases (every kind in a few carriers, every carrier with several kinds, as text and inside
transcript lines), runs the command over them and counts. One half of the kinds and carriers is held back: its misses are
listed only with --held, so that the rules are not made for them. Seeded, and no value opens anything.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import sys
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "redaction"))
from carriers import block_carriers, carriers  # noqa: E402
from negatives import CODE, card_rows, decoy_rows, random_rows  # noqa: E402
from values import blocks, draw, expand  # noqa: E402

WINDOW = 12


def kinds():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "redaction", "kinds.txt")
    rows = [line.rstrip("\n").split("|") for line in open(path) if not line.startswith("#")]
    return [(r[0], r[1], r[2], len(r) > 3) for r in rows]


def held(*names):
    return any(zlib.crc32(n.encode()) % 100 < 30 for n in names)


def cases(rnd):
    rows = []
    ways = carriers()
    for i, (kind, name, template, _) in enumerate(kinds()):
        for j in range(9):
            carrier, tier, make = ways[(i * 7 + j * (len(ways) // 9 + 1)) % len(ways)]
            add(rnd, rows, kind, carrier, tier, make, name, template)
    for carrier, tier, make in ways:
        for kind, name, template, _ in rnd.sample(kinds(), 8):
            add(rnd, rows, kind, carrier, tier, make, name, template)
    for carrier, tier, make in block_carriers():
        for kind, text, needles in blocks(rnd):
            text, needles = make(rnd, text, needles)
            rows.append(row(kind, carrier, tier, text, needles))
    negatives = [("code", line) for line in CODE if line]
    for _ in range(8):
        negatives += random_rows(rnd)
    rows += [row(kind, "-", None, text, None) for kind, text in negatives]
    return rows


def add(rnd, rows, kind, carrier, tier, make, name, template):
    secret = expand(rnd, template)
    part = secret.partition("<<")[2].partition(">>")[0]
    secret = secret.replace("<<", "").replace(">>", "")
    text, needles = make(rnd, name, secret)
    if part:
        # Where the secret is a part, only what shows it in one piece can be told.
        if tier > 2 or needles != [secret]:
            return
        needles = [part]
    rows.append(row(kind, carrier, tier, text, needles))


def row(kind, carrier, tier, text, needles):
    return {"kind": kind, "carrier": carrier, "tier": tier, "text": text, "needles": needles, "keep": [],
            "held": held(kind, carrier) if needles else held(text)}


def in_transcript(rnd, case):
    """The same case inside a transcript's line, with ids that must survive."""
    keep = [expand(rnd, "{u}"), expand(rnd, "{u}"), "toolu_01" + draw(rnd, "x", 22), "msg_01" + draw(rnd, "x", 22)]
    signature = "Eqw" + draw(rnd, "b", 200) + "=="
    text = case["text"]
    head = {"parentUuid": keep[0], "sessionId": keep[1], "cwd": "/home/dev/x", "version": "2.0.69", "gitBranch": "main"}
    shape = rnd.randrange(4)
    if shape == 0:
        body = {"type": "user", "message": {"role": "user", "content": [{"tool_use_id": keep[2], "type": "tool_result", "content": text}]},
                "toolUseResult": {"stdout": text, "stderr": "", "interrupted": False}}
    elif shape == 1:
        body = {"type": "assistant", "message": {"id": keep[3], "role": "assistant", "content": [
            {"type": "thinking", "thinking": "Let me see.", "signature": signature}, {"type": "text", "text": text}],
            "usage": {"input_tokens": 3, "output_tokens": 5}}}
    elif shape == 2:
        body = {"type": "assistant", "message": {"id": keep[3], "role": "assistant", "content": [
            {"type": "tool_use", "id": keep[2], "name": "Write", "input": {"file_path": "/home/dev/x/a.cfg", "content": text}}]}}
    else:
        body = {"type": "user", "message": {"role": "user", "content": text}}
    line = json.dumps(head | body, ensure_ascii=False, separators=(",", ":"))
    keep = [k for k in keep + [signature[:40]] if k in line and k not in text]
    return case | {"text": line, "keep": keep}


def strings(text):
    """The text, and every string that JSON in it leads to."""
    todo, seen = [text] + text.split("\n"), set()
    while todo:
        s = todo.pop()
        if s in seen:
            continue
        seen.add(s)
        if s.strip()[:1] in ("{", "[", '"'):
            try:
                stack = [json.loads(s)]
            except ValueError:
                continue
            while stack:
                x = stack.pop()
                if isinstance(x, str):
                    todo.append(x)
                elif isinstance(x, dict):
                    stack += [*x, *x.values()]
                elif isinstance(x, list):
                    stack += x
    return "\x01".join(seen)


def readable(text, needles):
    everything = strings(text)
    for needle in needles:
        size = min(WINDOW, len(needle))
        for i in range(len(needle) - size + 1):
            if needle[i:i + size] in everything:
                return needle[i:i + size]
    return None


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


def run(command, rows):
    data = "".join(json.dumps({"id": i, "text": r["text"]}, ensure_ascii=False) + "\n" for i, r in enumerate(rows))
    start = time.time()
    done = subprocess.run(command, shell=True, input=data.encode(), capture_output=True)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr.decode()[-400:]}")
    out = {o["id"]: o["text"] for o in map(json.loads, done.stdout.decode().splitlines())}
    print(f"{len(rows)} cases, {len(data) / 1e6:.1f} MB, {len(data) / 1e6 / (time.time() - start):.0f} MB/s with the start of the process")
    return [out.get(i, "") for i in range(len(rows))]


def score(title, rows, outs, args):
    for half in ("seen", "held"):
        found, total = collections.Counter(), collections.Counter()
        lost = broken = wrong = 0
        misses, by = [], {"kind": collections.Counter(), "carrier": collections.Counter()}
        for r, out in zip(rows, outs):
            if r["held"] != (half == "held"):
                continue
            if is_json(r["text"]) and not is_json(out):
                broken += 1
            if r["needles"] is None:
                total["negative"] += 1
                if out != r["text"]:
                    wrong += 1
                    misses.append(("FALSE", r, out))
                continue
            total[r["tier"]] += 1
            left = readable(out, r["needles"])
            lost += any(k not in out for k in r["keep"])
            if left is None:
                found[r["tier"]] += 1
            else:
                misses.append(("MISS", r, out))
                by["kind"][r["kind"]] += 1
                by["carrier"][r["carrier"]] += 1
        tiers = " ".join(f"tier {t} {100 * found[t] / total[t]:.2f} % ({found[t]}/{total[t]})" for t in (1, 2, 3) if total[t])
        false = f"false positives {100 * wrong / total['negative']:.2f} % ({wrong}/{total['negative']})" if total["negative"] else ""
        print(f"{title}, {half}: {tiers} {false} broken JSON {broken} ids lost {lost}")
        if half == "seen" or args.held:
            for what, counter in by.items():
                print(f"   by {what}:", ", ".join(f"{k} {n}" for k, n in counter.most_common(args.misses)))
            shown = [m for m in misses if m[0] == "FALSE"][:args.misses] + [m for m in misses if m[0] == "MISS"][:args.misses]
            for what, r, out in shown:
                print(f"   {what} {r['kind']} {r['carrier']}\n      {r['text'][:300]!r}\n      {out[:300]!r}")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--cmd", default="git-tracevault redact --jsonl")
    ap.add_argument("--seed", type=int, default=7)
    ap.add_argument("--misses", type=int, default=0)
    ap.add_argument("--held", action="store_true")
    ap.add_argument("--write")
    args = ap.parse_args()
    rnd = random.Random(args.seed)
    text = cases(rnd)
    lines = [in_transcript(rnd, case) for case in text]
    cards = [row(k, "card", 1, t, n) for k, t, n in card_rows(rnd)] + [row(k, "-", None, t, None) for k, t in decoy_rows(rnd)]
    if args.write:
        for name, rows in (("plain", text), ("transcript", lines), ("cards", cards)):
            with open(os.path.join(args.write, name + ".jsonl"), "w") as f:
                f.writelines(json.dumps({"id": i} | r, ensure_ascii=False) + "\n" for i, r in enumerate(rows))
    score("text", text, run(args.cmd, text), args)
    score("transcript", lines, run(args.cmd, lines), argparse.Namespace(misses=0, held=False))
    score("cards", cards, run(args.cmd + " --pci", cards), argparse.Namespace(misses=min(args.misses, 5), held=args.held))


if __name__ == "__main__":
    main()
