//! Secrets that only their surroundings tell: headers, connection strings, dotfiles.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::context(
        "bearer-token",
        &["bearer"],
        r"(?i)bearer(?:[ \t]+|%20|\+)([A-Za-z0-9._~+/=|:-]{16,})",
        Check::Random,
    )
    .from("RFC 6750")
    .yes(&["Authorization: Bearer {x43}", "-H \"authorization: bearer {w48}\""])
    .no(&[
        "Bearer bonds mature in 2031.",
        "A bearer token is sent",
        "Bearer YOUR_ACCESS_TOKEN_HERE",
        "Bearer $TOKEN",
    ]),
    Rule::context("basic-auth", &["basic"], r"(?i)basic[ \t]+([A-Za-z0-9+/_-]{8,}={0,2})", Check::Basic)
        .from("RFC 7617")
        .yes(&["Authorization: Basic Y2ktcm9ib3Q6TWVhZG93NDI="])
        .no(&["Basic understanding of tokens is required.", "basic authentication"]),
    Rule::context(
        "sql-password",
        &["identified by", "identified with", "password '", "password \\'"],
        r#"(?i)(?:identified (?:by|with [A-Za-z0-9_'\x22]+ (?:by|as))|password) +(?:=\s*)?(?:N?\\*['\x22]([^'\x22\\\s]{4,})|([^\s'\x22;\\]*\d[^\s'\x22;\\]*))"#,
        Check::Password,
    )
    .from("SQL: CREATE USER … IDENTIFIED BY, PASSWORD '…'")
    .yes(&["CREATE USER x IDENTIFIED BY 'Gr4n1te{d3}'", "ALTER ROLE x WITH LOGIN PASSWORD 'Gr4n1te{d3}';"])
    .no(&["the password 'field' is empty", "identified by 'name'"]),
    Rule::context(
        "netrc-password",
        &["machine ", "login "],
        r"(?:machine\s+\S{1,200}\s+)?login\s+\S{1,128}\s+password\s+(\S{3,})",
        Check::Given,
    )
    .from("netrc(5)")
    .yes(&["machine api.example login ci password Gr4n1te{d3}", "machine x login ci password granite-meadow-swift"])
    .no(&["login and password are asked for"]),
    Rule::context(
        "pgpass-password",
        &[":5432:", ":5433:", ":6432:", ":*:"],
        r":(?:\d{2,5}|\*):[A-Za-z0-9_*-]{1,64}:[A-Za-z0-9_.*-]{1,64}:([^\s:\\]{4,})",
        Check::Given,
    )
    .from("PostgreSQL: the password file")
    .yes(&["db.internal:5432:ledger:svc:Gr4n1te{d3}", "db.internal:5432:*:svc:Gr4n1te{d3}"])
    .no(&["0.0.0.0:5432:5432", "host:5432:name"]),
    Rule::context("presigned-url", &["X-Goog-Signature="], r"(?i)X-Goog-Signature=([a-f0-9]{64,})", Check::Real)
        .from("Google Cloud Storage: signed URLs")
        .yes(&["?X-Goog-Signature={h256}"])
        .no(&["X-Goog-Signature="]),
    Rule::context(
        "webhook-key",
        &["maker.ifttt.com/"],
        r"maker\.ifttt\.com/(?:use/|trigger/[A-Za-z0-9_{}-]{1,64}/(?:json/)?with/key/)([A-Za-z0-9_-]{20,})",
        Check::Real,
    )
    .from("IFTTT: webhooks")
    .yes(&["https://maker.ifttt.com/trigger/x/with/key/{w43}"])
    .no(&["https://maker.ifttt.com/trigger/x"]),
    Rule::context("azure-sas", &["sig="], r"sig=([A-Za-z0-9_-]{43})\b", Check::Random)
        .from("Azure Logic Apps: triggers' URLs")
        .yes(&["https://prod-01.x.logic.azure.com/workflows/{h32}/triggers/manual/paths/invoke?sv=1.0&sig={w43}"])
        .no(&["sig=abc"]),
    Rule::context(
        "htpasswd-hash",
        &[":$apr1$", ":$2y$", ":$2b$", ":$6$", ":$5$", ":$y$"],
        r":(\$(?:apr1|2[by]|5|6|y)\$[A-Za-z0-9./$=,]{20,})",
        Check::Real,
    )
    .from("htpasswd(1), shadow(5): hashes that can be tried offline")
    .yes(&["ci:$apr1${x8}${x22}", "root:$6${x16}${x86}:19700:0:99999:7:::"])
    .no(&["password_hash: $2b$12$x"]),
];
