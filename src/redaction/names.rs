//! Names: whether what a value is called says that it is a secret.

use std::cell::RefCell;

use super::tongues;

/// What a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// People choose passwords: they may be short, and almost words.
    Password,
    /// People choose these too, of several words.
    Phrase,
    /// Four digits or some more.
    Pin,
    /// Machines make these: long and random.
    Token,
    Secret,
    ApiKey,
    /// A key that may be anything, a cache key too: only what is surely random counts.
    Key,
    /// A scheme and a credential, or `user:password` in base64.
    Authorization,
    /// Words.
    SeedPhrase,
    /// `name=value; …`
    Cookies,
}

impl Class {
    /// The rule that a finding by such a name is counted under.
    pub fn rule(self) -> &'static str {
        match self {
            Class::Password | Class::Phrase => "password",
            Class::Pin => "pin",
            Class::Token => "token",
            Class::Secret => "secret",
            Class::ApiKey | Class::Key => "api-key",
            Class::Authorization => "credential",
            Class::SeedPhrase => "seed-phrase",
            Class::Cookies => "cookie",
        }
    }
}

/// What a name must have in it to be looked at, in any case.
#[rustfmt::skip]
pub(super) const KEYWORDS: &[&str] = &[
    "pass", "pwd", "pswd", "psw", "_pw", "-pw", "userpw", "bindpw", "adminpw", "rootpw", "smtppw", "dbpw", "pw:", "pw=", "pw is", ", pw ",
    "udopw", "secret", "token", "key", "jwt", "bearer", "_pat", "auth", "cred", "mnemonic", "phrase", "_seed", "seedhex", "etseed", "seed =",
    "seed:", "seed=", "_sas", "cookie", "psk", "unseal", "bw_session", "pepper", "_salt", "totp", "salt=", "encrypt", "pin=", "pin =", "pin:", "pin is", "pin_code",
    "-pin", "_pin", "pin\"", "pin für", "pin for", "pincode", "recovery", "backup_code", "backupcode", "communit", "_sk", "dksk", "-sk", "accesssk",
    "cloudsk", "macaroon", "session_string", "string_session", "sessionstring", "stringsession", "keypair", "pswrd", "passw", "pwrd", "psswd",
];

/// Words at a name's end that leave its meaning as it is.
#[rustfmt::skip]
const TRAILERS: &[&str] = &[
    "prod", "production", "prd", "dev", "develop", "development", "stage", "staging", "stg", "test", "testing", "uat",
    "qa", "old", "new", "current", "previous", "prev", "primary", "secondary", "live", "sandbox", "b64", "base64",
    "plain", "plaintext", "text", "value", "val", "data", "default", "raw", "str", "string", "main", "backup", "rw",
    "ro", "local", "temp", "tmp", "again", "confirm", "confirmation", "repeat", "clear", "bytes", "hex", "append", "push",
];

/// Words at a name's end that make it something about a secret.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "id", "ids", "name", "names", "url", "uri", "urls", "endpoint", "host", "file", "filename", "files", "path",
    "paths", "dir", "type", "types", "kind", "ttl", "expiry", "expires", "expiration", "expire", "in", "at", "on",
    "count", "counts", "limit", "limits", "length", "len", "size", "version", "policy", "policies", "field", "fields",
    "header", "headers", "param", "params", "parameter", "prefix", "suffix", "format", "arn", "provider", "store",
    "manager", "server", "class", "ref", "refs", "enabled", "required", "valid", "set", "env", "var", "source",
    "label", "placeholder", "hint", "error", "errors", "message", "help", "title", "description", "regex", "pattern",
    "rule", "rules", "strength", "reset", "change", "prompt", "input", "form", "page", "min", "max", "score",
    "status", "state", "date", "time", "age", "usage", "used", "budget", "window", "hash", "digest", "algorithm",
    "alg", "info", "config", "options", "settings", "service", "handler", "callback", "method", "function", "fn",
    "index", "list", "map", "table", "column", "scope", "scopes", "cost", "costs", "price", "rotation", "manager",
    "generator", "timeout", "timeouts", "interval", "days", "hours", "minutes", "seconds", "secs", "millis", "ms",
    "retries", "attempts", "iterations",
];

/// What makes a key a secret one.
#[rustfmt::skip]
pub(super) const SECRET_KEYS: &[&str] = &[
    "api", "access", "secret", "private", "signing", "sign", "encryption", "encrypt", "decryption", "auth", "master",
    "account", "shared", "service", "session", "client", "app", "application", "license", "admin", "deploy", "ssh",
    "pgp", "gpg", "age", "ssl", "tls", "hmac", "jwt", "cipher", "crypto", "aes", "webhook", "integration", "ingest",
    "ingestion", "write", "root", "bot", "consumer", "developer", "token", "cookie", "storage", "function", "server",
    "security", "authorization", "authentication", "subscription", "merchant", "wallet", "signature", "registration",
    "ca", "rsa", "ec", "ecdsa", "ed25519", "recovery", "unseal", "kms", "vault", "credential", "password", "pass", "priv", "prv",
    "sec", "preshared", "tacacs", "radius", "crypt", "feed", "push", "rpc", "infra", "management", "ops",
];

/// What makes a key a plain one.
#[rustfmt::skip]
const PLAIN_KEYS: &[&str] = &[
    "public", "pub", "primary", "foreign", "cache", "sort", "partition", "object", "unique", "row", "map", "dict",
    "idempotency", "lookup", "config", "item", "group", "order", "s3", "i18n", "translation", "msg", "message",
    "hash", "range", "dedup", "deduplication", "registry", "context", "query", "state", "data", "json",
    "yaml", "parent", "child", "node", "sha", "git", "commit", "file", "path", "column", "field", "table", "ref",
    "hot", "arrow", "enter", "escape", "shortcut", "press", "event", "keyboard", "by", "prompt", "tree", "merkle",
    "bucket", "blob", "image", "react", "list", "composite", "natural", "surrogate", "feature", "issue", "project",
    "any", "the", "for",
];

/// What makes a token something other than a credential.
#[rustfmt::skip]
const PLAIN_TOKENS: &[&str] = &[
    "next", "page", "continuation", "sync", "resume", "cursor", "eos", "bos", "pad", "unk", "mask", "sep", "cls",
    "stop", "special", "per", "max", "min", "cancellation", "input", "output", "cached", "total", "lexer", "syntax",
];

/// What makes a salt one that is kept secret.
const SALTED: &[&str] = &[
    "hash",
    "auth",
    "in",
    "nonce",
    "token",
    "encryption",
    "app",
    "api",
    "secret",
    "cookie",
    "session",
    "jwt",
    "security",
    "key",
    "hashids",
    "signing",
    "cipher",
];

/// What says that a secret is shown as what it comes to.
const HASHED: &[&str] = &["hashed", "encrypted", "sealed", "masked", "redacted", "obfuscated", "digested"];

/// Parts that tell wherever they stand, as in `AWS_BEARER_TOKEN_BEDROCK`.
const TELLING: &[(&str, Class)] = &[
    ("password", Class::Password),
    ("passwd", Class::Password),
    ("passphrase", Class::Phrase),
    ("client_secret", Class::Secret),
    ("api_key", Class::ApiKey),
    ("apikey", Class::ApiKey),
    ("secret_key", Class::ApiKey),
    ("private_key", Class::ApiKey),
    ("access_token", Class::Token),
    ("auth_token", Class::Token),
    ("bearer_token", Class::Token),
    ("api_token", Class::Token),
];

/// What names said before: a session has the same few thousands of times.
#[derive(Default)]
pub(super) struct Names(RefCell<Vec<Known>>);

/// The longest name that is kept, and how many are, by their hash: a newer one takes an older one's place.
const MAX_KEPT: usize = 24;
const CELLS: usize = 512;

#[derive(Clone, Copy)]
struct Known {
    len: usize,
    name: [u8; MAX_KEPT],
    class: Option<Class>,
}

impl Names {
    /// See [`classify`].
    pub fn classify(&self, name: &[u8]) -> Option<Class> {
        if name.len() > MAX_KEPT || name.is_empty() {
            return classify(name);
        }
        let hash = name.iter().fold(0xCBF2_9CE4_u32, |hash, b| (hash ^ u32::from(*b)).wrapping_mul(0x0100_0193));
        let mut cells = self.0.borrow_mut();
        if cells.is_empty() {
            cells.resize(CELLS, Known { len: 0, name: [0; MAX_KEPT], class: None });
        }
        let known = &mut cells[(hash >> 8) as usize % CELLS];
        if known.name[..known.len] != *name {
            known.len = name.len();
            known.name[..name.len()].copy_from_slice(name);
            known.class = classify(name);
        }
        known.class
    }
}

/// The class of the value that has this name, if the name says that it is a secret.
pub(super) fn classify(name: &[u8]) -> Option<Class> {
    if let Some(class) = tongues::by_ending(name) {
        return Some(class);
    }
    if name.first()? >= &0x80 && unmarked(name).is_none() {
        return Some(Class::Password);
    }
    let words = words(name);
    if ["vault_secret_id", "approle_secret_id", "bw_session", "session_string", "string_session"]
        .iter()
        .any(|n| words.ends_with(n))
    {
        return Some(Class::Token);
    }
    let mut parts: Vec<&str> = words.split('_').filter(|w| !w.is_empty()).collect();
    let mut last = strip_digits(parts.pop()?);
    while !parts.is_empty() && (TRAILERS.contains(&last) || last.is_empty()) {
        last = strip_digits(parts.pop()?);
    }
    let before = parts.last().map_or("", |w| strip_digits(w));
    if words == "encrypt" {
        // The key of what Consul and Nomad say to each other.
        return Some(Class::Key);
    }
    if last == "seed" && before.is_empty() && words != "seed" {
        // `seedHex`
        return Some(Class::SeedPhrase);
    }
    if HASHED.contains(&before) {
        return None;
    }
    by_last_word(last, before).or_else(|| {
        if ABOUT.contains(&last) {
            return None;
        }
        parts.push(last);
        if let Some(class) = tongues::by_parts(&parts) {
            return Some(class);
        }
        TELLING.iter().find(|(part, _)| words.contains(part)).map(|(_, class)| *class)
    })
}

fn by_last_word(last: &str, before: &str) -> Option<Class> {
    let class = match last {
        "pass"
            if matches!(
                before,
                "render" | "shadow" | "light" | "lighting" | "depth" | "blur" | "compiler" | "first"
            ) =>
        {
            return None;
        }
        "pass" | "pwd" | "pw" | "psw" | "pswd" | "pswrd" | "pwrd" | "passw" | "psswd" | "passcode" | "passwords"
        | "requirepass" | "masterauth" => Class::Password,
        "psk" => Class::Phrase,
        "community" if matches!(before, "snmp" | "ro" | "rw" | "read" | "write" | "trap") => Class::Password,
        "code" | "codes" if matches!(before, "recovery" | "backup" | "rescue") => Class::Password,
        "salt" if SALTED.contains(&before) => Class::Secret,
        "sk" if !before.is_empty() => Class::Key,
        "skey" => Class::ApiKey,
        "totp" => Class::Token,
        "keypair" => Class::Key,
        "macaroon" => Class::Token,
        "pin"
            if matches!(
                before,
                "" | "card" | "user" | "sim" | "so" | "login" | "atm" | "bank" | "door" | "my" | "unlock"
            ) =>
        {
            Class::Pin
        }
        "code" if before == "pin" => Class::Pin,
        "pepper" => Class::Secret,
        "secrets" => Class::Secret,
        "token" if PLAIN_TOKENS.contains(&before) => return None,
        "jwt" | "bearer" | "sas" => Class::Token,
        "pat" if !before.is_empty() => Class::Token,
        "key" if matches!(before, "shared" | "preshared") => Class::Phrase,
        "key" | "keys" if SECRET_KEYS.contains(&before) => Class::ApiKey,
        "key" if before.is_empty() || PLAIN_KEYS.contains(&before) => return None,
        "key" => Class::Key,
        "auth" | "authorization" | "credential" | "credentials" | "creds" => Class::Authorization,
        "mnemonic" => Class::SeedPhrase,
        "cookie" | "cookies" => Class::Cookies,
        "phrase" if before == "pass" => Class::Phrase,
        "phrase" if matches!(before, "seed" | "recovery" | "secret" | "backup" | "mnemonic") => Class::SeedPhrase,
        "seed" if !before.is_empty() => Class::SeedPhrase,
        _ => by_ending(last)?,
    };
    Some(class)
}

/// Names written together: `dbpassword`, `apikey`.
fn by_ending(last: &str) -> Option<Class> {
    const ENDINGS: &[(&str, Class)] = &[
        ("password", Class::Password),
        ("passwd", Class::Password),
        ("passwort", Class::Password),
        ("kennwort", Class::Password),
        ("passphrase", Class::Phrase),
        ("userpass", Class::Password),
        ("sshpass", Class::Password),
        ("rootpass", Class::Password),
        ("adminpass", Class::Password),
        ("smtppass", Class::Password),
        ("userpw", Class::Password),
        ("bindpw", Class::Password),
        ("adminpw", Class::Password),
        ("rootpw", Class::Password),
        ("smtppw", Class::Password),
        ("dbpw", Class::Password),
        ("pwd", Class::Password),
        ("dbpass", Class::Password),
        ("storepass", Class::Password),
        ("keypass", Class::Password),
        ("mysqlpwd", Class::Password),
        ("secret", Class::Secret),
        ("token", Class::Token),
        ("apikey", Class::ApiKey),
        ("accesskey", Class::ApiKey),
        ("secretkey", Class::ApiKey),
        ("privatekey", Class::ApiKey),
        ("authkey", Class::ApiKey),
        ("accountkey", Class::ApiKey),
        ("signingkey", Class::ApiKey),
        ("encryptionkey", Class::ApiKey),
        ("masterkey", Class::ApiKey),
        ("appkey", Class::ApiKey),
        ("licensekey", Class::ApiKey),
        ("sharedkey", Class::Phrase),
        ("servicekey", Class::ApiKey),
        ("sessionkey", Class::ApiKey),
        ("privkey", Class::ApiKey),
        ("aeskey", Class::ApiKey),
        ("hmackey", Class::ApiKey),
    ];
    // `mailpass`, but not `compass`.
    const OTHERS: &[&str] = &[
        "compass",
        "bypass",
        "trespass",
        "surpass",
        "encompass",
        "overpass",
        "underpass",
        "subpass",
        "multipass",
        "lowpass",
        "highpass",
        "bandpass",
        "allpass",
        "renderpass",
        "prepass",
        "singlepass",
        "twopass",
        "nextpass",
        "firstpass",
    ];
    if last.ends_with("pass") && last.len() > 5 && !OTHERS.contains(&last) {
        return Some(Class::Password);
    }
    ENDINGS.iter().find(|(ending, _)| last.ends_with(ending)).map(|(_, class)| *class)
}

fn strip_digits(word: &str) -> &str {
    // A digit within belongs to the word: `ed25519`, `base64`, `s3`.
    if matches!(word, "b64" | "base64" | "ed25519" | "s3" | "i18n") {
        return word;
    }
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// The letter without its marks that two bytes of UTF-8 stand for: `ñ` is `n`, and so on through Latin-1 and Latin Extended-A.
pub(super) fn unmarked(bytes: &[u8]) -> Option<u8> {
    const LATIN_1: &[u8; 64] = b"aaaaaaaceeeeiiiidnooooo_ouuuuytsaaaaaaaceeeeiiiidnooooo_ouuuuyty";
    const EXTENDED: &[u8; 128] = b"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
    match *bytes {
        [0xC3, b @ 0x80..=0xBF, ..] => Some(LATIN_1[usize::from(b - 0x80)]),
        [a @ (0xC4 | 0xC5), b @ 0x80..=0xBF, ..] => Some(EXTENDED[usize::from(a - 0xC4) * 64 + usize::from(b - 0x80)]),
        _ => None,
    }
}

/// The words of a name in lower case with `_` between: `secretAccessKey`, `X-API-Key`, `db.password`.
fn words(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    for (i, &b) in name.iter().enumerate() {
        if let Some(letter) = unmarked(&name[i..]) {
            out.push(letter as char);
            continue;
        }
        if i > 0 && unmarked(&name[i - 1..]).is_some() {
            continue;
        }
        if !b.is_ascii_alphanumeric() {
            out.push('_');
            continue;
        }
        let before = i.checked_sub(1).map_or(b'_', |j| name[j]);
        let after = name.get(i + 1).copied().unwrap_or(b'_');
        let starts_word = b.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && after.is_ascii_lowercase()));
        if starts_word {
            out.push('_');
        }
        out.push(b.to_ascii_lowercase() as char);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        use Class::*;
        for (name, class) in [
            ("password", Some(Password)),
            ("DB_PASSWORD", Some(Password)),
            ("spring.datasource.password", Some(Password)),
            ("dbPassword2", Some(Password)),
            ("POSTGRES_PASSWORD_PROD", Some(Password)),
            ("PGPASSWORD", Some(Password)),
            ("storepass", Some(Password)),
            ("_password", Some(Password)),
            ("Pwd", Some(Password)),
            ("aws_secret_access_key", Some(ApiKey)),
            ("secretAccessKey", Some(ApiKey)),
            ("X-Api-Key", Some(ApiKey)),
            ("apikey", Some(ApiKey)),
            ("CF_ORIGIN_CA_KEY", Some(ApiKey)),
            ("AccountKey", Some(ApiKey)),
            ("DD_APP_KEY", Some(ApiKey)),
            ("HEROKU_KEY", Some(Key)),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", Some(Secret)),
            ("client-secret", Some(Secret)),
            ("PLAID_SECRET", Some(Secret)),
            ("GITHUB_TOKEN", Some(Token)),
            ("_authToken", Some(Token)),
            ("AWS_BEARER_TOKEN_BEDROCK", Some(Token)),
            ("AZURE_DEVOPS_EXT_PAT", Some(Token)),
            ("Authorization", Some(Authorization)),
            ("auth", Some(Authorization)),
            ("MNEMONIC", Some(SeedPhrase)),
            ("seed_phrase", Some(SeedPhrase)),
            ("key", None),
            ("monkey", None),
            ("keyboard", None),
            ("cache_key", None),
            ("publicKey", None),
            ("primary_key", None),
            ("AWS_ACCESS_KEY_ID", None),
            ("private_key_id", None),
            ("tokens", None),
            ("max_tokens", None),
            ("nextPageToken", None),
            ("input_tokens", None),
            ("token_type", None),
            ("secretName", None),
            ("password_policy", None),
            ("PASSWORD_RESET_TIMEOUT", None),
            ("clave_secreta", Some(Password)),
            ("contraseña", Some(Password)),
            ("lösenord", Some(Password)),
            ("hasło", Some(Password)),
            ("clé_secrète", Some(Password)),
            ("clé", None),
            ("GPG_PASSPHRASE", Some(Phrase)),
            ("card_pin", Some(Pin)),
            ("pinCode", Some(Pin)),
            ("spin", None),
            ("led_pin_number", None),
            ("LED_PIN", None),
            ("render_pass", None),
            ("cle_api", Some(Password)),
            ("cleApi", Some(Password)),
            ("duoSkey", Some(ApiKey)),
            ("HUAWEICLOUD_SDK_SK", Some(Key)),
            ("pass_phrase", Some(Phrase)),
            ("mdp_base", Some(Password)),
            ("snmpCommunity", Some(Password)),
            ("hashed_secret", None),
            ("bypass", None),
            ("mailpass", Some(Password)),
            ("AUTH_SALT", Some(Secret)),
            ("salt", None),
            ("geheimschluessel", Some(Password)),
            ("passwordHash", None),
            ("Set-Cookie", Some(Cookies)),
            ("author", None),
            ("uuid", None),
            ("signature", None),
            ("compass", None),
            ("", None),
        ] {
            assert_eq!(classify(name.as_bytes()), class, "{name}");
        }
    }
}
