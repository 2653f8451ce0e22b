//! Secrets that only their surroundings tell: headers, command lines, connection strings, dotfiles.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::context("bearer-token", &["bearer"], r"(?i)bearer(?:[ \t]+|%20|\+)([A-Za-z0-9._~+/=|:-]{16,})", Check::Random)
        .from("RFC 6750")
        .yes(&["Authorization: Bearer {x43}", "-H \"authorization: bearer {w48}\""])
        .no(&["Bearer bonds mature in 2031.", "A bearer token is sent", "Bearer YOUR_ACCESS_TOKEN_HERE", "Bearer $TOKEN"]),
    Rule::context("basic-auth", &["basic"], r"(?i)basic[ \t]+([A-Za-z0-9+/_-]{8,}={0,2})", Check::Basic)
        .from("RFC 7617")
        .yes(&["Authorization: Basic Y2ktcm9ib3Q6TWVhZG93NDI="])
        .no(&["Basic understanding of tokens is required.", "basic authentication"]),
    Rule::context("command-password", &["curl", "wget", "http -a", "https -a", "http --auth", "https --auth"], r#"(?:curl|wget|https?)\b[^\n|;]{0,400}?\s(?:-u|--user|--proxy-user|-U|-a|--auth)[ =]?\\*['\x22]?[A-Za-z0-9_.@\\-]{1,64}:([^\s'\x22\\]{3,})"#, Check::Password)
        .from("curl(1), httpie: user:password")
        .yes(&["curl -s -u 'ci-robot:Winter{d4}#Swift' https://x", "curl --user ci:Gr4n1te{d3} https://x"])
        .no(&["curl -u ci-robot https://x", "curl -u $USER:$PASS https://x"]),
    Rule::context("command-password", &["mysql", "mariadb"], r#"(?:mysql(?:dump|admin|import|show|check|sh|pump)?|mariadb(?:-dump|-admin)?)\b[^\n|;]{0,200}?\s-p\\*['\x22]?([^\s'\x22\\]{4,})"#, Check::Password)
        .from("mysql(1): -ppassword")
        .yes(&["mysql -h db -u root -pGr4n1te{d3} ledger"])
        .no(&["mysql -u root -p ledger", "mysqldump -p$PASS x"]),
    Rule::context("command-password", &["sshpass", "redis-cli", "docker login", "podman login", "helm registry", "ldapsearch", "ldapmodify", "htpasswd", "smbclient", "sqlcmd", "mongo", "psql", "az login", "skopeo"], r#"(?:sshpass|redis-cli|(?:docker|podman) login|helm registry|ldap\w+|htpasswd|smbclient|sqlcmd|mongo\w*|psql|az login|skopeo)\b[^\n|;]{0,300}?\s(?:-p|-a|-w|-P|-b|--password|--pass|--creds|--from-pass)[ =]?\\*['\x22]?(?:[A-Za-z0-9_.-]+:)?([^\s'\x22\\]{4,})"#, Check::Password)
        .from("the manuals of these programs")
        .yes(&["sshpass -p 'Gr4n1te{d3}' ssh x", "docker login -u ci -p Gr4n1te{d3} reg.example", "redis-cli -h x -a Gr4n1te{d3}"])
        .no(&["docker login -u ci --password-stdin", "sshpass -e ssh x", "psql -p 5432"]),
    Rule::context("command-password", &["-passin", "-passout", "-storepass", "-keypass", "-srcstorepass", "-deststorepass"], r"-(?:passin|passout|(?:src|dest)?storepass|keypass)[ =]\\*['\x22]?(?:pass:)?([^\s'\x22\\]{4,})", Check::Password)
        .from("openssl(1), keytool(1)")
        .yes(&["openssl rsa -in k -passin pass:Gr4n1te{d3}", "keytool -list -storepass Gr4n1te{d3}"])
        .no(&["openssl rsa -passin env:KEYPASS", "openssl rsa -passin file:/x/y2"]),
    Rule::context("command-password", &["sqlplus", "rman", "expdp", "impdp", "jdbc:oracle"], r"(?:sqlplus|rman|expdp|impdp|jdbc:oracle)[^\n]{0,60}?[ :'\x22][A-Za-z0-9_$#]{1,40}/([^\s'\x22\\/@]{4,})@", Check::Password)
        .from("Oracle: user/password@service")
        .yes(&["sqlplus scott/Gr4n1te{d3}@//db:1521/x", "jdbc:oracle:thin:scott/Gr4n1te{d3}@db:1521:x"])
        .no(&["sqlplus /nolog"]),
    Rule::context("sql-password", &["identified by", "identified with", "password '", "password \\'"], r#"(?i)(?:identified (?:by|with [A-Za-z0-9_'\x22]+ (?:by|as))|password) +\\*['\x22]([^'\x22\\\s]{4,})"#, Check::Password)
        .from("SQL: CREATE USER … IDENTIFIED BY, PASSWORD '…'")
        .yes(&["CREATE USER x IDENTIFIED BY 'Gr4n1te{d3}'", "ALTER ROLE x WITH LOGIN PASSWORD 'Gr4n1te{d3}';"])
        .no(&["the password 'field' is empty", "identified by 'name'"]),
    Rule::context("netrc-password", &["machine ", "login "], r"(?:machine\s+\S{1,200}\s+)?login\s+\S{1,128}\s+password\s+(\S{3,})", Check::Password)
        .from("netrc(5)")
        .yes(&["machine api.example login ci password Gr4n1te{d3}"])
        .no(&["login and password are asked for"]),
    Rule::context("pgpass-password", &[":5432:", ":5433:", ":6432:", ":*:"], r":(?:\d{2,5}|\*):[A-Za-z0-9_*-]{1,64}:[A-Za-z0-9_.*-]{1,64}:([^\s:\\]{4,})", Check::Password)
        .from("PostgreSQL: the password file")
        .yes(&["db.internal:5432:ledger:svc:Gr4n1te{d3}", "db.internal:5432:*:svc:Gr4n1te{d3}"])
        .no(&["0.0.0.0:5432:5432", "host:5432:name"]),
    Rule::context("presigned-url", &["X-Goog-Signature="], r"(?i)X-Goog-Signature=([a-f0-9]{64,})", Check::Real)
        .from("Google Cloud Storage: signed URLs")
        .yes(&["?X-Goog-Signature={h256}"])
        .no(&["X-Goog-Signature="]),
];
