//! Secrets in files, protocols, links and calls of a known layout.

use crate::redaction::rule::{Check, Rule};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::context("session-cookie", &["\tTRUE\t", "\tFALSE\t"], r"\t(?:TRUE|FALSE)\t\d{1,12}\t[^\t\n]{1,128}\t([^\s]{12,})", Check::Random)
        .from("curl(1), wget(1): cookie files of Netscape's layout")
        .yes(&[".github.com\tTRUE\t/\tTRUE\t1900000000\tuser_session\t{w48}"])
        .no(&["a\tTRUE\t/\tTRUE\t0\tlang\tde-DE"]),
    Rule::context("presigned-url", &["&Signature=", "?Signature="], r"[?&]Signature=([A-Za-z0-9%_~/+=-]{27,})", Check::Random)
        .from("Amazon CloudFront and S3 (version 2): signed URLs")
        .yes(&["https://d1.cloudfront.net/x?Expires=1700000000&Signature={w200}&Key-Pair-Id=K1", "?AWSAccessKeyId=x&Expires=1&Signature={x27}%3D"])
        .no(&["?Signature=none"]),
    Rule::context("request-signature", &["AWS4-HMAC-SHA256"], r"AWS4-HMAC-SHA256[^\n]{0,400}?Signature=([a-f0-9]{64})", Check::Real)
        .from("AWS: signature version 4 in a header")
        .yes(&["Authorization: AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date, Signature={h64}"])
        .no(&["AWS4-HMAC-SHA256 Signature="]),
    Rule::context("saml-response", &["SAMLResponse", "SAMLRequest"], r"SAML(?:Response|Request)\\*['\x22]?(?:[=:]|\s+value=)\s*\\*['\x22]?([A-Za-z0-9+/=%_-]{80,})", Check::Real)
        .from("SAML 2.0 bindings")
        .yes(&["SAMLResponse=PHNhbWxwOlJlc3BvbnNl{x100}%3D", "<input name=\"SAMLResponse\" value=\"PHNh{x100}==\"/>"])
        .no(&["SAMLResponse is posted", "SAMLResponse=x"]),
    Rule::form("keytab", &["BQIAAA"], r"BQIAAA[A-Za-z0-9+/]{40,}={0,2}")
        .from("MIT Kerberos: keytabs begin with 05 02 and the length of an entry")
        .yes(&["krb5.keytab: BQIAAABK{x100}"])
        .no(&["BQIAAA"]),
    Rule::context("wallet-key", &["keypair", "ecretKey", "ecret_key", "Uint8Array"], r"(?:[kK]eypair|ecret_?[kK]ey|Uint8Array)[^\n\[]{0,80}\n?\s*\[\s*((?:\d{1,3}\s*,\s*){63}\d{1,3})\s*\]", Check::Real)
        .from("Solana: key pairs as a list of 64 bytes")
        .yes(&["Keypair.fromSecretKey(Uint8Array.from([161,92,64,165,105,57,150,200,39,98,5,141,196,157,93,217,135,220,66,87,253,76,121,49,245,90,19,16,105,156,17,53,244,157,197,25,110,10,103,163,132,238,28,51,103,75,36,8,73,47,47,26,131,202,174,3,1,12,65,78,92,103,4,88]))"])
        .no(&["new Uint8Array([1,2,3])"]),
    Rule::context("password-hash", &["$argon2", "pbkdf2_sha", "pbkdf2:sha", "scrypt:32768:", "grub.pbkdf2.", "{SSHA", "{PBKDF2"], r"(?:\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{8,}\$[A-Za-z0-9+/]{20,}|pbkdf2_sha(?:1|256|512)\$\d+\$[A-Za-z0-9+/=.]{6,}\$[A-Za-z0-9+/=.]{20,}|pbkdf2:sha(?:1|256|512):\d+\$[A-Za-z0-9]{6,}\$[a-f0-9]{40,}|scrypt:32768:8:1\$[A-Za-z0-9]{6,}\$[a-f0-9]{64,}|grub\.pbkdf2\.sha512\.\d+\.[A-F0-9]{32,}\.[A-F0-9]{64,}|\{SSHA(?:256|512)?\}[A-Za-z0-9+/]{24,}={0,2})", Check::Real)
        .from("PHC string format, Django, Werkzeug, GRUB, OpenLDAP: hashes that can be tried offline")
        .yes(&["hash=$argon2id$v=19$m=65536,t=3,p=4${x22}${x43}", "admin | pbkdf2_sha256$600000${x22}${x43}=", "userPassword: {SSHA}{x32}"])
        .no(&["$argon2id$v=19$m=65536,t=3,p=4$salt$hash", "pbkdf2_sha256$600000$salt"]),
    Rule::context("password-hash", &["$6$", "$y$j9T$"], r"(\$(?:6\$(?:rounds=\d+\$)?[A-Za-z0-9./]{8,16}\$[A-Za-z0-9./]{86}|y\$j9T\$[A-Za-z0-9./]{8,86}\$[A-Za-z0-9./]{43}))", Check::Real)
        .from("crypt(5): SHA-512 and yescrypt")
        .yes(&["hash $6${x8}${x86}", "password: $y$j9T${x22}${x43}"])
        .no(&["$6$salt", "$y$j9T$x"]),
    Rule::context("command-password", &["owner_pw ", "user_pw "], r#"(?:owner|user)_pw\s+\\*['\x22]?([^\s'\x22\\]{4,})"#, Check::Given)
        .from("pdftk(1)")
        .yes(&["pdftk in.pdf output o.pdf owner_pw Tugb04t{d2} user_pw Gr4n1te{d3}"])
        .no(&["pdftk in.pdf input_pw prompt owner_pw prompt"]),
    Rule::context("command-password", &["bw login", "bw unlock", "ansible-vault"], r#"(?:bw (?:login\s+\S+@\S+|unlock)\s+|ansible-vault\b[^\n]{0,120}<\(\s*echo\s+(?:-n\s+)?)(?:\\*['\x22]([^\n'\x22\\]{4,80})|([^\s'\x22\\-][^\s'\x22\\]{3,}))"#, Check::Given)
        .from("bw(1), ansible-vault(1)")
        .yes(&["bw login a@b.example 'granite winter meadow'", "ansible-vault encrypt_string --vault-password-file <(echo 'Gr4n1te{d3}') x"])
        .no(&["bw unlock --raw", "ansible-vault view x.yml"]),
    Rule::context("command-password", &["cryptsetup", "luksAddKey"], r#"\b(?:echo|printf)\s+(?:-n\s+)?\\*['\x22]([^\n'\x22\\]{4,80})\\*['\x22]\s*\|\s*(?:sudo )?cryptsetup"#, Check::Given)
        .back(128)
        .from("cryptsetup(8): a passphrase from standard input")
        .yes(&["echo -n 'trumpet goblin bronze' | cryptsetup luksAddKey /dev/sdb1 -"])
        .no(&["cryptsetup luksOpen /dev/sdb1 x"]),
    Rule::context("plain-password", &["{PLAIN}", "{CLEARTEXT}"], r"\{(?:PLAIN|CLEARTEXT)\}([^\s:'\x22]{4,})", Check::Given)
        .from("Dovecot: password schemes")
        .yes(&["ci@x.example:{PLAIN}granite-meadow-4::::::"])
        .no(&["scheme={PLAIN} username"]),
    Rule::context("dsn-password", &["@tcp(", "@unix("], r"[\w.-]{1,64}:([^\s:@\x22'`/]{3,64})@(?:tcp|unix)\(", Check::Given)
        .back(130)
        .from("go-sql-driver/mysql: data source names")
        .yes(&["sql.Open(\"mysql\", \"ci-bot:{x16}@tcp(db:3306)/x\")"])
        .no(&["user:password@tcp(localhost:3306)/x", "%s:%s@tcp(%s)/%s"]),
    Rule::context("call-password", &["DBI->connect(", "new PDO(", "getConnection(", "mysqli_connect(", "new mysqli(", "ftp_login(", "->login("], r#"(?:DBI->connect|new PDO|getConnection|mysqli_connect|new mysqli|ftp_login|->login)\(\s*(?:(?:\$\w+|\\*['\x22][^'\x22\n]{1,160}['\x22])\s*,\s*)?\\*['\x22][^'\x22\n]{1,64}['\x22]\s*,\s*\\*['\x22]([^'\x22\\\s]{4,})"#, Check::Given)
        .from("DBI, PDO, JDBC, mysqli: user and password behind the data source")
        .yes(&["DBI->connect(\"dbi:Pg:dbname=x;host=y\", \"ci\", \"granite-meadow-4\")", "new PDO('mysql:host=x;dbname=y', 'ci', 'Gr4n1te{d3}')", "$ftp->login(\"ci\", \"Gr4n1te{d3}\")"])
        .no(&["new PDO($dsn, $user, $pass)", "DBI->connect($dsn, $user, $pass)"]),
    Rule::context("rootpw", &["rootpw "], r"rootpw\s+(?:--plaintext\s+|--iscrypted\s+)?([^\s-]\S{3,})", Check::Given)
        .from("Kickstart: rootpw")
        .yes(&["rootpw --plaintext Gl4c13r{d2}", "rootpw Gr4n1te{d3}"])
        .no(&["rootpw --lock"]),
    Rule::context("ppp-secret", &["\" * \"", " * \"", "\t*\t"], r"(?:\A|\n)[^\x22\n]{0,12}?\x22?[\w.@-]{1,40}\x22?[ \t]+\*[ \t]+\x22?([^\s\x22]{4,})\x22?[ \t]+\*", Check::Password)
        .back(64)
        .from("pppd(8): chap-secrets, pap-secrets")
        .yes(&["\"admin\" * \"dingo{d3}\" *"])
        .no(&["a * b * c", "x * \"y\" * z"]),
    Rule::context("generated-password", &["\"random_password\""], r#"\x22random_password\x22[^\n]{0,400}?\x22result\x22:\s*\x22([^\x22]{4,})\x22"#, Check::Given)
        .from("Terraform: the state of random_password")
        .yes(&["\"random_password\",\"result\":\"{x24}\""])
        .no(&["\"random_password\""]),
    Rule::context("request-signature", &["oauth_signature=", "PasswordDigest=", "authorization: hawk "], r#"(?i)(?:oauth_signature=|PasswordDigest=|authorization: hawk [^\n]{0,200}?\bmac=)\\*\x22?([A-Za-z0-9+/%_-]{20,}={0,2})"#, Check::Random)
        .from("RFC 5849, WS-Security, Hawk: signatures of requests")
        .yes(&["oauth_signature=\"{x27}%3D\"", "PasswordDigest=\"{x27}=\"", "Authorization: Hawk id=\"x\", ts=\"1\", mac=\"{x43}=\""])
        .no(&["oauth_signature=\"x\""]),
    Rule::context("basic-auth", &["Buffer.from(", "btoa(", "b64encode(", "base64_encode(", "ncodeToString("], r#"(?:Buffer\.from|btoa|b64encode|base64_encode|ncodeToString)\(\s*[bf]?\\*['\x22`][\w.@-]{1,64}:([^'\x22`\\\s]{4,})"#, Check::Given)
        .from("RFC 7617: credentials before they are encoded")
        .yes(&["'Basic ' + Buffer.from('ci:granite-meadow-4').toString('base64')", "btoa(\"ci:Gr4n1te{d3}\")"])
        .no(&["btoa('user:' + pass)", "Buffer.from(`${user}:${pass}`)"]),
    Rule::context("azure-storage-key", &["\"keyName\""], r#"\x22keyName\x22[^}]{0,200}?\x22value\x22:\s*\x22([A-Za-z0-9+/]{40,}={0,2})\x22"#, Check::Real)
        .from("az storage account keys list")
        .yes(&["\"keyName\": \"key1\", \"permissions\": \"FULL\", \"value\": \"{x86}==\""])
        .no(&["\"keyName\": \"key1\""]),
    Rule::context("recovery-key", &["Numerical Password", "ecovery key", "ecovery password", "itLocker"], r"(?:Numerical Password|ecovery (?:key|password)|itLocker)[^\n]{0,80}(?:\n[^\n]{0,80}){0,4}?((?:\d{6}-){7}\d{6})", Check::Real)
        .from("BitLocker: recovery passwords of 48 digits")
        .yes(&["Numerical Password:\n  ID: ABCD\n  Password:\n    {d6}-{d6}-{d6}-{d6}-{d6}-{d6}-{d6}-{d6}"])
        .no(&["BitLocker is on"]),
    Rule::context("imap-password", &[" LOGIN "], r"\b[A-Za-z]?\d{1,6} LOGIN \\*\x22?[\w.@+-]{1,80}\\*\x22? \\*\x22?([^\s\x22\\]{4,})", Check::Given)
        .back(8)
        .from("RFC 9051: LOGIN")
        .yes(&["a001 LOGIN a@b.example \"Oy5t3r={d2}\""])
        .no(&["1 LOGIN failed now"]),
    Rule::context("wifi-key", &["Key Content"], r"Key Content\s*: (\S{8,})", Check::Given)
        .from("netsh wlan show profile key=clear")
        .yes(&["Key Content            : 91dolphin{d2}"])
        .no(&["Key Content : "]),
    Rule::context("redis-password", &["\"AUTH\""], r#"\x22AUTH\x22 (?:\x22[^\x22\n]{1,80}\x22 )?\x22([^\x22\n]{4,})\x22"#, Check::Given)
        .from("Redis: MONITOR")
        .yes(&["1772000000.1 [0 10.0.0.4:51022] \"AUTH\" \"ci\" \"granite-meadow-4\""])
        .no(&["\"AUTH\""]),
    Rule::context("smtp-auth", &["334 UGFzc3dvcmQ6"], r#"334 UGFzc3dvcmQ6[^\n]{0,8}\n[^\n]{0,8}?([A-Za-z0-9+/]{6,}={0,2})"#, Check::Real)
        .from("SMTP: AUTH LOGIN")
        .yes(&["334 UGFzc3dvcmQ6\nC: YnJvbnplODc0OA=="])
        .no(&["334 UGFzc3dvcmQ6"]),
    Rule::context("query-key", &["appid=", "subscription-key=", "hapikey="], r"[?&](?:appid|subscription-key|hapikey)=([A-Za-z0-9-]{24,})", Check::Random)
        .back(1)
        .from("OpenWeather, Azure API Management, HubSpot: keys in a query")
        .yes(&["https://api.example.com/data?q=Bern&appid={h32}"])
        .no(&["?appid=440"]),
    Rule::context("wallet-key", &["accounts: [", "Private Keys", ") 0x"], r"(?:accounts: \[\s*['\x22]|Private Keys[^\n]{0,20}\n[^\n]{0,40}\n?\(\d+\) |\(\d{1,2}\) )(?:0x)?([a-f0-9]{64})\b", Check::Real)
        .back(3)
        .from("Hardhat, Ganache: private keys of accounts")
        .yes(&["accounts: [\"0x{h64}\"]", "(0) 0x{h64}"])
        .no(&["f(x) 0x{h40}", "accounts: [\"0x12\"]"]),
    Rule::context("call-secret", &["cookieParser(", "Fernet(", "hmac.new(", "createHmac(", "CryptoJS.", "jwt.sign(", "jwt.verify(", "jwt.encode(", "jwt.decode(", "itsdangerous.", "SecretKeySpec(", "HMACSHA256("], r#"(?:cookieParser\(|Fernet\(|hmac\.new\(|createHmac\(\s*\\*['\x22]sha\d+\\*['\x22]\s*,\s*|CryptoJS\.\w+(?:\.\w+)?\([^,\n]{1,60},\s*|jwt\.(?:sign|verify|encode|decode)\([^\n'\x22]{1,80}?,\s*|SecretKeySpec\(|HMACSHA256\([^\n'\x22]{0,40})[bf]?\\*['\x22]([^'\x22\\\n]{8,})\\*['\x22]"#, Check::Password)
        .from("libraries that sign and encrypt: the key is an argument")
        .yes(&["app.use(cookieParser('{x48}'))", "Fernet(b'{x43}=')", "hmac.new(b\"{x12}7\", body, hashlib.sha256)", "jwt.verify(token, '{x32}', cb)"])
        .no(&["jwt.verify(token, secret, cb)", "createHmac('sha256', key)", "jwt.decode(token, key, 'HS256')"]),
    Rule::context("keystore-password", &[".toCharArray()"], r#"(?:load|getKey|KeyStore|PBEKeySpec|[pP]assword)[^\n\x22]{0,60}\\*\x22([^\x22\s\\]{6,64})\\*\x22\.toCharArray\(\)"#, Check::Password)
        .back(120)
        .from("Java: KeyStore.load, PBEKeySpec")
        .yes(&["ks.load(in, \"AcornLantern{d2}\".toCharArray());"])
        .no(&["char[] hex = \"0123456789abcdef\".toCharArray();"]),
    Rule::context("set-password", &["MOVE '", "MOVE \""], r#"MOVE ['\x22]([^'\x22\n]{4,64})['\x22] TO \S{0,40}(?:PASSW|PWD|SECRET|TOKEN|APIKEY|API-KEY)"#, Check::Given)
        .from("COBOL: a literal moved to a field for a secret")
        .yes(&["MOVE 'Buck3tl@g00n{d2}' TO DB-PASSWD."])
        .no(&["MOVE 'N' TO PASSWORD-OK."]),
    Rule::context("config-password", &["auth_pass ", "insecure-password ", "d-i passwd/", "> PASS ", ":IDENTIFY ", "stats auth "], r"(?:auth_pass|insecure-password|d-i passwd/\S+ password|> PASS|:IDENTIFY(?: \S+)?|stats auth [\w.-]+:)[ \t]*([^\s:]{4,})", Check::Given)
        .from("keepalived, HAProxy, debian-installer, FTP, IRC: a password behind a word")
        .yes(&["auth_pass cx9ecc{d2}", "user mia insecure-password {x16}", "d-i passwd/user-password password Gr4n1te{d3}", "---> PASS Gr4n1te{d3}", ":IDENTIFY mia granite-meadow-4"])
        .no(&["auth_pass PASS", "d-i passwd/root-login boolean false"]),
    Rule::context("smtp-password", &["]:587 ", "]:465 ", "]:25 "], r"\]:\d{2,4}[ \t]+[^\s:]{1,128}:(\S{4,})", Check::Given)
        .from("Postfix: smtp_sasl_password_maps")
        .yes(&["[smtp.example.com]:587 ci@x.example:{x12}7"])
        .no(&["[::1]:587 host"]),
    Rule::context("redis-password", &[" on >"], r" on >([^\s]{4,})", Check::Given)
        .from("Redis: ACL files")
        .yes(&["user ci on >Sailor{d3} ~cache:* +@all"])
        .no(&["click on > next"]),
    Rule::context("curl-user", &["user = \"", "user=\""], r"user\s*=\s*\x22[\w.@-]{1,64}:([^\s\x22]{4,})\x22", Check::Given)
        .from("curl(1): the configuration file")
        .yes(&["user = \"ci:{x8}7\""])
        .no(&["user = \"ci\""]),
    Rule::context("ntlm-hash", &["NTLM "], r"NTLM\s+: ([a-f0-9]{32})\b", Check::Real)
        .from("Mimikatz: NT hashes")
        .yes(&["* NTLM     : {h32}"])
        .no(&["NTLM : none"]),
    Rule::context("ntlm-hash", &["NTLMv2", "NTLMv1"], r"NTLMv[12][^\n]{0,60}?[\w.-]+::[\w.-]+:([a-fA-F0-9]{16}:[a-fA-F0-9]{32}(?::[a-fA-F0-9]{16,})?)", Check::Real)
        .from("Responder: challenges and responses that can be tried offline")
        .yes(&["[SMB] NTLMv2-SSP Hash : mia::CORP:{h16}:{h32}:{H64}"])
        .no(&["NTLMv2 is used"]),
    Rule::context("generated-password", &["enerated for "], r"assword is generated for \S+: (\S{6,})", Check::Given)
        .back(24)
        .from("MySQL: the first password of root")
        .yes(&["A temporary password is generated for root@localhost: I6xrE%+F{d2}"])
        .no(&["A report is generated for you: here"]),
    Rule::context("sql-password", &["password) values", "passwd) values", "pgp_sym_"], r#"(?i)(?:passw(?:or)?d\)\s*values\s*\((?:[^'()]{0,20}'[^'\n]{0,120}'\s*,\s*){0,6}|pgp_sym_(?:en|de)crypt\([^,\n]{1,80},\s*)'([^'\n]{4,})'"#, Check::Given)
        .from("SQL: a row with a password at its end; pgcrypto")
        .yes(&["INSERT INTO users (email, password) VALUES ('a@b.example', 'Gr4n1te{d3}')", "SELECT pgp_sym_decrypt(ssn, 'Z1pp3r*{d2}') FROM p"])
        .no(&["INSERT INTO users (email, password) VALUES (?, ?)", "pgp_sym_decrypt(x, $1)"]),
    Rule::context("oauth-code", &["?code=", "&code="], r"[?&]code=([A-Za-z0-9_/.-]{30,})", Check::Random)
        .from("RFC 6749: authorization codes")
        .yes(&["https://app.example.com/callback?code={x60}&state=x"])
        .no(&["?code=404"]),
    Rule::context("proxy-password", &["trojan://", "ss://", "vmess://", "hysteria2://"], r"(?:(?:trojan|ss|hysteria2)://([^@\s/:]{6,})@|vmess://([A-Za-z0-9+/]{60,}={0,2}))", Check::Given)
        .from("Shadowsocks, Trojan, V2Ray: links")
        .yes(&["ss://SGFtbW9jazIwMjEq@10.0.0.1:8388#home", "trojan://Purple{d3}@x.example:443"])
        .no(&["ss://host", "https://x"]),
    Rule::context("teradata-password", &[".logon "], r"(?i)\.logon [\w.-]+/[\w.-]+,([^\s;]{4,})", Check::Given)
        .from("Teradata: BTEQ")
        .yes(&[".LOGON tdprod/ci,B4dg3r_{d2};"])
        .no(&[".logon tdprod/ci"]),
    Rule::context("cloud-init-password", &["chpasswd:"], r"chpasswd:\s*\n(?:[^\n]{0,80}\n){0,3}?[^A-Za-z\n]{1,16}[A-Za-z_][\w-]{0,32}:(\S{4,})", Check::Given)
        .from("cloud-init: chpasswd")
        .yes(&["chpasswd:\n  list: |\n    root:H4z3l_{d2}"])
        .no(&["chpasswd:\n  expire: false"]),
    Rule::form("adobe-secret", &["p8e-"], r"p8e-[A-Za-z0-9_-]{32}")
        .from("gitleaks adobe-client-secret")
        .yes(&["p8e-{w32}"])
        .no(&["p8e-x"]),
];
