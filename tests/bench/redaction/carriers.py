"""Carriers: what a secret stands in. Each gives (text, needles); needles are what must not be readable afterwards."""
import gzip
import html
import json
import re
import textwrap
import zlib

from values import b64


def cut(rnd, secret):
    at = len(secret) // 2
    return secret[:at], secret[at:]


def hexdump(data, style):
    rows = []
    for i in range(0, len(data), 16):
        row = data[i:i + 16]
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        if style == "xxd":
            pairs = " ".join(row[j:j + 2].hex() for j in range(0, len(row), 2))
            rows.append(f"{i:08x}: {pairs:<39}  {text}")
        elif style == "od":
            rows.append(f"{i:07o} " + " ".join(f"{b:02x}" for b in row))
        else:
            left, right = " ".join(f"{b:02x}" for b in row[:8]), " ".join(f"{b:02x}" for b in row[8:])
            rows.append(f"{i:08x}  {left:<23}  {right:<23}  |{text}|")
    return "\n".join(rows) + "\n"


def upper(name):
    return name if name.isupper() else re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)).upper()


def ident(name):
    return re.sub(r"[^A-Za-z0-9_]", "_", name).lower()


def plain(template):
    def make(rnd, name, secret):
        return template.replace("@L", ident(name)).replace("@N", upper(name)).replace("@S", secret).replace(
            "@J", json.dumps(secret)).replace("@X", html.escape(secret)), [secret]
    return make


T1 = {
    "env": "LOG_LEVEL=info\n@N=@S\nPORT=80\n",
    "env-quoted": "A=1\n@N=\"@S\"\nB=2\n",
    "export": "export @N='@S' && make deploy",
    "inline-env": "@N=@S ./run --once",
    "yaml": "app:\n  @L: @S\n  timeout: 30s\n",
    "yaml-quoted": "app:\n  @L: \"@S\"\n  port: 1\n",
    "json": "{\n  \"port\": 1,\n  \"@N\": @J\n}",
    "json-camel": "{\"@L\":@J,\"n\":1}",
    "ini": "[default]\nregion = eu\n@L = @S\noutput = json\n",
    "toml": "[auth]\n@L = \"@S\"\n",
    "properties": "a.b=c\n@L=@S\n",
    "python": "import os\n\n@N = \"@S\"\n",
    "js": "const @L = '@S';\nexport default {};\n",
    "ts": "export const @N: string = \"@S\";",
    "go": "const @N = \"@S\"\n",
    "go-short": "\t@L := \"@S\"\n",
    "rust": "pub const @N: &str = \"@S\";\n",
    "java": "private static final String @N = \"@S\";\n",
    "kotlin": "val @L = \"@S\"\n",
    "csharp": "public const string @N = \"@S\";",
    "php": "$@L = '@S';\n",
    "php-array": "return ['@L' => '@S', 'x' => 1];",
    "ruby": "@L: '@S',\n",
    "swift": "let @L: String = \"@S\"",
    "c-define": "#define @N \"@S\"\n",
    "md-table": "| Name | Value |\n|---|---|\n| `@N` | `@S` |\n",
    "md-list": "- **@N**: `@S`\n- x: y\n",
    "prose-is": "please use @N = @S for the sandbox and rerun",
    "prose-tick": "here you go, @N: `@S`",
    "prose-set": "I set @N to `@S` on staging",
    "log": "2026-11-03T09:14:22Z DEBUG http method=POST @L=@S status=200",
    "log-json": "{\"level\":\"info\",\"msg\":\"cfg\",\"@L\":@J}",
    "flag": "tool run --@L @S --verbose",
    "flag-eq": "tool run --@L=@S --verbose",
    "docker-e": "docker run -e @N=@S -p 80:80 app",
    "fish": "set -gx @N @S\n",
    "csh": "setenv @N @S\n",
    "cmd-set": "set @N=@S\r\n",
    "cmd-setx": "setx @N \"@S\"",
    "heredoc": "cat > .env <<EOF\n@N=@S\nEOF\n",
    "grep": "conf/app.env:12:@N=@S\n",
    "comment": "# @N=@S\n// @L: @S\n",
    "makefile": "@N ?= @S\n",
    "hcl": "variable \"@L\" {\n  default = \"@S\"\n}\n",
    "sql-insert": "INSERT INTO settings (k, v) VALUES ('@L', '@S');",
    "tsv": "name\tvalue\n@N\t@S\nTZ\tUTC\n",
    "printenv": "$ printenv @N\n@S\n",
    "echo": "$ echo $@N\n@S\n",
    "vim": "~\n@N=@S\n~\n-- INSERT --\n",
    "gh-mask": "env:\n  @N: @S\n##[group]Run x",
}
T2 = {
    "diff-add": "--- a/.env\n+++ b/.env\n@@ -1,2 +1,2 @@\n A=1\n+@N=@S\n-@N=old\n",
    "diff-del": "@@ -1,2 +1,1 @@\n A=1\n-@N=@S\n B=2\n",
    "numbered": "   120→# x\n   121→@N=@S\n   122→Y=1\n",
    "numbered-tab": "     1\tA=1\n     2\t@N=@S\n",
    "cat-n-colon": "12: A=1\n13: @N=@S\n",
    "ansi": "\x1b[36m@N\x1b[0m=\x1b[1;33m@S\x1b[0m\n",
    "ansi-inside-log": "\x1b[32mINFO\x1b[39m @L: \x1b[35m@S\x1b[39m",
    "shell-trace": "+ set -x\n+ export @N=@S\n+ @N=@S\n",
    "powershell": "$env:@N = \"@S\"; .\\run.ps1",
    "pydict": "settings={'host': 'db', '@L': '@S', 'pool': 8}",
    "repr-bytes": "{b'@L': b'@S'}",
    "tfvars": "name = \"/x/@L\"\ntype = \"SecureString\"\nvalue = \"@S\"\n",
    "xml-attr": "<add key=\"@N\" value=\"@X\" />",
    "xml-element": "<config><@L>@X</@L></config>",
    "xml-prop": "<property name=\"@L\" value=\"@X\"/>",
    "xml-cdata": "<@L><![CDATA[@S]]></@L>",
    "html-input": "<input type=\"hidden\" name=\"@L\" value=\"@X\">",
    "html-meta": "<meta name=\"@L\" content=\"@X\">",
    "url-query": "GET https://rates.bank.example/v2?a=1&@L=@S&fmt=json 200",
    "form-data": "Content-Disposition: form-data; name=\"@L\"\r\n\r\n@S\r\n--x",
    "cs-string": "Endpoint=x;@L=@S;Timeout=3",
    "yaml-folded": "@L: >-\n  @S\nport: 1\n",
    "yaml-literal": "data:\n  @L: |\n    @S\n  other: x\n",
    "env-list": "- name: @N\n  value: \"@S\"\n- name: B\n  value: c\n",
    "jinja": "{% set @L = '@S' %}",
    "proc-environ": "PATH=/bin\0@N=@S\0HOME=/root\0",
    "stack": "Error: 401\n    at x (a.js:1:2) { config: { @L: '@S' } }",
    "blame": "a1b2c3d4 (dev 2026-01-01 10:00:00 +0000  3) @N=@S\n",
    "quoted-mail": "> > @N=@S\n> thanks\n",
    "box": "│ @N │ @S │\n",
    "psql": " @L | @S\n(1 row)\n",
}


def wrap_json(levels):
    def make(rnd, name, secret):
        value = {ident(name): secret, "v": 1}
        for _ in range(levels):
            value = {"payload": json.dumps(value), "ok": True}
        return json.dumps(value), [secret]
    return make


def json_in_text(rnd, name, secret):
    inner = json.dumps(json.dumps({upper(name): secret, "ttl": 3600}))
    return f"POST /v1/session -> 201 body={inner} in 41ms\n", [secret]


def docker_inspect(rnd, name, secret):
    return json.dumps([{"Id": "9" * 64, "Config": {"Env": ["PATH=/bin", f"{upper(name)}={secret}"]}}]), [secret]


def structured_diff(rnd, name, secret):
    return json.dumps({"structuredPatch": [{"lines": [" A=1", f"+{upper(name)}={secret}"]}]}), [secret]


def encoded(encode, show):
    def make(rnd, name, secret):
        text = encode(f"{upper(name)}={secret}\n")
        middle = text[len(text) // 2 - 4:][:max(12, len(text) // 3)] if len(text) > 24 else text
        return show.replace("@E", text).replace("@N", upper(name)).replace("@L", ident(name)), [middle.strip("=")]
    return make


def bare_encoded(encode, show):
    def make(rnd, name, secret):
        text = encode(secret)
        third = len(text) // 3
        needle = text[third:len(text) - 4] if len(text) > 30 else text.rstrip("=\n")
        return show.replace("@E", text).replace("@N", upper(name)).replace("@L", ident(name)), [needle.strip("=")]
    return make


def lines_of(width, prefix=""):
    def encode(text):
        data = b64(text)
        return "\n".join(prefix + data[i:i + width] for i in range(0, len(data), width))
    return encode


def wrapped_b64(rnd, name, secret):
    text = f"{'X' * 40}\n{upper(name)}={secret}\n{'y' * 30}\n"
    lines = textwrap.wrap(b64(text), 76)
    return "$ base64 .env\n" + "\n".join(lines) + "\n", [lines[len(lines) // 2][10:50]]


def numbered_b64(rnd, name, secret):
    text = f"{'X' * 60}\n{upper(name)}={secret}\n{'y' * 60}\n"
    lines = textwrap.wrap(b64(text), 76)
    return "\n".join(f"{i + 1:6}→{line}" for i, line in enumerate(lines)) + "\n", [lines[1][10:50]]


def dump(style):
    def make(rnd, name, secret):
        text = hexdump(f"{upper(name)}={secret}\n".encode(), style)
        rows = text.splitlines()
        row = rows[len(rows) // 2] if len(rows) > 2 else rows[-1]
        columns = [row[10:49].strip()[:20]] + ([row.split("  ")[-1].strip("|")] if style != "od" else [])
        return f"$ {style} .env\n{text}", [c for c in columns if len(c) >= 12] or [row[10:25]]
    return make


def pieces(template, join):
    def make(rnd, name, secret):
        a, b = cut(rnd, secret)
        text = template.replace("@N", upper(name)).replace("@L", ident(name)).replace("@1", a).replace("@2", b)
        return text, [a, b]
    return make


def chars(show):
    def make(rnd, name, secret):
        text = show(secret)
        return f"{ident(name)} = {text}\n", [text[len(text) // 3:-6]]
    return make


def escaped(fn, show):
    def make(rnd, name, secret):
        text = "".join(fn(c) for c in secret)
        return show.replace("@N", upper(name)).replace("@L", ident(name)).replace("@E", text), [text[len(text) // 3:][:60]]
    return make


def percent(text):
    return "".join(f"%{b:02X}" for b in text.encode())


def compose(*layers):
    def encode(text):
        for layer in layers:
            text = layer(text)
        return text
    return encode


def url64(text):
    return b64(text).replace("+", "-").replace("/", "_").rstrip("=")


def utf16(text):
    return b64(text.encode("utf-16-le"))


T3 = {
    "b64-line": encoded(b64, "$ base64 -w0 .env\n@E\n"),
    "b64-url": encoded(url64, "state=@E&x=1"),
    "b64-url-json": encoded(lambda t: url64(json.dumps({"v": t})), "{\"state\": \"@E\"}"),
    "b64-echo": encoded(b64, "echo @E | base64 -d > .env"),
    "b64-py": encoded(b64, "base64.b64decode('@E')"),
    "b64-twice": encoded(compose(b64, b64), "blob: @E\n"),
    "b64-basic-json": encoded(lambda t: b64(json.dumps({"data": t})), "payload=@E\n"),
    "b64-wrapped": wrapped_b64,
    "b64-numbered": numbered_b64,
    "b64-utf16": encoded(utf16, "powershell -EncodedCommand @E"),
    "b64-percent": encoded(compose(b64, percent), "GET /x?d=@E"),
    "b64-datauri": encoded(b64, "data:text/plain;base64,@E"),
    "k8s-b64": bare_encoded(b64, "apiVersion: v1\nkind: Secret\ndata:\n  @L: @E\ntype: Opaque\n"),
    "k8s-b64-json": bare_encoded(b64, "{\"kind\":\"Secret\",\"data\":{\"@L\":\"@E\"}}"),
    "gzip-b64": encoded(lambda t: b64(gzip.compress(t.encode(), mtime=0)), "user_data: @E\n"),
    "zlib-b64": encoded(lambda t: b64(zlib.compress(t.encode())), "blob = \"@E\"\n"),
    "hex": encoded(lambda t: t.encode().hex(), "$ xxd -p .env\n@E\n"),
    "hex-named": bare_encoded(lambda t: t.encode().hex(), "$ printf %s \"$@N\" | xxd -p -c 400\n@E\n"),
    "hex-upper": encoded(lambda t: t.encode().hex().upper(), "payload=@E\n"),
    "hex-0x": encoded(lambda t: "0x" + t.encode().hex(), "data: @E\n"),
    "hex-spaced": encoded(lambda t: t.encode().hex(" "), "bytes: @E\n"),
    "hex-colon": encoded(lambda t: t.encode().hex(":"), "raw @E\n"),
    "xxd": dump("xxd"),
    "hexdump-c": dump("hexdump -C"),
    "od": dump("od"),
    "percent-value": escaped(percent, "curl 'https://x.bank.example/cb?@L=@E'"),
    "percent-all": encoded(percent, "redirect=@E\n"),
    "u-escape": escaped(lambda c: f"\\u{ord(c):04x}", "@N=@E\n"),
    "u-escape-js": escaped(lambda c: f"\\u{ord(c):04X}", "const @L = \"@E\";"),
    "u-brace": escaped(lambda c: f"\\u{{{ord(c):x}}}", "let @L = \"@E\";"),
    "x-escape": escaped(lambda c: f"\\x{ord(c):02x}", "@L = \"@E\"\n"),
    "octal": escaped(lambda c: f"\\{ord(c):03o}", "printf '@N=@E'\n"),
    "entities": escaped(lambda c: f"&#{ord(c)};", "<@L>@E</@L>"),
    "entities-hex": escaped(lambda c: f"&#x{ord(c):x};", "<input name=\"@L\" value=\"@E\">"),
    "entity-quot": encoded(lambda t: "{&quot;" + t.strip().replace("=", "&quot;:&quot;", 1) + "&quot;}", "<div data-cfg=\"@E\">"),
    "qp-soft": lambda rnd, name, secret: (
        f"{upper(name)}=3D{cut(rnd, secret.replace('=', '=3D'))[0]}=\n{cut(rnd, secret.replace('=', '=3D'))[1]}\n",
        [p for p in cut(rnd, secret.replace('=', '=3D'))]),
    "concat-plus": pieces("@L = \"@1\" + \"@2\"\n", "+"),
    "concat-nl": pieces("@L = \"@1\" +\n    \"@2\"\n", "+"),
    "concat-php": pieces("$@L = '@1' .\n    '@2';\n", "."),
    "concat-implicit": pieces("@L = (\"@1\"\n     \"@2\")\n", ""),
    "concat-c": pieces("const char *@L = \"@1\" \"@2\";", ""),
    "concat-vb": pieces("@L = \"@1\" & _\n  \"@2\"", "&"),
    "concat-sql": pieces("SET @L = '@1' || '@2';", "||"),
    "concat-lua": pieces("local @L = \"@1\" .. \"@2\"", ".."),
    "concat-hs": pieces("@L = \"@1\" <> \"@2\"", "<>"),
    "concat-method": pieces("String @L = \"@1\".concat(\"@2\");", ""),
    "concat-sb": pieces("@L.append(\"@1\").append(\"@2\");", ""),
    "concat-join": pieces("@L = \"\".join([\"@1\", \"@2\"])", ""),
    "concat-array-join": pieces("const @L = ['@1', '@2'].join('')", ""),
    "concat-fmt": pieces("@L = fmt.Sprintf(\"%s%s\", \"@1\", \"@2\")", ""),
    "concat-json-esc": lambda rnd, name, secret: (
        json.dumps({"code": f"{ident(name)} = \"{cut(rnd, secret)[0]}\" + \"{cut(rnd, secret)[1]}\""}), list(cut(rnd, secret))),
    "concat-shell": pieces("@N=\"@1\"\"@2\"\n", ""),
    "append-shell": pieces("@N=\"@1\"\n@N+=\"@2\"\n", ""),
    "append-code": pieces("@L = '@1'\n@L += '@2'\n", ""),
    "backslash": pieces("export @N=@1\\\n@2\n", ""),
    "backslash-quoted": pieces("@L = \"@1\\\n@2\"\n", ""),
    "wrapped": pieces("@N=@1\n@2\n", ""),
    "wrapped-indent": pieces("  @L: @1\n    @2\n", ""),
    "wrapped-numbered": pieces("    7→@N=@1\n    8→@2\n", ""),
    "wrapped-diff": pieces("+@N=@1\n+@2\n", ""),
    "wrapped-crlf": pieces("@N=@1\r\n@2\r\n", ""),
    "yaml-dq-fold": pieces("@L: \"@1\\\n  @2\"\n", ""),
    "cmd-caret": pieces("set @N=@1^\n@2\n", ""),
    "char-array": chars(lambda s: "{" + ", ".join(f"'{c}'" for c in s) + "}"),
    "byte-array": chars(lambda s: "[" + ", ".join(str(b) for b in s.encode()) + "]"),
    "hex-array": chars(lambda s: "{" + ", ".join(f"0x{b:02x}" for b in s.encode()) + "}"),
    "fromcharcode": chars(lambda s: "String.fromCharCode(" + ",".join(str(b) for b in s.encode()) + ")"),
    "reversed": None,
    "b64-in-json": lambda rnd, name, secret: (json.dumps({"file": "x", "data": b64(json.dumps({ident(name): secret}))}),
                                              [b64(json.dumps({ident(name): secret}))[24:-8]]),
    "json4": wrap_json(3),
    "json-in-url": lambda rnd, name, secret: (
        "https://x.example/cb?state=" + re.sub(r"[^A-Za-z0-9]", lambda m: percent(m[0]), json.dumps({ident(name): secret})), [secret]
        if secret.isalnum() else [max(re.findall("[A-Za-z0-9]+", secret), key=len)]),
}
T2_FUNCS = {"json-in-json": wrap_json(1), "json3": wrap_json(2), "json-in-text": json_in_text,
            "docker-inspect": docker_inspect, "structured-diff": structured_diff}


def carriers():
    """(name, tier, maker) of all."""
    rows = [(n, 1, plain(t)) for n, t in T1.items()] + [(n, 2, plain(t)) for n, t in T2.items()]
    rows += [(n, 2, f) for n, f in T2_FUNCS.items()]
    return rows + [(n, 3, f) for n, f in T3.items() if f]


def block_carriers():
    """(name, tier, maker of (text, needles)) for what takes more than one line or brings its own words."""
    def hexed(rnd, text, needles):
        data = text.encode().hex()
        return f"$ xxd -p -c 100000 f\n{data}\n", [n.encode().hex()[8:-8] for n in needles if len(n) > 12] or [data[-24:]]

    def base64d(rnd, text, needles):
        data = b64(text)
        at = data.find(b64("x" + needles[0])[6:18])
        middle = len(b64(text[:text.find(needles[0]) + len(needles[0]) // 2]))
        return f"$ base64 -w0 f\n{data}\n", [data[middle - 10:middle + 8]] if at < 0 else [data[at:at + 16]]

    def gz(rnd, text, needles):
        data = b64(gzip.compress(text.encode(), mtime=0))
        return f"content: {data}\n", [data[len(data) // 2:][:30]]

    return [
        ("m-cat", 1, lambda r, t, n: (f"$ cat f\n{t}\n", n)),
        ("m-prompt", 1, lambda r, t, n: (f"this is what we use:\n\n```\n{t}\n```\n\nfix it please", n)),
        ("m-bare", 1, lambda r, t, n: (t, n)),
        ("m-numbered", 2, lambda r, t, n: ("\n".join(f"{i + 1:6}→{l}" for i, l in enumerate(t.splitlines())), n)),
        ("m-diff", 2, lambda r, t, n: ("@@ -0,0 +1 @@\n" + "\n".join("+" + l for l in t.splitlines()), n)),
        ("m-indent", 2, lambda r, t, n: ("files:\n  f: |\n" + "\n".join("    " + l for l in t.splitlines()), n)),
        ("m-json", 2, lambda r, t, n: (json.dumps({"path": "f", "content": t}), n)),
        ("m-json2", 2, lambda r, t, n: (json.dumps({"r": json.dumps({"content": t})}), n)),
        ("m-json-lines", 2, lambda r, t, n: (json.dumps({"structuredPatch": [{"lines": ["+" + l for l in t.splitlines()]}]}), n)),
        ("m-comment", 2, lambda r, t, n: ("\n".join("# " + l for l in t.splitlines()), n)),
        ("m-quote", 2, lambda r, t, n: ("\n".join("> " + l for l in t.splitlines()), n)),
        ("m-ansi", 2, lambda r, t, n: ("\n".join(f"\x1b[32m{l}\x1b[0m" for l in t.splitlines()), n)),
        ("m-crlf", 2, lambda r, t, n: (t.replace("\n", "\r\n"), n)),
        ("m-log", 2, lambda r, t, n: (f"level=info msg=ran out={json.dumps(t)} ms=3", n)),
        ("m-b64", 3, base64d),
        ("m-hex", 3, hexed),
        ("m-gzip", 3, gz),
    ]
