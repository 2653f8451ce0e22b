//! Secrets that commands print, that stand in files of a known layout, or in sentences with the value first.

use crate::redaction::rule::{Check, Rule};

/// What a command printed: the next line, alone, perhaps behind an empty one.
macro_rules! prints {
    ($command:expr) => {
        concat!("(?:", $command, r#")[^\n]{0,200}\n(?:[ \t]*\n)?(?:[ \t]*\d+(?:\t|\u2192))?[ \t]*\\*['\x22]?([^\s'\x22\\]{8,})\\*['\x22]?[ \t\r]*(?:\n|$)"#)
    };
}

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::context("printed-secret", &["wg genkey", "wg genpsk", "openssl rand", "secrets.token_", "pwgen", "apg -", "makepasswd", "/dev/urandom"], prints!(r"wg gen(?:key|psk)|openssl rand|secrets\.token_(?:hex|urlsafe)|pwgen|apg -|makepasswd|/dev/u?random\s*\|"), Check::Random)
        .from("programs that make keys and passwords")
        .yes(&["$ wg genkey | tee privatekey\n{x43}=", "$ openssl rand -base64 32\n{x43}=", "$ python3 -c 'import secrets; print(secrets.token_hex(32))'\n{h64}"])
        .no(&["$ openssl rand -base64 32 > key\n$ ls", "$ openssl rand -hex 16 | tee key\nwritten"]),
    Rule::context("printed-secret", &["initial-password", "initialAdminPassword", "following password", "reset-password", "enerated password", "enerated root password", "initial_root_password", "emporary password", "get-secret-value", "get secret", "secrets versions access", "keyvault secret", "vault kv get -field", "vault read -field", "op read", "find-generic-password", "auth:token", "print-access-token", "print-identity-token", "auth token", "pass show", "gopass show", "bw get password", "get-login-password", "get-access-token", "chamber read", "doppler secrets get", "infisical secrets get", "secret-tool lookup"], prints!(r"(?i)initial-?(?:admin-?)?password|initial_root_password|following password|reset-password|g?enerated (?:root )?password|emporary password|get-secret-value[^\n]*--query|get secrets?\b[^\n]*(?:base64 (?:-d|-D|--decode)|jsonpath|go-template)|secrets versions access|keyvault secret show[^\n]*-o(?:utput)? tsv|vault (?:kv get|read) -field|op read|find-generic-password|auth:token|print-(?:access|identity)-token|auth token|(?:go)?pass show|bw get password|get-login-password|get-access-token|chamber read|doppler secrets get|infisical secrets get|secret-tool lookup"), Check::Password)
        .from("programs that show a secret: argocd, Jenkins, kubectl, cloud and password managers' command lines")
        .yes(&["$ argocd admin initial-password -n argocd\n{x16}7", "Please use the following password to proceed to installation:\n\n{h32}\n", "$ kubectl get secret db -o jsonpath='{.data.pw}' | base64 -d\nGr4n1te{d3}\n", "$ op read op://prod/db/pw\nGr4n1te{d3}"])
        .no(&["$ kubectl get secret db\nNAME TYPE", "the following password rules hold:\nlength", "$ gh auth token --help\nPrint"]),
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
        .yes(&["rootpw --iscrypted $6${x8}${x86}", "password: $y$j9T${x22}${x43}"])
        .no(&["$6$salt", "$y$j9T$x"]),
    Rule::context("spoken-password", &["as the password", "as password", "as the root password", "as the admin password"], r"[\s'\x22`]([^\s'\x22`]{8,64})['\x22`]? as (?:the )?(?:root |admin )?password", Check::Random)
        .back(80)
        .from("sentences that say the password first")
        .yes(&["log in as root with {x14}7 as the password"])
        .no(&["use the username as the password", "send the accesstoken as the password"]),
    Rule::context("spoken-password", &["login with ", "log in with ", "logging in with ", "zugangsdaten", "credentials", "creds:", "anmeldung mit", "identifiants", "credenciales", "logins:"], r"(?i)(?:log(?:ging)? ?in with|zugangsdaten|credentials|creds|anmeldung mit|identifiants|credenciales|logins)(?: (?:are|sind|sont|son))?:? ?[\x22'`(]?[\w.@-]{2,64}[\x22'`]? ?(?: / | : | \| )[\x22'`]?([^\s/:|\x22'`,)]{6,64})", Check::Random)
        .from("sentences that give a user and a password")
        .yes(&["Login with admin / Bl4ubeer{d3}n (staging)", "Zugangsdaten: admin / 0penS{d2}same7"])
        .no(&["Login with Google / GitHub", "credentials: a / b"]),
];
