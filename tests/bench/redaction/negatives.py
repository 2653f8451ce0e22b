"""Texts without a secret, many that look as if they had one. Each must come back byte for byte."""
import base64
import hashlib
import json

from values import b64, draw, expand, word

CODE = r'''let password = get_password(&user)?;
const token = await fetchToken(clientId, { retries: 3 });
if (!token) throw new Error("token missing");
def check_password(password: str, hashed: bytes) -> bool:
password: z.string().min(8).max(128),
assert response.json()["access_token"] == token
pub struct Credentials { pub username: String, pub password: String }
api_key = os.environ["OPENAI_API_KEY"]
apiKey: process.env.STRIPE_SECRET_KEY!,
private static final String PASSWORD_FIELD = "password";
String password = request.getParameter("password");
$password = $_POST['password'] ?? '';
secret := os.Getenv("JWT_SECRET")
token = request.headers.get("Authorization", "").removeprefix("Bearer ")
SECRET_KEY = config("SECRET_KEY", default="")
passwordEncoder.encode(user.getPassword())
self.token_type_id = tokenizer.token_type_ids
KeyError: 'api_key'
tokens: 4096, max_tokens: 8192, token_count=1234
export type Token = { kind: TokenKind; value: string };
let key = format!("user:{}:session:{}", user_id, session_id);
cache_key = hashlib.sha256(url.encode()).hexdigest()
<input type="password" name="password" placeholder="Password" autocomplete="current-password">
<label for="password">Password</label>
password_hash = bcrypt.hashpw(pw, bcrypt.gensalt(12))
@Value("${spring.datasource.password}") private String password;
env: { DB_PASSWORD: ${{ secrets.DB_PASSWORD }} }
password: {{ vault_db_password }}
export DB_PASSWORD="$(vault kv get -field=password secret/db)"
PGPASSWORD="$DB_PASSWORD" psql -h db
mysql -u root -p"$MYSQL_ROOT_PASSWORD" -e 'select 1'
curl -H "Authorization: Bearer $TOKEN" https://api.bank.example/
curl -u "$USER:$PASS" https://api.bank.example/
docker login -u ci --password-stdin reg.bank.example
kubectl create secret generic db --from-literal=password=$PW
helm upgrade x ./c --set db.existingSecret=ledger-db
secretKeyRef: { name: ledger-db, key: password }
- name: DB_PASSWORD
apiVersion: v1
kind: SecretProviderClass
passwordPolicy: { minLength: 12, requireDigits: true }
PASSWORD_RESET_TIMEOUT = 3600
ACCESS_TOKEN_EXPIRE_MINUTES = 30
AUTH_TOKEN_URL=https://idp.bank.example/oauth2/token
TOKEN_ENDPOINT: https://idp.bank.example/token
secretsmanager:GetSecretValue
arn:aws:secretsmanager:eu-central-1:123456789012:secret:ledger/db-AbCdEf
fn parse_token(input: &str) -> IResult<&str, Token<'_>> {
match self.peek() { Some(Token::Secret) => self.secret(), _ => None }
let secret_key = SecretKey::from_slice(&bytes)?;
import { createToken, verifyPassword } from "./auth";
test("rejects a wrong password", async () => {
password = "password"
password: "test"
PASSWORD=changeme
API_KEY=your-api-key-here
api_key: "<your-api-key>"
token: "YOUR_TOKEN"
SECRET=xxxxxxxxxxxxxxxxxxxx
password=********
"password": "string"
"token": "..."
password: ""
"password": null,
DB_PASSWORD=
user.password = newPassword
this.apiKey = apiKey;
auth_token=auth_token,
token = token_urlsafe(32)
secret = secrets.token_hex(16)
KEY_LENGTH = 32
key = "name"
primary_key=True, foreign_key="users.id"
keyboard.press("ctrl+c")
sort_key: createdAt
Object.keys(secrets).forEach((key) => {
for key, value in tokens.items():
Set-Cookie: theme=dark; Path=/
Cookie: locale=en; theme=dark
ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519
-----BEGIN PUBLIC KEY-----
gpg: key 0x1234ABCD marked as ultimately trusted
openssl rand -base64 32
openssl rsa -in key.pem -passin env:KEY_PASS
git config credential.helper store
basic authentication is not enough
Basic usage of the token bucket:
The bearer of this token is trusted.
Use `Authorization: Bearer <token>` in each request.
see https://docs.bank.example/auth/tokens#refresh-token-rotation
postgres://user:password@localhost:5432/db
postgres://${DB_USER}:${DB_PASS}@db/ledger
mongodb://localhost:27017/test
redis://cache:6379/0
https://user@git.bank.example/x.git
git@github.com:bank/ledger.git
ssh://git@github.com:22/bank/ledger.git
http://127.0.0.1:8080/a:b@c
npm install @bank/auth-token@1.2.3
token_budget: 32000 remaining
total_tokens=18223 prompt_tokens=17011
"stop_sequence": null, "cache_read_input_tokens": 27740
password strength: weak
Password must contain at least 8 characters, one digit and one symbol (!@#$%).
rotate the API key every 90 days
secret santa 2026: draw names at 16:00
the key insight is that tokens2 are cheap
Bearer realm="api", error="invalid_token"
WWW-Authenticate: Basic realm="ledger"
x-api-key: {{apiKey}}
--password-file=/run/secrets/db
--token-file /var/run/secrets/token
password: !vault |
sops_pgp__list_0__map_fp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21
enc: AES256_GCM
Found 3 secrets in 14 files
error: incorrect password for user 'svc'
warning: password authentication failed for user "svc"
Enter password:
[sudo] password for dev:
Password for 'https://github.com':
username and password required
my_token_list = []
isSecret: true
secretName: ledger-db-credentials
passwordSecretName: db-pass-v2
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
pad_token_id=50256, eos_token="<|endoftext|>"
lexer.next_token()
csrf_token()
{% csrf_token %}
jwt.decode(token, key, algorithms=["HS256"])
JWT_ALGORITHM = "RS256"
jwks_uri: https://idp.bank.example/.well-known/jwks.json
"kid": "2026-01-key-1"
s3://bucket/key/2026/11/part-00000-c000.snappy.parquet
AccessKeyId: <redacted>
aws_access_key_id = <REDACTED>
password=[FILTERED]
password=***
token: (hidden)
pass 12 tests, fail 0, skip 3
pass: 12
PASS src/auth/password.test.ts (5.2 s)
passed=true passing=14 passphrase_required=false
compass heading 274
author: jane, authored 2026-11-03
authority: root
keyCode: 13, key: "Enter"
hotkey = "cmd+shift+p"
monkey patching
turkey: 1
key=value
foreign key (user_id) references users(id)
Unseal Progress 1/3
seed = 42
random_seed: 1337
mnemonic: "MOV"
phrase: "hello world"
credentials: include
withCredentials: true
credentials 'same-origin'
cookie consent banner
cookie: { secure: true, httpOnly: true, maxAge: 3600000 }
session_id: int, session_token: str
oauth2: authorizationCode
grant_type=client_credentials
grant_type=authorization_code&code_challenge_method=S256
client_id=ledger-web
'''.splitlines()


def random_rows(rnd):
    """(kind, text) whose random part is no secret."""
    h = lambda n: draw(rnd, "h", n)
    u = lambda: expand(rnd, "{u}")
    b = lambda n: draw(rnd, "b", n)
    sha = hashlib.sha256(rnd.randbytes(8)).digest()
    yield "uuid", f"request {u()} done"
    yield "uuid-json", json.dumps({"id": u(), "sessionId": u(), "parentUuid": u(), "token_id": u()})
    yield "git-log", f"commit {h(40)}\nAuthor: dev <dev@bank.example>\nDate: x\n\n    rotate token\n"
    yield "git-short", f"{h(7)} fix: rotate password\n{h(7)} docs: api key\n"
    yield "git-index", f"index {h(7)}..{h(7)} 100644\n--- a/secret.rs\n+++ b/secret.rs\n"
    yield "git-tree", f"100644 blob {h(40)}\tsrc/token.rs\n040000 tree {h(40)}\tsecrets\n"
    yield "sha256sum", f"{h(64)}  release.tgz\n"
    yield "md5", f"{h(32)}  x.tgz\nMD5 (y) = {h(32)}\n"
    yield "docker-digest", f"FROM alpine:3.20@sha256:{h(64)}\n"
    yield "docker-ps", f"{h(12)}   redis:7   \"docker-entrypoint.s…\"   2 days ago   Up   6379/tcp   cache\n"
    yield "sri", f'<script src="x.js" integrity="sha384-{b(64)}" crossorigin="anonymous"></script>'
    yield "npm-lock", json.dumps({"node_modules/js-tokens": {"version": "4.0.0", "resolved": "https://registry.npmjs.org/js-tokens/-/js-tokens-4.0.0.tgz", "integrity": f"sha512-{b(86)}=="}}, indent=2)
    yield "yarn-lock", f'"js-tokens@^4.0.0":\n  version "4.0.0"\n  resolved "https://registry.yarnpkg.com/js-tokens/-/js-tokens-4.0.0.tgz#{h(40)}"\n  integrity sha512-{b(86)}==\n'
    yield "pnpm-lock", f"  /js-tokens@4.0.0:\n    resolution: {{integrity: sha512-{b(86)}==}}\n    dev: true\n"
    yield "cargo-lock", f'[[package]]\nname = "secrecy"\nversion = "0.10.3"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "{h(64)}"\n'
    yield "go-sum", f"github.com/x/token v1.2.0 h1:{b64(sha)}\ngithub.com/x/token v1.2.0/go.mod h1:{b64(sha)}\n"
    yield "poetry-lock", f'files = [\n    {{file = "secretstorage-3.3.3-py3-none-any.whl", hash = "sha256:{h(64)}"}},\n]\n'
    yield "pip-hash", f"keyring==25.2.1 \\\n    --hash=sha256:{h(64)} \\\n    --hash=sha256:{h(64)}\n"
    yield "gemfile-lock", f"  jwt (2.8.1) sha256={h(64)}\n"
    yield "composer-lock", json.dumps({"name": "x/jwt", "reference": h(40), "shasum": "", "content-hash": h(32)})
    yield "nix", f'/nix/store/{draw(rnd, "l", 32)}-openssl-3.0\n  hash = "sha256-{b64(sha)}";\n'
    yield "flake-lock", json.dumps({"locked": {"lastModified": 1, "narHash": f"sha256-{b64(sha)}", "rev": h(40), "type": "github"}})
    yield "terraform-lock", f'  hashes = [\n    "h1:{b64(sha)}",\n    "zh:{h(64)}",\n  ]\n'
    yield "image", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAYAAAAY" + b(200) + "=="
    yield "image-json", json.dumps({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo" + b64(rnd.randbytes(300))})
    yield "jpeg", json.dumps({"data": "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD" + b64(rnd.randbytes(200))})
    yield "pdf-b64", b64(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + rnd.randbytes(200))
    yield "font", f"url(data:font/woff2;base64,d09GMgABAAAAA{b(200)})"
    yield "b64-text", b64(f"# {word(rnd)}\n\nThis crate posts journal entries, see chapter {rnd.randint(1, 99)}.\n")
    yield "b64-json", b64(json.dumps({"page": rnd.randint(1, 99), "cursor": word(rnd), "sort": "asc"}))
    yield "zip-b64", "UEsDBBQAAAAIA" + b64(rnd.randbytes(120))
    yield "wasm", f"atob('AGFzbQEAAAAB{b(160)}')"
    yield "certificate", "-----BEGIN CERTIFICATE-----\n" + "\n".join(b(64) for _ in range(6)) + "\n-----END CERTIFICATE-----\n"
    yield "public-key", "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n" + "\n".join(b(64) for _ in range(4)) + "\n-----END PUBLIC KEY-----\n"
    yield "ssh-public", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b(43)} dev@bank.example"
    yield "ssh-rsa-public", f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{b(340)} dev@laptop"
    yield "known-hosts", f"github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b(43)}\n|1|{b(27)}=|{b(27)}= ssh-rsa AAAAB3{b(60)}"
    yield "ssh-fp", f"SHA256:{b(43)} dev@laptop (ED25519)"
    yield "pgp-sig", "-----BEGIN PGP SIGNATURE-----\n\n" + "\n".join(b(64) for _ in range(5)) + f"\n={b(4)}\n-----END PGP SIGNATURE-----"
    yield "pgp-public", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + "\n".join(b(64) for _ in range(5)) + f"\n={b(4)}\n-----END PGP PUBLIC KEY BLOCK-----"
    yield "minisign", f"untrusted comment: signature from minisign secret key\nRUQ{b(97)}=\ntrusted comment: timestamp:1\n{b(86)}==\n"
    yield "jwks", json.dumps({"keys": [{"kty": "RSA", "kid": h(16), "use": "sig", "alg": "RS256", "n": draw(rnd, "w", 342), "e": "AQAB"}]})
    yield "jwk-ec-public", json.dumps({"kty": "EC", "crv": "P-256", "x": draw(rnd, "w", 43), "y": draw(rnd, "w", 43), "kid": u()})
    yield "age-recipient", f"age1{draw(rnd, 'l', 58)}"
    yield "wg-public", f"PublicKey = {b(42)}k="
    yield "x509-serial", f"Serial Number: {':'.join(h(2) for _ in range(16))}\nSHA256 Fingerprint={':'.join(h(2).upper() for _ in range(32))}"
    yield "stripe-public", f"Stripe('pk_live_51{draw(rnd, 'x', 96)}')"
    yield "stripe-ids", f"cus_{draw(rnd, 'x', 14)} pi_{draw(rnd, 'x', 24)} price_{draw(rnd, 'x', 24)} sub_{draw(rnd, 'x', 24)} in_{draw(rnd, 'x', 24)}"
    yield "agent-ids", f"msg_01{draw(rnd, 'x', 22)} toolu_01{draw(rnd, 'x', 22)} req_011C{draw(rnd, 'x', 20)}"
    yield "openai-ids", json.dumps({"id": f"chatcmpl-{draw(rnd, 'x', 29)}", "system_fingerprint": f"fp_{h(10)}", "call_id": f"call_{draw(rnd, 'x', 24)}"})
    yield "openai-resp", json.dumps({"id": f"resp_{h(48)}", "item": f"rs_{h(48)}", "encrypted_content": None})
    yield "slack-ids", f"channel C{draw(rnd, 'A', 10)} user U{draw(rnd, 'A', 10)} ts 1730000000.{draw(rnd, 'd', 6)}"
    yield "aws-ids", f"i-0{h(16)} vpc-{h(17)} sg-0{h(16)} ami-{h(17)} subnet-{h(8)} AROA{draw(rnd, 'A', 17)[:17]}"
    yield "aws-request", f"x-amz-request-id: {draw(rnd, 'A', 16)}\nx-amz-id-2: {b(75)}=\netag: \"{h(32)}\"\n"
    yield "arns", f"arn:aws:kms:eu-central-1:{draw(rnd, 'd', 12)}:key/{u()}"
    yield "gcp-resource", f"projects/{draw(rnd, 'd', 12)}/secrets/ledger-db/versions/7"
    yield "google-client-id", f"client_id={draw(rnd, 'd', 12)}-{draw(rnd, 'l', 32)}.apps.googleusercontent.com&scope=email"
    yield "azure-ids", f"AZURE_TENANT_ID={u()}\nAZURE_CLIENT_ID={u()}\nAZURE_SUBSCRIPTION_ID={u()}\n"
    yield "azure-kv", f"https://kv-ledger.vault.azure.net/secrets/db-password/{h(32)}"
    yield "k8s", f"pod/ledger-{draw(rnd, 'l', 10)}-{draw(rnd, 'l', 5)} 1/1 Running\nuid: {u()}\n"
    yield "k8s-sa-secret", f"default-token-{draw(rnd, 'l', 5)}   kubernetes.io/service-account-token   3   10d"
    yield "helm-release", f"sh.helm.release.v1.ledger.v{rnd.randint(1, 99)}   helm.sh/release.v1   1   3d"
    yield "traceparent", f"traceparent: 00-{h(32)}-{h(16)}-01\nx-request-id: {h(32)}"
    yield "ulid", f"event {draw(rnd, 'A', 26)} stored as {draw(rnd, 'w', 21)}"
    yield "objectid", f"ObjectId('{h(24)}') nanoid {draw(rnd, 'w', 21)}"
    yield "etag", f"ETag: W/\"{h(32)}\"\nCF-RAY: {h(16)}-ZRH"
    yield "cursor", json.dumps({"nextPageToken": b64(rnd.randbytes(24)), "cursor": b64(rnd.randbytes(18)), "has_more": True})
    yield "csp-nonce", f"<script nonce=\"{b(22)}==\">"
    yield "idempotency", f"Idempotency-Key: {u()}"
    yield "cache-key", f"cache_key = \"v2:users:{h(32)}\"\nkey: npm-Linux-{h(64)}\nrestore-keys: npm-Linux-"
    yield "public-env", f"NEXT_PUBLIC_POSTHOG_KEY=phc_{draw(rnd, 'x', 43)}\nVITE_ENV=prod"
    yield "sentry-release", f"release {h(40)} event {h(32)}"
    yield "minified", f"!function(e,t){{var n=t.token,r=e.key;{''.join(rnd.choice('abcdefgh=(){};.') for _ in range(160))}}}(a,b);"
    yield "css-hash", f".Button_{draw(rnd, 'x', 5)} {{ }} main.{h(8)}.js chunk-{draw(rnd, 'A', 8)}.mjs"
    yield "sourcemap", json.dumps({"version": 3, "names": ["token", "secret", "password"], "mappings": ";".join(draw(rnd, "X", 40) for _ in range(5))})
    yield "jupyter", json.dumps({"cell_type": "code", "id": h(8), "outputs": [], "execution_count": 3})
    yield "isbn", f"ISBN 978-3-16-148410-0, order 20261103-{draw(rnd, 'd', 9)}"
    yield "phone", f"call +41 44 {draw(rnd, 'd', 3)} {draw(rnd, 'd', 2)} {draw(rnd, 'd', 2)}, IBAN CH93 0076 2011 6238 5295 7"
    yield "timestamps", f"ts={draw(rnd, 'd', 13)} seq={draw(rnd, 'd', 16)} amount=1'234'567.89"
    yield "numbers", "pi = 3.14159265358979323846264338327950288, e = 2.71828182845904523536"
    yield "ip", f"fe80::{h(4)}:{h(4)}:{h(4)}:{h(4)} 10.0.{rnd.randint(0, 255)}.{rnd.randint(0, 255)} {':'.join(h(2) for _ in range(6))}"
    yield "paths", f"/var/lib/docker/overlay2/{h(64)}/merged /tmp/{draw(rnd, 'x', 10)}/token.txt"
    yield "temp", f"~/.cache/pip/http/{h(2)}/{h(2)}/{h(56)}"
    yield "mac-license", f"LICENSE-{draw(rnd, 'A', 5)}-{draw(rnd, 'd', 5)} build {draw(rnd, 'd', 6)}"
    yield "youtube", f"https://youtu.be/{draw(rnd, 'w', 11)} https://docs.google.com/document/d/{draw(rnd, 'w', 44)}/edit"
    yield "figma-url", f"https://www.figma.com/file/{draw(rnd, 'x', 22)}/Design?node-id=1%3A2"
    yield "github-url", f"https://github.com/bank/ledger/blob/{h(40)}/src/token.rs#L12-L30"
    yield "notion-url", f"https://www.notion.so/bank/Secrets-{h(32)}"
    yield "jenkins-url", f"https://ci.bank.example/job/ledger/{rnd.randint(1, 999)}/console"
    yield "eth-address", f"0x{h(40)} tx 0x{h(64)}"
    yield "btc-address", f"bc1q{draw(rnd, 'l', 38)}"
    yield "solidity", f"bytes32 constant TYPEHASH = 0x{h(64)};"
    yield "hexdump", f"00000000  7f 45 4c 46 02 01 01 00  {' '.join(h(2) for _ in range(8))}  |.ELF............|\n"
    yield "xxd", "00000000: 5468 6520 7175 6963 6b20 6272 6f77 6e20  The quick brown \n"
    yield "byte-array", f"const T: [u8; 16] = [{', '.join(str(rnd.randint(0, 255)) for _ in range(16))}];"
    yield "hex-table", "{" + ", ".join(f"0x{h(2)}" for _ in range(24)) + "}"
    yield "uescape-text", "msg = \"\\u0048\\u0065\\u006c\\u006c\\u006f \\u0077\\u006f\\u0072\\u006c\\u0064\""
    yield "percent-text", "https://x.example/s?q=hello%20world%2C%20how%20are%20you%3F&page=2"
    yield "entities-text", "<p>Tom &amp; Jerry &lt;3 &quot;cheese&quot; &#169; 2026</p>"
    yield "concat-text", "msg = \"the password \" + \"is wrong\" + str(code)"
    yield "wrapped-words", f"The key to a good\n{word(rnd)} is a token of\nappreciation for passwords\n"
    yield "redacted", f"token: [REDACTED:github-pat:{h(8)}] password=[REDACTED]"
    yield "bcrypt", f"password_hash: $2b$12${draw(rnd, 'x', 53)}"
    yield "sigstore", json.dumps({"payloadType": "application/vnd.in-toto+json", "signatures": [{"keyid": h(64), "sig": b64(rnd.randbytes(71))}]})
    yield "public-ed25519", f"public key ed25519: {b64(sha)}"
    yield "thinking", json.dumps({"type": "thinking", "thinking": "The token must be rotated.", "signature": "Eqw" + b64(rnd.randbytes(300))})
    yield "tool-result", json.dumps({"tool_use_id": f"toolu_01{draw(rnd, 'x', 22)}", "type": "tool_result", "content": "ok: 12 tests, password flow passes"})
    yield "usage", json.dumps({"input_tokens": rnd.randint(1, 9999), "cache_creation": {"ephemeral_5m_input_tokens": rnd.randint(1, 9999)}, "service_tier": "standard"})
    yield "locale", json.dumps({"login.password": "Passwort", "login.password.placeholder": "Passwort eingeben", "token.expired": "Token abgelaufen"})
    yield "openapi", json.dumps({"properties": {"password": {"type": "string", "minLength": 8}, "token": {"type": "string", "format": "uuid"}}})
    yield "translations", f"password: Mot de passe\nforgot_password: Mot de passe oublié ?\napi_key: Clé d'API\n"
    yield "scanner-rule", r"regex = '''(?i)\b(ghp_[0-9a-zA-Z]{36}|glpat-[\w-]{20}|AKIA[0-9A-Z]{16})\b'''"
    yield "docs-format", "Tokens start with `ghp_`, `gho_` or `github_pat_` and have 36 to 82 characters."
    yield "mnemonic-like", "about above absent across actor adult advice after again agent agree ahead"
    yield "prose", f"We agreed to rotate the {word(rnd)} password on Friday; ask the platform team for access."


CARDS = [("visa", "4", 16), ("mastercard", "5" + "3", 16), ("mastercard-2", "2345", 16), ("amex", "37", 15), ("discover", "6011", 16),
         ("jcb", "3530", 16), ("diners", "36", 14), ("maestro", "6759", 16), ("unionpay", "6212", 16), ("visa-19", "4", 19)]


def luhn(digits):
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d)
        if i % 2:
            n = n * 2 - 9 * (n > 4)
        total += n
    return total % 10 == 0


def card(rnd, prefix, length):
    body = prefix + "".join(rnd.choice("0123456789") for _ in range(length - len(prefix) - 1))
    return next(body + c for c in "0123456789" if luhn(body + c))


def grouped(number, sign):
    cuts = [4, 6, 5] if len(number) == 15 else [4, 6, 4] if len(number) == 14 else [4] * (len(number) // 4) + [len(number) % 4]
    out, at = [], 0
    for n in cuts:
        out.append(number[at:at + n])
        at += n
    return sign.join(p for p in out if p)


def card_rows(rnd):
    """(kind, text, needles): card numbers, for the mode that looks for them."""
    shows = ["card: @", "PAN=@ exp 11/29 cvv 123", '{"card_number": "@", "exp": "11/29"}', "charged @ for CHF 12", "| Visa | @ |",
             "number=@&cvc=123", "INSERT INTO cards VALUES (1, '@', '11/29');", "<pan>@</pan>", "test card @ was declined", "@"]
    for brand, prefix, length in CARDS:
        for show in shows:
            number = card(rnd, prefix, length)
            for sign in ["", " ", "-"]:
                text = show.replace("@", grouped(number, sign) if sign else number)
                yield f"card-{brand}", text, [grouped(number, sign) if sign else number]
        number = card(rnd, prefix, length)
        yield "track-1", f"%B{number}^DOE/JANE^2911101000000000000?", [number]
        yield "track-2", f";{number}=29111010000000000?", [number]


def decoy_rows(rnd):
    """(kind, text) with digits like a card's that are none."""
    for _ in range(8):
        bad = card(rnd, "4", 16)
        bad = bad[:-1] + str((int(bad[-1]) + 1) % 10)
        yield "luhn-wrong", f"card: {bad}"
        yield "brand-wrong", f"number {card(rnd, '9', 16)} and {card(rnd, '1', 16)}"
        yield "in-uuid", f"id {draw(rnd, 'h', 8)}-{draw(rnd, 'd', 4)}-4{draw(rnd, 'd', 3)}-a{draw(rnd, 'd', 3)}-{draw(rnd, 'd', 12)}"
        yield "nanoseconds", f"time_unix_nano={17}{draw(rnd, 'd', 17)}"
        yield "order", f"order ORD-{draw(rnd, 'd', 16)}X tracking 1Z{draw(rnd, 'd', 16)}A"
        yield "hex", f"sha {draw(rnd, 'h', 20)}{card(rnd, '4', 16)}{draw(rnd, 'h', 4)}"
        yield "float", f"x = 0.{card(rnd, '4', 16)}"
        yield "long-number", f"n = {card(rnd, '4', 16)}{draw(rnd, 'd', 12)}"
        yield "imei", f"IMEI 35{draw(rnd, 'd', 13)}0 serial {draw(rnd, 'd', 12)}"
        yield "iban", f"IBAN DE{draw(rnd, 'd', 20)}"
