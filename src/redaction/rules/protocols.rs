//! Protocols and the programs that speak them: keys of DNSSEC and TLS, cookies of Erlang, users of IRC and proxies, shares of a secret.

use crate::redaction::rule::{Check, Rule};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::context("private-key", &["PrivateExponent:", "Prime1:", "Prime2:", "Exponent1:", "Exponent2:", "Coefficient:"], r"(?:PrivateExponent|Prime[12]|Exponent[12]|Coefficient):[ \t]*([A-Za-z0-9+/]{40,}={0,2})", Check::Random)
        .from("BIND: the private members of a key in Private-key-format")
        .yes(&["PrivateExponent: {b120}=", "Prime1: {b80}=="])
        .no(&["Modulus: {b120}=", "PublicExponent: AQAB", "Coefficient: 0.25"]),
    Rule::context("tls-secret", &["CLIENT_RANDOM ", "CLIENT_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC", "SERVER_HANDSHAKE_TRAFFIC", "EXPORTER_SECRET "], r"(?:CLIENT_RANDOM|(?:CLIENT|SERVER)_(?:HANDSHAKE_)?TRAFFIC_SECRET(?:_0)?|EXPORTER_SECRET)[ \t]+[a-f0-9]{64}[ \t]+([a-f0-9]{64,128})\b", Check::Real)
        .from("SSLKEYLOGFILE: what opens a recorded connection")
        .yes(&["CLIENT_RANDOM {h64} {h96}", "CLIENT_HANDSHAKE_TRAFFIC_SECRET {h64} {h64}"])
        .no(&["CLIENT_RANDOM {h64}", "EXPORTER_SECRET x"]),
    Rule::context("erlang-cookie", &["erlang.cookie", "erlang_cookie"], r"(?i:erlang[._]cookie)(?:[^\n]{0,80}\n(?:[ \t]*\n)?(?:[ \t]*\d+(?:\t|\xE2\x86\x92))?[ \t]*|\\*\x22?[ \t]*[:=][ \t]*\\*[\x22']?)([A-Z]{20})\b", Check::Real)
        .from("Erlang, RabbitMQ: a cookie of twenty capitals that the runtime drew")
        .yes(&["$ cat ~/.erlang.cookie\nABCDEFGHIJKLMNOPQRST\n", "RABBITMQ_ERLANG_COOKIE=ABCDEFGHIJKLMNOPQRST"])
        .no(&["RABBITMQ_ERLANG_COOKIE=COOKIE"]),
    Rule::context("consul-token", &["SecretID:", "\"SecretID\""], r#"SecretID\\*\x22?:[ \t]*\\*\x22?([a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})\b"#, Check::Real)
        .from("Consul, Nomad: the secret of an ACL token, as its commands print it")
        .yes(&["AccessorID:   {u}\nSecretID:     {u}\n"])
        .no(&["AccessorID:   {u}\n"]),
    Rule::context("irc-password", &["nickserv identify ", "nickserv register ", "nickserv :identify ", "chanserv identify "], r"(?i:(?:nick|chan)serv :?(?:identify|register)) (?:[\w\[\]|`^-]{2,30} )?([^\s\x22']{6,64})", Check::Chosen)
        .from("IRC services: IDENTIFY and REGISTER")
        .yes(&["/msg NickServ IDENTIFY Winter-sommer-{d3}", "/msg nickserv identify ann Gr4n1te{d3}"])
        .no(&["/msg NickServ identify <password>", "use NickServ identify first"]),
    Rule::context("proxy-password", &["cache_peer "], r"cache_peer [^\n]{0,200}?login=[\w.@-]{1,64}:([^\s]{4,64})", Check::Password)
        .from("squid: the login of a parent")
        .yes(&["cache_peer p.example parent 3128 0 login=ann:Gr4n1te{d3}"])
        .no(&["cache_peer p.example parent 3128 0 login=PASS"]),
    Rule::context("ppp-secret", &["pptpd", "l2tpd", "xl2tpd"], r"(?:pptpd|x?l2tpd)[ \t]+\x22?([^\s\x22]{6,64})\x22?[ \t]+(?:\*|\d{1,3}(?:\.\d{1,3}){3})", Check::Chosen)
        .from("pppd(8): chap-secrets with a server and an address")
        .yes(&["branch1   pptpd   Lampe-drachen-{d3}   10.9.0.12"])
        .no(&["systemctl restart pptpd", "pptpd listens on 10.0.0.1"]),
    Rule::context("password-file", &["userlist.txt"], r"userlist\.txt[^\n]{0,80}\n[\s\d+>#|\x80-\xFF-]{0,14}?\x22[\w.@-]{1,64}\x22[ \t]+\x22([^\x22\n]{6,200})\x22", Check::Password)
        .from("PgBouncer: auth_file")
        .yes(&["; /etc/pgbouncer/userlist.txt\n\"app\" \"Montana_Lampe{d4}\"\n"])
        .no(&["auth_file = /etc/pgbouncer/userlist.txt\nauth_type = md5\n"]),
    Rule::context("secret-share", &["ssss-split"], r"ssss-split[^\n]*\n((?:[\s\d+>|\x80-\xFF-]{0,14}?(?:\w{1,16}-)?\d{1,3}-[a-f0-9]{16,512}[ \t\r]*(?:\n|\z))+)", Check::Real)
        .from("ssss(1): the shares of a secret")
        .yes(&["$ ssss-split -t 2 -n 2 -q\n1-{h64}\n2-{h64}\n"])
        .no(&["$ ssss-split -t 2 -n 2\nEnter the secret:\n"]),
    Rule::context("channel-token", &["/t/"], r"https?://[^\s/]{3,120}/t/([A-Za-z0-9-]{20,64})/[\w.-]", Check::Random)
        .back(140)
        .from("conda: a channel's token in its URL")
        .yes(&["https://conda.example/t/{x24}/internal"])
        .no(&["https://forum.example/t/how-to-do-something-with-it/1234"]),
    Rule::context("totp-seed", &["authenticator"], r"(?i:authenticator)[^\n:]{0,40}: ?([A-Z2-7]{16,64})\b", Check::Random)
        .from("RFC 6238: the key that is typed into an authenticator")
        .yes(&["Enter this setup key in your authenticator app: {A32}"])
        .no(&["authenticator: SOMETHINGELSEALTOGETHER"]),
    Rule::context("generated-password", &["password is provided"], r"password is provided[^\n:]{0,60}: ([^\s]{6,64})", Check::Password)
        .from("qBittorrent: a password for this session, in its log")
        .yes(&["A temporary password is provided for this session: esNo1K{d3}"])
        .no(&["The password is provided by the vault: see the wiki"]),
];
