//! Secrets that are arguments of calls and statements: ciphers, connections, databases.

use crate::redaction::rule::{Check, Rule};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::context("cipher-key", &["AES.new(", "AESGCM(", "ChaCha20", "DES3.new(", "Blowfish.new(", "createCipheriv(", "createDecipheriv(", "SecretBox(", "Fernet(", "aes.NewCipher(", "chacha20poly1305.New", "hmac.New(", "hmac.new(", "Aes256Gcm", "openssl_encrypt(", "openssl_decrypt(", "hash_hmac(", "MessageVerifier.new(", "MessageEncryptor.new(", "secretbox.", "SymmetricKey(", "Keys.hmacShaKeyFor(", "SymmetricSecurityKey("], r#"(?:AES\.new|AESGCM|ChaCha20\w*(?:\.new)?|DES3\.new|Blowfish\.new|create(?:C|Dec)ipheriv|SecretBox|Fernet|aes\.NewCipher|chacha20poly1305\.NewX?|hmac\.(?:New|new)|Aes256Gcm::new|openssl_(?:en|de)crypt|hash_hmac|Message(?:Verifier|Encryptor)\.new|secretbox\.\w+|SymmetricKey|Keys\.hmacShaKeyFor|SymmetricSecurityKey)\((?:\\*['\x22][\w-]{1,24}\\*['\x22]\s*,\s*|\w+(?:\.\w+)*\s*,\s*){0,2}(?:[\w.:&]{1,48}\(\s*)*(?:\[\]byte\()?[bB]?\\*['\x22]([A-Za-z0-9+/=_-]{16,128}|[^'\x22\\\n]{12,64})\\*['\x22]"#, Check::Random)
        .from("libraries that encrypt and sign: the key is an argument, perhaps decoded there")
        .yes(&["AES.new(bytes.fromhex(\"{h64}\"), AES.MODE_GCM)", "crypto.createCipheriv('aes-256-cbc', Buffer.from('{h64}', 'hex'), iv)", "aes.NewCipher([]byte(\"{x32}\"))", "new SymmetricSecurityKey(Encoding.UTF8.GetBytes(\"{x32}\"))"])
        .no(&["AES.new(key, AES.MODE_GCM)", "createCipheriv('aes-256-cbc', key, iv)", "hmac.New(sha256.New, secret)"]),
    Rule::context("call-password", &["database(", "dbConnect(", "odbcConnect(", "odbc_connect(", "pg_connect(", "oci_connect(", "mysql_connect(", "mysql_real_connect(", "mysql.connect(", "pymysql.connect(", "sqlsrv_connect(", "ibm_db.connect(", "cx_Oracle.connect(", "oracledb.connect(", "DriverManager.", "db_connect(", "Sql.newInstance(", "ldap_bind(", "simple_bind_s(", "ldap.bind(", ".bind_s(", "ssh2_auth_password(", "ftp_login(", "imap_open(", "client.login(", ".userPass(", "userpwd(", "Credentials.basic(", "basicAuth(", "BasicAuth(", "SetBasicAuth(", ".auth(", "withCredentials(", "DefaultCredentials(", "authenticate(", "Authenticator(", "OdbcConnection(", "Mysql.new(", "Mysql2::", "setCredentials(", "AuthenticationToken(", ".password_auth(", "login_user("], r#"(?:database|(?:db|odbc|pg|oci|mysql|sqlsrv)_?[cC]onnect|mysql_real_connect|(?:pymysql|mysql|ibm_db|cx_Oracle|oracledb)\.connect|DriverManager\.\w+|Sql\.newInstance|ldap_bind|simple_bind_s|ldap\.bind|\.bind_s|ssh2_auth_password|ftp_login|imap_open|client\.login|\.userPass|userpwd|Credentials\.basic|[bB]asicAuth|\.auth|withCredentials|DefaultCredentials|[aA]uthenticate|Authenticator|OdbcConnection|Mysql\.new|setCredentials|AuthenticationToken|\.password_auth|login_user)\(\s*(?:(?:[$&\w.:>-]{1,40}|[A-Za-z@]?\\*['\x22][^'\x22\n]{0,160}\\*['\x22])\s*,\s*){0,3}?[A-Za-z@]?\\*['\x22][^'\x22\n]{1,80}\\*['\x22]\s*,\s*[A-Za-z@]?\\*['\x22]([^'\x22\\\s\d]{0,63}\d[^'\x22\\\s]{2,64})\\*['\x22]"#, Check::Chosen)
        .from("MATLAB, R, PHP, Python, Java, Groovy, Go: a user and a password among the arguments of a call that connects")
        .yes(&["conn = database('warehouse','ann','Gr4n1te!{d3}','Vendor','PostgreSQL');", "odbcConnect(\"dsn\", uid, \"x\", \"Gr4n1te{d3}x\")", "conn.simple_bind_s('cn=admin,dc=x', 'Gr4n1te{d3}')", "$c->setCredentials('ann', 'Gr4n1te{d3}')"])
        .no(&["database('warehouse', user, pw)", "req.SetBasicAuth(user, pass)", "ldap_bind($c, $dn, $pw)"]),
    Rule::context("sql-password", &["pragma key", "pragma rekey", "pragma hexkey", "set password", "encryption by password", "decryption by password", "encryptbypass", "decryptbypass", "crypt(", "aes_encrypt(", "aes_decrypt(", "secret =", "identified by values", "sp_addlogin", "sp_password", "connection to '", "@rmtpassword"], r#"(?i)(?:pragma (?:re|hex)?key\s*=\s*(?:\x22?x)?|set password(?: for \S+)?(?: from '[^']*')?(?: to| =)?\s*(?:password\()?|(?:en|de)cryption by password\s*=\s*|(?:en|de)cryptbypassphrase\s*\(\s*|\bcrypt\(\s*|aes_(?:en|de)crypt\([^,\n]{1,80},\s*|identified by values\s+|sp_addlogin\s+'[^']{1,60}'\s*,\s*|sp_password\s+(?:'[^']{0,60}'|null)\s*,\s*|@rmtpassword\s*=\s*N?|secret\s*=\s*|connection to '[^'\n]{0,200}?password=)N?\\*['\x22]([^'\x22\n\\]{4,80})\\*['\x22]"#, Check::Given)
        .from("SQLCipher, Neo4j, MySQL, SQL Server, pgcrypto: statements with a secret")
        .yes(&["PRAGMA key = 'Gr4n1te{d3}';", "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO 'Gr4n1te{d3}';", "UPDATE a SET h = crypt('Gr4n1te!{d3}', gen_salt('bf'))", "CREATE SYMMETRIC KEY k ENCRYPTION BY PASSWORD = 'Gr4n1te{d3}'", "CREATE DATABASE SCOPED CREDENTIAL c WITH IDENTITY = 'x', SECRET = 'Gr4n1te{d3}'"])
        .no(&["PRAGMA key_format = 1", "SET PASSWORD = ?", "crypt($1, gen_salt('bf'))"]),
    Rule::context("config-key", &["\"encrypt\"", "encrypt =", "encrypt:", "'crypt' =>", "\"gossip", "gossip_key", "encryption_key", "cluster_secret", "erlang.cookie", "setcookie", "-setcookie", "erlang_cookie"], r#"(?:\\*\x22?encrypt\\*\x22?\s*[:=]\s*|'crypt' => \[\s*'key' => |gossip_?\w*\\*\x22?\s*[:=]\s*|setcookie[ =]|erlang_?\.?cookie\\*\x22?\s*[:=]\s*)\\*['\x22]?([A-Za-z0-9+/=_-]{16,})"#, Check::Random)
        .from("Consul, Nomad, Serf: gossip keys; Magento; Erlang's cookie")
        .yes(&["\"datacenter\": \"dc1\", \"encrypt\": \"{b43}=\"", "'crypt' => ['key' => '{x32}']", "encrypt = \"{b43}=\"", "erl -sname a -setcookie {A20}7x"])
        .no(&["\"encrypt\": true", "encrypt: someFunctionName"]),
    Rule::context("config-key", &["key = AQ", "key: AQ", "key=AQ", "secret=AQ", "\"key\": \"AQ", "key\":\"AQ"], r#"(?:key|secret)\\*\x22?\s*[:=]\s*\\*\x22?(AQ[A-Za-z0-9+/]{34,38}={0,2})"#, Check::Random)
        .from("Ceph: keyrings")
        .yes(&["[client.admin]\n\tkey = AQ{b36}=="])
        .no(&["key = AQ"]),
    Rule::context("basic-auth", &["basic_auth ", "basicauth "], r"basic_?auth[^\n]{0,80}\n[\s\d+>|\x80-\xFF-]{0,14}?[A-Za-z][\w.@-]{0,40}[ \t]+(\$2[aby]\$\d\d\$[A-Za-z0-9./+]{50,60}|[A-Za-z0-9+/=]{60,})", Check::Real)
        .from("Caddy: users of basic_auth")
        .yes(&["basic_auth /admin/*\n    ops $2a$14${x53}\n"])
        .no(&["basic_auth /admin/* {\n}"]),
    Rule::context("recovery-codes", &["ecovery codes", "ackup codes", "cratch codes", "escue codes", "ECOVERY CODES", "ACKUP CODES", "iederherstellungscodes", "codes de r", "digos de recuper"], r"(?i)[\w .-]{0,40}?(?:codes?|recuperaci\xC3\xB3n|r\xC3\xA9cup\xC3\xA9ration)\b[^\n]{0,120}\n(?:[^\n]{0,60}\n){0,2}?((?:[\s\d+>|\x80-\xFF-]{0,14}?(?:[^\w\n]{0,4}\d{1,2}[.)][ \t]+)?(?:[a-z]{0,9}\d[a-z0-9]{2,9}|[a-z0-9]{4,10}[- ][a-z]{0,9}\d[a-z0-9]{0,9}|[a-z0-9]{0,9}\d[a-z0-9]{0,9}[- ][a-z0-9]{4,10})(?:[- ]{1,4}[a-z0-9]{4,10}){0,3}[ \t]*(?:\r?\n|\z)){4,})", Check::Real)
        .from("lists of recovery codes, as GitHub, Google and others show them")
        .yes(&["Two-factor recovery codes (keep them)\n  usk7r-q2{d3}\n  2ie1u-jl{d3}\n  4affy-fr{d3}\n  5sq20-84{d3}\n"])
        .no(&["Recovery codes are shown once.\nKeep them.\n"]),
    Rule::context("typed-password", &["send \"", "send -- \"", "sendline(", "send_keys ", "sendKeys(", "type_text("], r"(?:send(?: --)? \\*\x22([^\x22\\\n]{6,64})\\+r\\*\x22|(?:sendline|type_text)\(b?\\*['\x22]([^'\x22\\\n]{6,64})\\*['\x22])", Check::Chosen)
        .from("expect(1), pexpect: what is typed into a prompt")
        .yes(&["send \"Montana_Lampe{d3}\\r\"", "child.sendline('Montana_Lampe{d3}')"])
        .no(&["send \"yes\\r\"", "child.sendline('ls -la')"]),
    Rule::context("call-password", &["Input Password", "Fill Secret", "Type Secret", "Input Text", "Fill Text"], r"(?:Input (?:Password|Text)|(?:Fill|Type) (?:Secret|Text))(?:[ \t]{2,}|\t)\S{1,80}(?:[ \t]{2,}|\t)(\S{6,64})", Check::Chosen)
        .from("Robot Framework: keywords that type")
        .yes(&["Input Password    id:pwd    M0nt4n4Girasol{d3}"])
        .no(&["Input Text    id:name    Ada"]),
    Rule::context("spoken-password", &[" / "], r"(?i)(?:(?:\A|[\s\x22'`(])(?:root|admin\w*|sa|postgres|test\w*|demo\w*|guest|[\w.+-]{2,64}@[\w.-]{3,64})[\x22'`]? / |\b(?:log(?:ging)?[ -]?in|logon|sign in|creds?|credentials|account|use|using|user|zugang(?:sdaten)?|anmeldung|identifiants|connexion|credenciales|acceso|accesso|konto|logga in|dane logowania|try|with|mit|avec|con)\b[^\n]{0,30}?[\s\x22'`(][\w.@+-]{2,64}[\x22'`]? / )[\x22'`]?([^\s/|\x22'`,)]{6,64})", Check::Said)
        .back(110)
        .from("sentences that give a user and a password with a stroke between")
        .yes(&["# TODO remove: prod login is admin / Lum13r3#{d2}guitar", "just use admin / Felix_{d3}Cobalt on the test box", "log in as ann@corp.example / Felix_{d3}Cobalt"])
        .no(&["use width / 2", "try Google / GitHub", "with total / count1", "SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / x25519", "using Python / Django4.2"]),
    Rule::context("signing-key", &["signWith(", "JWT.encode("], r"(?:signWith|JWT\.encode)\((?:[^\x22'\n]{0,80}, ?)?[bB]?\\*[\x22']([^\s\x22'\\]{16,128})\\*[\x22']", Check::Random)
        .from("libraries for JWT: the key is an argument")
        .yes(&["signWith(SignatureAlgorithm.HS256, \"{x20}7\")"])
        .no(&["signWith(key, SignatureAlgorithm.HS256)", "JWT.encode(payload, secret)"]),
    Rule::context("call-password", &["CURLOPT_USERPWD", "CURLOPT_PROXYUSERPWD"], r"CURLOPT_(?:PROXY)?USERPWD\W{1,6}[\x22'][\w.@-]{1,64}:([^\s\x22'\\]{4,64})\\*[\x22']", Check::Password)
        .from("libcurl: CURLOPT_USERPWD")
        .yes(&["curl_easy_setopt(curl, CURLOPT_USERPWD, \"svc:Gr4n1te{d3}\");"])
        .no(&["curl_easy_setopt(curl, CURLOPT_USERPWD, userpwd);"]),
    Rule::context("call-password", &["UsernamePasswordCredentialsImpl("], r"UsernamePasswordCredentialsImpl\([^\n]{0,200}?,[ \t]*\\*[\x22'][^\x22'\n]{1,64}\\*[\x22'],[ \t]*\\*[\x22']([^\x22'\\\n]{4,80})\\*[\x22']\s*\)", Check::Password)
        .from("Jenkins: credentials made in Groovy")
        .yes(&["new UsernamePasswordCredentialsImpl(CredentialsScope.GLOBAL, \"nexus\", \"Nexus\", \"ci\", \"Gr4n1te{d3}\")"])
        .no(&["new UsernamePasswordCredentialsImpl(scope, id, text, user, password)"]),
];
