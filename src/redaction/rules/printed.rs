//! Secrets that commands print alone in a line, and sentences that say the value first.

use crate::redaction::rule::{Check, Rule};

/// What a command printed: the next line, alone, perhaps behind an empty one.
macro_rules! prints {
    ($command:expr) => {
        concat!("(?:", $command, r#")[^\n]{0,200}\n(?:[ \t]*\n)?(?:[ \t]*\d+(?:\t|\u2192))?[ \t]*\\*['\x22]?([^\s'\x22\\]{8,})\\*['\x22]?[ \t\r]*(?:\n|$)"#)
    };
}

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::context("printed-secret", &["wg genkey", "wg genpsk", "openssl rand", "secrets.token_", "pwgen", "rails secret", "apg -", "makepasswd", "/dev/urandom"], prints!(r"wg gen(?:key|psk)|openssl rand|secrets\.token_(?:hex|urlsafe)|pwgen|rails secret|apg -|makepasswd|/dev/u?random\s*\|"), Check::Random)
        .from("programs that make keys and passwords")
        .yes(&["$ wg genkey | tee privatekey\n{x43}=", "$ openssl rand -base64 32\n{x43}=", "$ python3 -c 'import secrets; print(secrets.token_hex(32))'\n{h64}"])
        .no(&["$ openssl rand -base64 32 > key\n$ ls", "$ openssl rand -hex 16 | tee key\nwritten"]),
    Rule::context("printed-secret", &["initial-password", "initialAdminPassword", "following password", "reset-password", "enerated password", "enerated root password", "initial_root_password", "emporary password", "get-secret-value", "get secret", "secrets versions access", "keyvault secret", "vault kv get -field", "vault read -field", "op read", "find-generic-password", "auth:token", "print-access-token", "print-identity-token", "auth token", "pass show", "gopass show", "bw get password", "get-login-password", "get-access-token", "chamber read", "doppler secrets get", "infisical secrets get", "secret-tool lookup"], prints!(r"(?i)initial-?(?:admin-?)?password|initial_root_password|following password|reset-password|g?enerated (?:root )?password|emporary password|get-secret-value[^\n]*--query|get secrets?\b[^\n]*(?:base64 (?:-d|-D|--decode)|jsonpath|go-template)|secrets versions access|keyvault secret show[^\n]*-o(?:utput)? tsv|vault (?:kv get|read) -field|op read|find-generic-password|auth:token|print-(?:access|identity)-token|auth token|(?:go)?pass show|bw get password|get-login-password|get-access-token|chamber read|doppler secrets get|infisical secrets get|secret-tool lookup"), Check::Password)
        .from("programs that show a secret: argocd, Jenkins, kubectl, cloud and password managers' command lines")
        .yes(&["$ argocd admin initial-password -n argocd\n{x16}7", "Please use the following password to proceed to installation:\n\n{h32}\n", "$ kubectl get secret db -o jsonpath='{.data.pw}' | base64 -d\nGr4n1te{d3}\n", "$ op read op://prod/db/pw\nGr4n1te{d3}"])
        .no(&["$ kubectl get secret db\nNAME TYPE", "the following password rules hold:\nlength", "$ gh auth token --help\nPrint"]),
    Rule::context("spoken-password", &["as the password", "as password", "as the root password", "as the admin password"], r"[\s'\x22`]([^\s'\x22`]{8,64})['\x22`]? as (?:the )?(?:root |admin )?password", Check::Random)
        .back(80)
        .from("sentences that say the password first")
        .yes(&["log in as root with {x14}7 as the password"])
        .no(&["use the username as the password", "send the accesstoken as the password"]),
    Rule::context("spoken-password", &["creds ", "creds:", "credentials", "login: ", "logins: ", "login for ", "log in as ", "ssh as "], r"(?i)(?:creds|credentials|logins?|log in as|ssh as)(?: (?:are|is|for [^\n:]{1,40}|in [^\n:]{1,40}))?(?::| ->| =>| =|)\s{1,2}[\x22'`(]?[\w.@-]{2,64}(?::| / |/)([^\s\x22'`,)]{6,64})", Check::Chosen)
        .from("sentences that give a user and a password, a colon between")
        .yes(&["creds -> admin:Gr4n1te!{d3}", "login: ann:Gr4n1te!{d3}", "log in as root/Gr4n1te!{d3}"])
        .no(&["login: ann", "credentials for x: see wiki:Page", "logins: 12:30:55"]),
    Rule::context("spoken-password", &["login with ", "log in with ", "creds are", "logging in with ", "zugangsdaten", "credentials", "creds:", "anmeldung mit", "identifiants", "credenciales", "logins:"], r"(?i)(?:log(?:ging)? ?in with|zugangsdaten|credentials|creds|anmeldung mit|identifiants|credenciales|logins)(?: (?:are|sind|sont|son))?:? ?[\x22'`(]?[\w.@-]{2,64}[\x22'`]? ?(?: / | : | \| )[\x22'`]?([^\s/:|\x22'`,)]{6,64})", Check::Password)
        .from("sentences that give a user and a password")
        .yes(&["Login with admin / Bl4ubeer{d3}n (staging)", "Zugangsdaten: admin / 0penS{d2}same7"])
        .no(&["Login with Google / GitHub", "credentials: a / b"]),
];
