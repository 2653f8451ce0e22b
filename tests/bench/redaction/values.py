"""Secrets drawn from templates, and those that take more than one line. Seeded; none opens anything."""
import base64
import hashlib
import hmac
import os

ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SETS = {
    "h": "0123456789abcdef", "H": "0123456789ABCDEF", "d": "123456789", "x": ALNUM, "w": ALNUM + "_-",
    "b": ALNUM + "+/", "l": "abcdefghijklmnopqrstuvwxyz0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "X": ALNUM[10:], "q": ALNUM[36:] + "0123456789!@#$%^&*(-_=+)",
}
WORDS = """granite falcon harbour winter ledger copper meadow saddle thunder velvet cobalt anchor juniper lantern
    marble orchid pepper quartz raven summit timber umbra violet willow zephyr""".split()


def word(rnd):
    return rnd.choice(WORDS)


def password(rnd):
    a, b, n, s = word(rnd), word(rnd), rnd.randint(10, 9999), rnd.choice("!#@_-*+")
    return rnd.choice([f"{a.title()}{s}{b}{n}", f"{a}{n}{s}{b.title()}", f"{a.title()}{rnd.randint(1990, 2029)}{s}",
                       draw(rnd, "x", 14) + s + draw(rnd, "x", 3), f"{a[:4].title()}{n}{s}{b}"])


def draw(rnd, kind, count):
    while True:
        text = "".join(rnd.choice(SETS[kind]) for _ in range(count))
        # What a machine draws has both, and neither ends in what would be cut off a sentence.
        mixed = count < 12 or kind in "dXAH" or (any(c.isdigit() for c in text) and any(c.isalpha() for c in text))
        if mixed and (kind not in "wq" or (text[0].isalnum() and text[-1].isalnum())):
            return text


def expand(rnd, template):
    """`{x36}` is 36 letters and digits, `{u}` a uuid, `{p}` a person's password, `{W}` one of several words."""
    out, rest = "", template
    while "{" in rest:
        before, _, rest = rest.partition("{")
        spec, _, rest = rest.partition("}")
        out += before
        if spec == "u":
            h = draw(rnd, "h", 32)
            out += f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"
        elif spec == "p":
            out += password(rnd)
        elif spec == "W":
            out += "-".join(word(rnd) for _ in range(3)) + str(rnd.randint(10, 99))
        elif spec[:1] in SETS and spec[1:].isdigit():
            out += draw(rnd, spec[0], int(spec[1:]))
        else:
            out += "{" + spec + "}"
    return out + rest


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def armour(rnd, label, size=800, width=64, headers=""):
    body = b64(rnd.randbytes(size))
    lines = [body[i:i + width] for i in range(0, len(body), width)]
    return f"-----BEGIN {label}-----\n{headers}" + "\n".join(lines) + f"\n-----END {label}-----", lines


def mnemonic(rnd, count):
    """A phrase of BIP39 with its checksum; the word list stands in the source tree."""
    path = os.path.join(os.path.dirname(__file__), "../../../src/redaction/bip39.txt")
    words = open(path).read().split()
    entropy = rnd.randbytes(count * 4 // 3)
    bits = "".join(f"{b:08b}" for b in entropy) + f"{hashlib.sha256(entropy).digest()[0]:08b}"[:count // 3]
    return " ".join(words[int(bits[i:i + 11], 2)] for i in range(0, len(bits), 11))


def blocks(rnd):
    """(kind, text, needles): secrets with a form of several lines or parts of their own."""
    pw, tok = password(rnd), draw(rnd, "x", 36)
    user, host = "ci-robot", "db.bank.example"
    pem = {k: armour(rnd, l, n, 64, h) for k, l, n, h in [
        ("pem-rsa", "RSA PRIVATE KEY", 1190, ""), ("pem-pkcs8", "PRIVATE KEY", 630, ""), ("pem-ec", "EC PRIVATE KEY", 121, ""),
        ("pem-dsa", "DSA PRIVATE KEY", 440, ""), ("pem-enc", "ENCRYPTED PRIVATE KEY", 700, ""),
        ("pem-ed25519", "PRIVATE KEY", 48, ""),
        ("pem-legacy-enc", "RSA PRIVATE KEY", 600, "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,4D0DD8D4C65C6A4F\n\n"),
        ("pgp-private", "PGP PRIVATE KEY BLOCK", 900, "Version: GnuPG v2\n\n")]}
    rows = [(k, t, lines[:-1] or lines) for k, (t, lines) in pem.items()]
    ssh, lines = armour(rnd, "OPENSSH PRIVATE KEY", 380, 70)
    rows.append(("openssh", ssh, lines[:-1]))
    body = b64(rnd.randbytes(500))
    parts = [body[i:i + 70] for i in range(0, len(body), 70)]
    ssh2 = "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"rsa-key\"\n" + "\n".join(parts) + "\n---- END SSH2 ENCRYPTED PRIVATE KEY ----"
    rows.append(("ssh2", ssh2, parts[:-1]))
    parts = [b64(rnd.randbytes(48)) for _ in range(8)]
    ppk = "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: x\nPublic-Lines: 1\nAAAAB3NzaC1yc2EAAAADAQABAAABAQ\nPrivate-Lines: 8\n" + "\n".join(parts) + "\nPrivate-MAC: " + draw(rnd, "h", 64)
    rows.append(("putty", ppk, parts))
    d = draw(rnd, "w", 43)
    rows.append(("jwk-ec", '{"kty":"EC","crv":"P-256","x":"%s","y":"%s","d":"%s"}' % (draw(rnd, "w", 43), draw(rnd, "w", 43), d), [d]))
    d = draw(rnd, "w", 342)
    p = draw(rnd, "w", 171)
    rows.append(("jwk-rsa", '{"kty": "RSA", "n": "%s", "e": "AQAB", "d": "%s", "p": "%s"}' % (draw(rnd, "w", 342), d, p), [d, p]))
    d = draw(rnd, "w", 43)
    rows.append(("jwk-oct", '{"keys":[{"kty":"oct","kid":"1","k":"%s","alg":"HS256"}]}' % d, [d]))
    sa = pem["pem-pkcs8"]
    rows.append(("gcp-service-account", '{\n  "type": "service_account",\n  "private_key_id": "%s",\n  "private_key": %s,\n  "client_email": "x@y.iam.gserviceaccount.com"\n}' % (
        draw(rnd, "h", 40), '"' + sa[0].replace("\n", "\\n") + '\\n"'), sa[1][:-1]))
    aws = draw(rnd, "b", 40)
    kid = "AKIA" + draw(rnd, "A", 16)
    rows += [
        ("aws-credentials", f"[default]\naws_access_key_id = {kid}\naws_secret_access_key = {aws}\n", [kid[4:], aws]),
        ("netrc", f"machine {host}\n  login {user}\n  password {pw}\n", [pw]),
        ("netrc-line", f"machine {host} login {user} password {pw}", [pw]),
        ("pgpass", f"{host}:5432:ledger:svc:{pw}", [pw]),
        ("pgpass-star", f"*:*:*:postgres:{tok}", [tok]),
        ("npmrc", f"@bank:registry=https://npm.bank.example/\n//npm.bank.example/:_authToken={tok}\n", [tok]),
        ("npmrc-auth", f"_auth={b64(user + ':' + pw)}\nemail=ci@bank.example\n", [b64(user + ':' + pw).rstrip('=')]),
        ("npmrc-password", f"//npm.bank.example/:username=ci\n//npm.bank.example/:_password={b64(pw)}", [b64(pw).rstrip("=")]),
        ("yarnrc", f"npmRegistries:\n  \"//npm.bank.example\":\n    npmAuthToken: {tok}\n", [tok]),
        ("pypirc", f"[distutils]\nindex-servers = corp\n[corp]\nrepository = https://pypi.bank.example\nusername = ci\npassword = {pw}\n", [pw]),
        ("pip-index", f"[global]\nindex-url = https://ci:{tok}@pypi.bank.example/simple\n", [tok]),
        ("dockercfg", '{"auths": {"reg.bank.example": {"auth": "%s"}}}' % b64(f"ci:{pw}"), [b64(f"ci:{pw}").rstrip("=")]),
        ("docker-identity", '{"auths":{"reg.bank.example":{"identitytoken":"%s"}}}' % tok, [tok]),
        ("git-credentials", f"https://{user}:{tok}@github.com\n", [tok]),
        ("mycnf", f"[client]\nuser=root\npassword={pw}\nhost=db\n", [pw]),
        ("htpasswd", f"ci-robot:$apr1${draw(rnd, 'x', 8)}${draw(rnd, 'x', 22)}", []),
        ("kubeconfig-token", f"users:\n- name: admin\n  user:\n    token: {draw(rnd, 'w', 64)}\n", None),
        ("kubeconfig-key", f"users:\n- name: admin\n  user:\n    client-key-data: {b64(pem['pem-rsa'][0])}\n", [b64(pem['pem-rsa'][0])[40:400]]),
        ("maven-settings", f"<server>\n  <id>nexus</id>\n  <username>ci</username>\n  <password>{pw}</password>\n</server>", [pw]),
        ("nuget-config", f'<packageSourceCredentials><corp><add key="Username" value="ci" /><add key="ClearTextPassword" value="{pw}" /></corp></packageSourceCredentials>', [pw]),
        ("gradle-properties", f"nexusUsername=ci\nnexusPassword={pw}\nsigning.secretKeyRingFile=x\n", [pw]),
        ("rclone", f"[s3]\ntype = s3\naccess_key_id = {kid}\nsecret_access_key = {aws}\n", [aws]),
        ("s3cfg", f"[default]\naccess_key = {kid}\nsecret_key = {aws}\n", [aws]),
        ("boto", f"[Credentials]\ngs_secret_access_key = {aws}\n", [aws]),
        ("ansible-vars", f"ansible_user: deploy\nansible_become_pass: {pw}\n", [pw]),
        ("ansible-ssh-pass", f"web1 ansible_host=10.0.0.1 ansible_user=root ansible_ssh_pass={pw}", [pw]),
        ("wpconfig", f"define('DB_USER', 'wp');\ndefine('DB_PASSWORD', '{pw}');\n", [pw]),
        ("wp-salt", f"define( 'AUTH_KEY', '{draw(rnd, 'q', 64)}' );", None),
        ("phpmyadmin", f"$cfg['Servers'][$i]['password'] = '{pw}';", [pw]),
        ("tomcat-users", f'<user username="admin" password="{pw}" roles="manager-gui"/>', [pw]),
        ("wireguard-conf", f"[Interface]\nPrivateKey = {draw(rnd, 'b', 42)}k=\nAddress = 10.0.0.2/32\n[Peer]\nPresharedKey = {draw(rnd, 'b', 42)}E=\n", None),
        ("openvpn-auth", f"<auth-user-pass>\nci-robot\n{pw}\n</auth-user-pass>", [pw]),
        ("wpa", f'network={{\n  ssid="office"\n  psk="{pw}"\n}}', [pw]),
        ("vault-init", f"Unseal Key 1: {draw(rnd, 'b', 43)}=\nUnseal Key 2: {draw(rnd, 'b', 43)}=\n\nInitial Root Token: hvs.{draw(rnd, 'x', 24)}\n", None),
        ("aws-sts-json", '{"Credentials": {"AccessKeyId": "%s", "SecretAccessKey": "%s", "SessionToken": "%s"}}' % ("ASIA" + kid[4:], aws, draw(rnd, "b", 300)), [aws]),
        ("aws-access-key-json", '{"AccessKey": {"UserName": "ci", "AccessKeyId": "%s", "Status": "Active", "SecretAccessKey": "%s"}}' % (kid, aws), [aws]),
        ("aws-env-pair", f"aws configure set aws_secret_access_key {aws}", [aws]),
        ("az-sp", '{"appId": "%s", "displayName": "sp", "password": "%s8Q~%s", "tenant": "%s"}' % (expand(rnd, "{u}"), draw(rnd, "x", 3), draw(rnd, "w", 34), expand(rnd, "{u}")), None),
        ("az-login", f"az login --service-principal -u 1144127e-73b0-45b6-ba37-dd80bb077862 -p {draw(rnd, 'x', 34)} --tenant x", None),
        ("oauth-response", '{"access_token": "%s", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "%s"}' % (draw(rnd, "w", 43), draw(rnd, "w", 43)), None),
        ("curl-user", f"curl -sS -u {user}:{pw} https://api.bank.example/x", [pw]),
        ("curl-user-q", f"curl -X POST --user '{user}:{pw}' https://api.bank.example/x", [pw]),
        ("curl-header", f"curl -H 'X-Api-Key: {tok}' https://api.bank.example/", [tok]),
        ("curl-bearer", f'curl -H "Authorization: Bearer {tok}" https://api.bank.example/', [tok]),
        ("curl-basic", f"> Authorization: Basic {b64(user + ':' + pw)}\n> Accept: */*", [b64(user + ':' + pw).rstrip('=')]),
        ("curl-data", f"curl -d 'grant_type=password&username=ci&password={tok}' https://idp.bank.example/token", [tok]),
        ("curl-cookie", f"curl -b 'session={draw(rnd, 'h', 64)}; theme=dark' https://bank.example/", None),
        ("wget-pass", f"wget --user=ci --password={pw} https://x.bank.example/a.tgz", [pw]),
        ("httpie", f"http -a {user}:{pw} GET https://api.bank.example/x", [pw]),
        ("mysql-p", f"mysql -h db -u root -p{pw} ledger -e 'select 1'", [pw]),
        ("mysqldump", f"mysqldump --user=root --password={pw} ledger > x.sql", [pw]),
        ("pgpassword", f"PGPASSWORD={pw} psql -h db -U svc ledger -c 'select 1'", [pw]),
        ("pg-q", f"PGPASSWORD='{pw}' pg_dump -h db ledger", [pw]),
        ("sshpass", f"sshpass -p {pw} ssh root@10.0.0.1 uptime", [pw]),
        ("sshpass-attached", f"sshpass -p'{pw}' scp x root@10.0.0.1:/tmp", [pw]),
        ("docker-login", f"docker login reg.bank.example -u ci -p {pw}", [pw]),
        ("docker-stdin", f"echo {tok} | docker login ghcr.io -u ci --password-stdin", [tok]),
        ("helm-set", f"helm upgrade ledger ./c --set db.password={pw},replicas=2", [pw]),
        ("helm-set-string", f"helm install x ./c --set-string auth.apiKey={tok}", [tok]),
        ("kubectl-literal", f"kubectl create secret generic db --from-literal=username=svc --from-literal=password={pw}", [pw]),
        ("kubectl-docker", f"kubectl create secret docker-registry r --docker-server=x --docker-username=ci --docker-password={pw}", [pw]),
        ("openssl-pass", f"openssl pkcs12 -export -in c.pem -passout pass:{pw} -out c.p12", [pw]),
        ("openssl-k", f"openssl enc -aes-256-cbc -k {pw} -in a -out b", [pw]),
        ("gpg-passphrase", f"gpg --batch --passphrase {pw} -d x.gpg", [pw]),
        ("keytool", f"keytool -importkeystore -srckeystore a.jks -srcstorepass {pw} -destkeystore b", [pw]),
        ("redis-a", f"redis-cli -h cache -p 6379 -a {pw} PING", [pw]),
        ("redis-auth", f"cache:6379> AUTH default {tok}\nOK", [tok]),
        ("redis-requirepass", f"requirepass {pw}\nmaxmemory 1gb", [pw]),
        ("ldapsearch", f"ldapsearch -x -H ldap://l -D cn=svc,dc=bank -w {pw} -b dc=bank", [pw]),
        ("smbclient", f"smbclient //srv/share -U svc%{pw} -c ls", [pw]),
        ("net-use", f"net use Z: \\\\srv\\share /user:BANK\\svc {pw}", [pw]),
        ("mount-cifs", f"mount -t cifs //srv/x /mnt -o username=svc,password={pw},vers=3.0", [pw]),
        ("mongosh", f"mongosh --host db -u root -p {pw} --authenticationDatabase admin", [pw]),
        ("sqlcmd", f"sqlcmd -S db -U sa -P {pw} -Q 'select 1'", [pw]),
        ("sqlplus", f"sqlplus scott/{tok}@//db:1521/x", [tok]),
        ("ftp-url", f"lftp -u ci,{pw} sftp://files.bank.example", [pw]),
        ("zip-p", f"zip -P {pw} -r x.zip conf", [pw]),
        ("sevenz-p", f"7z a -p{pw} x.7z conf", [pw]),
        ("chpasswd", f"echo 'root:{pw}' | chpasswd", [pw]),
        ("useradd", f"net user svc {pw} /add", [pw]),
        ("gcloud-secret", f"echo -n {tok} | gcloud secrets create api --data-file=-", []),
        ("aws-ssm", f"aws ssm put-parameter --name /db/password --type SecureString --value {pw}", [pw]),
        ("aws-secretsmanager", f"aws secretsmanager create-secret --name db --secret-string '{{\"username\":\"svc\",\"password\":\"{pw}\"}}'", [pw]),
        ("vault-kv", f"vault kv put secret/db password={pw} user=svc", [pw]),
        ("vault-login", f"vault login {('s.' + draw(rnd, 'x', 24))}", None),
        ("gh-secret", f"gh secret set DEPLOY_TOKEN --body {tok}", [tok]),
        ("fly-secrets", f"fly secrets set SESSION_SECRET={tok}", [tok]),
        ("heroku-config", f"heroku config:set API_SECRET={tok} -a shop", [tok]),
        ("wrangler", f"echo {tok} | wrangler secret put API_TOKEN", [tok]),
        ("twine", f"twine upload -u __token__ -p pypi-AgEIcHlwaS5vcmc{draw(rnd, 'w', 140)} dist/*", None),
        ("npm-set", f"npm config set //registry.npmjs.org/:_authToken={tok}", [tok]),
        ("git-remote", f"git remote set-url origin https://x-access-token:{tok}@github.com/a/b.git", [tok]),
        ("git-extraheader", f"git -c http.extraheader='AUTHORIZATION: basic {b64('x-access-token:' + tok)}' fetch", [b64('x-access-token:' + tok).rstrip('=')]),
        ("sql-identified", f"CREATE USER 'svc'@'%' IDENTIFIED BY '{pw}';", [pw]),
        ("sql-role", f"ALTER ROLE svc WITH LOGIN PASSWORD '{pw}';", [pw]),
        ("sql-mssql", f"CREATE LOGIN svc WITH PASSWORD = '{pw}', CHECK_POLICY = ON;", [pw]),
        ("mongo-createuser", f'db.createUser({{user: "svc", pwd: "{pw}", roles: []}})', [pw]),
        ("cookie-header", f"Cookie: locale=en; PHPSESSID={draw(rnd, 'l', 26)}; theme=dark", None),
        ("set-cookie", f"Set-Cookie: connect.sid=s%3A{draw(rnd, 'w', 32)}.{draw(rnd, 'x', 43)}; Path=/; HttpOnly", None),
        ("header-apikey", f"apikey: {tok}\nAccept: application/json", [tok]),
        ("header-private-token", f"PRIVATE-TOKEN: {draw(rnd, 'w', 20)}", None),
        ("header-vault", f"X-Vault-Token: {draw(rnd, 'x', 26)}", None),
        ("header-xauth", f"X-Auth-Token: {draw(rnd, 'h', 32)}", None),
        ("aws-sigv4-token", f"X-Amz-Security-Token: IQoJb3JpZ2luX2VjE{draw(rnd, 'b', 200)}", None),
        ("s3-presigned", f"https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA{draw(rnd, 'A', 16)}%2F20260101&X-Amz-Signature={draw(rnd, 'h', 64)}", None),
        ("gcs-signed", f"https://storage.googleapis.com/b/k?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Signature={draw(rnd, 'h', 512)}", None),
        ("azure-sas", f"https://x.blob.core.windows.net/c?sv=2024-11-04&sp=rl&sig={draw(rnd, 'x', 40)}%2Fa%3D", None),
        ("azure-logicapp", f"https://prod-01.westeurope.logic.azure.com/workflows/{draw(rnd, 'h', 32)}/triggers/manual/paths/invoke?sv=1.0&sig={draw(rnd, 'w', 43)}", None),
        ("gchat-webhook", f"https://chat.googleapis.com/v1/spaces/{draw(rnd, 'x', 11)}/messages?key=AIza{draw(rnd, 'w', 35)}&token={draw(rnd, 'w', 43)}", None),
        ("zapier", f"https://hooks.zapier.com/hooks/catch/{draw(rnd, 'd', 8)}/{draw(rnd, 'l', 14)}/", None),
        ("ifttt", f"https://maker.ifttt.com/trigger/deploy/with/key/{draw(rnd, 'w', 43)}", None),
        ("mnemonic-12", mnemonic(rnd, 12), None),
        ("mnemonic-24", "wallet backup:\n" + mnemonic(rnd, 24), [mnemonic(rnd, 24)] and None),
        ("mnemonic-named", f"MNEMONIC=\"{mnemonic(rnd, 12)}\"", None),
        ("eth-key", f"PRIVATE_KEY=0x{draw(rnd, 'h', 64)}", None),
        ("btc-wif", f"wallet key L{draw(rnd, 'x', 51).replace('0', '1').replace('O', 'P').replace('I', 'J').replace('l', 'm')}", []),
        ("xprv", f"xprv9s21ZrQH143K{draw(rnd, 'x', 96).replace('0', '1').replace('O', 'P').replace('I', 'J').replace('l', 'm')}", None),
        ("saml-oauth-code", f"https://app.bank.example/cb?code={draw(rnd, 'w', 40)}&client_secret={draw(rnd, 'x', 40)}", None),
        ("basic-auth-code", f"requests.get(url, auth=('{user}', '{pw}'))", [pw]),
        ("smtp-login", f"server.login('mailer@bank.example', '{pw}')", [pw]),
        ("paramiko", f"client.connect('10.0.0.1', username='root', password='{pw}')", [pw]),
        ("jdbc-code", f'DriverManager.getConnection("jdbc:mysql://db/x", "root", "{pw}")', [pw]),
        ("pymysql", f"pymysql.connect(host='db', user='root', passwd='{pw}', db='x')", [pw]),
        ("s3-client", f'boto3.client("s3", aws_access_key_id="{kid}", aws_secret_access_key="{aws}")', [aws]),
        ("stripe-code", f'stripe.api_key = "sk_live_{draw(rnd, "x", 24)}"', None),
        ("terraform-provider", f'provider "aws" {{\n  access_key = "{kid}"\n  secret_key = "{aws}"\n}}', [aws]),
        ("cloudformation", f"Parameters:\n  - ParameterKey: DbPassword\n    ParameterValue: {pw}\n", [pw]),
        ("ecs-env", '{"name": "DB_PASSWORD", "value": "%s"}' % pw, [pw]),
        ("k8s-env", f"env:\n- name: DB_PASSWORD\n  value: {pw}\n- name: X\n  value: y\n", [pw]),
        ("k8s-stringdata", f"kind: Secret\nstringData:\n  password: {pw}\n", [pw]),
        ("k8s-data-short", f"kind: Secret\ndata:\n  password: {b64(pw)}\n  username: {b64('svc')}\n", [b64(pw).rstrip('=')]),
        ("k8s-block", f"kind: Secret\nstringData:\n  config.yaml: |\n    db:\n      password: {pw}\n      host: db\n", [pw]),
        ("k8s-block-token", f"stringData:\n  token: >-\n    {tok}\n", [tok]),
        ("compose", f"services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: {pw}\n      POSTGRES_USER: svc\n", [pw]),
        ("compose-list", f"    environment:\n      - POSTGRES_PASSWORD={pw}\n      - TZ=UTC\n", [pw]),
        ("dockerfile-env", f"FROM alpine\nENV API_TOKEN={tok}\nRUN x", [tok]),
        ("dockerfile-arg", f"ARG NPM_TOKEN={tok}", [tok]),
        ("docker-run-e", f"docker run -d -e POSTGRES_PASSWORD={pw} -p 5432:5432 postgres", [pw]),
        ("gha-yaml", f"      - run: ./deploy\n        env:\n          DEPLOY_TOKEN: {tok}\n", [tok]),
        ("systemd", f"[Service]\nEnvironment=\"DB_PASSWORD={pw}\"\nExecStart=/x\n", [pw]),
        ("launchd", f"<key>API_TOKEN</key>\n<string>{tok}</string>", [tok]),
        ("android-strings", f'<string name="api_key">{tok}</string>', [tok]),
        ("toml", f"[database]\nurl = \"x\"\npassword = \"{pw}\"\n", [pw]),
        ("properties-colon", f"db.password: {pw}\ndb.user: x\n", [pw]),
        ("lua", f'local cfg = {{ user = "x", password = "{pw}" }}', [pw]),
        ("ruby-hash", f"config = {{ :user => 'x', :password => '{pw}' }}", [pw]),
        ("go-struct", f'cfg := Config{{User: "x", Password: "{pw}"}}', [pw]),
        ("rust-field", f'Config {{ user: "x".into(), password: "{pw}".to_string() }}', [pw]),
        ("java-setter", f'ds.setPassword("{pw}");', [pw]),
        ("csharp", f'var c = new NetworkCredential("svc", "{pw}");', [pw]),
        ("powershell-secure", f'$p = ConvertTo-SecureString "{pw}" -AsPlainText -Force', [pw]),
        ("expect", f'expect "assword:"\nsend "{pw}\\r"', [pw]),
        ("prose-password", f"The admin password is {pw}, please rotate it.", [pw]),
        ("prose-login", f"login: admin / password: {pw}", [pw]),
        ("prose-quoted", f"I set the db password to `{pw}` for now", [pw]),
        ("prose-colon-nl", f"Here is the password:\n\n{pw}\n\nthanks", [pw]),
        ("prose-key", f"use this API key: {tok}", [tok]),
        ("prose-token", f"my token is {tok} and it works", [tok]),
        ("shadow", f"root:$6${draw(rnd, 'x', 16)}${draw(rnd, 'x', 86)}:19700:0:99999:7:::", []),
        ("csv-creds", f"username,password,host\nsvc,{pw},db\n", [pw]),
        ("url-query-token", f"GET /ws?access_token={tok}&v=2 HTTP/1.1", [tok]),
        ("url-fragment", f"https://app.bank.example/#access_token={tok}&token_type=bearer", [tok]),
        ("magic-link", f"https://app.bank.example/reset?token={tok}", [tok]),
        ("basic-url-enc", f"https%3A%2F%2Fci%3A{tok}%40git.bank.example%2Fx.git", [tok]),
    ]
    out = []
    for kind, text, needles in rows:
        if needles is None:
            # The longest random run of the text is the secret.
            import re
            runs = sorted(re.findall(r"[A-Za-z0-9+/_~-]{16,}", text.split("hooks/")[-1].split("messages?")[-1].split("/key/")[-1].split(" -p ")[-1].split("sig=")[-1]), key=len)
            needles = [runs[-1][4:]] if runs and " " not in kind and not kind.startswith("mnemonic") else [text[-40:]]
        if needles:
            out.append((kind, text, needles))
    return out
