//! More providers with a form of their own: AI platforms, hosts, packages, messaging.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::form(
        "azure-ai-key",
        &["AAAA", "ACOG"],
        r"\b[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{8,14}AAA[A-Z][A-Za-z0-9]{0,6}ACOG[A-Za-z0-9]{4}\b",
    )
    .back(84)
    .from("Azure AI services: keys of 84 characters with a mark in the middle and one at the end")
    .yes(&["{x52}JQQJ99{x10}AAAY{x4}ACOG{x4}", "{x52}JQQJ99{x10}AAAY{x5}ACOG{x4}"])
    .no(&["AAAAACOG"]),
    Rule::form("azure-registry-key", &["+ACR"], r"[A-Za-z0-9+/]{42}\+ACR[A-Za-z0-9+/]{6}")
        .back(42)
        .from("Azure Container Registry: identifiable keys of 52 characters")
        .yes(&["{x42}+ACRA{x5}"])
        .no(&["a+ACRs"]),
    Rule::form("vercel-blob-token", &["vercel_blob_rw_"], r"vercel_blob_rw_[A-Za-z0-9]{12,}_[A-Za-z0-9]{20,}")
        .from("Vercel Blob: read-write tokens")
        .yes(&["vercel_blob_rw_{x16}_{x30}"])
        .no(&["vercel_blob_rw_token"]),
    Rule::form("aiven-password", &["AVNS_"], r"AVNS_[A-Za-z0-9_-]{16,}")
        .from("Aiven: generated service passwords")
        .yes(&["AVNS_{x19}"])
        .no(&["AVNS_HOST"]),
    Rule::form("astra-token", &["AstraCS:"], r"AstraCS:[A-Za-z0-9]{20,}:[a-f0-9]{64}")
        .from("DataStax Astra: application tokens")
        .yes(&["AstraCS:{x24}:{h64}"])
        .no(&["AstraCS:token"]),
    Rule::form("xata-key", &["xau_"], r"xau_[A-Za-z0-9]{30,}")
        .from("Xata: API keys")
        .yes(&["xau_{x40}"])
        .no(&["xau_key"]),
    Rule::form("tinybird-token", &["p.eyJ"], r"p\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{30,}")
        .from("Tinybird: auth tokens")
        .yes(&["p.eyJ{w90}.{w43}"])
        .no(&["p.eyJ"]),
    Rule::form("e2b-key", &["e2b_"], r"e2b_[a-f0-9]{40}")
        .from("E2B: API keys")
        .yes(&["e2b_{h40}"])
        .no(&["e2b_sandbox"]),
    Rule::form("runpod-key", &["rpa_"], r"rpa_[A-Z0-9]{30,}[A-Za-z0-9]*")
        .from("RunPod: API keys")
        .yes(&["rpa_{A44}ab12"])
        .no(&["rpa_robot_name"]),
    Rule::form("apify-token", &["apify_api_"], r"apify_api_[A-Za-z0-9]{30,}")
        .from("Apify: API tokens")
        .yes(&["apify_api_{x36}"])
        .no(&["apify_api_client"]),
    Rule::form("llamacloud-key", &["llx-"], r"llx-[A-Za-z0-9]{40,}")
        .from("LlamaCloud: API keys")
        .yes(&["llx-{x48}"])
        .no(&["llx-parse"]),
    Rule::form("wandb-key", &["wandb_v1_"], r"wandb_v1_[A-Za-z0-9_]{40,}")
        .from("Weights & Biases: API keys since 2025")
        .yes(&["wandb_v1_{x70}"])
        .no(&["wandb_v1_run"]),
    Rule::form("mailersend-token", &["mlsn."], r"mlsn\.[a-f0-9]{60,}")
        .from("MailerSend: API tokens")
        .yes(&["mlsn.{h64}"])
        .no(&["mlsn.com"]),
    Rule::form("polar-token", &["polar_oat_", "polar_pat_"], r"polar_[op]at_[A-Za-z0-9]{30,}")
        .from("Polar: access tokens")
        .yes(&["polar_oat_{x43}"])
        .no(&["polar_oat_name"]),
    Rule::form(
        "swarm-key",
        &["SWMKEY-1-", "SWMTKN-1-"],
        r"SWM(?:KEY-1-[A-Za-z0-9+/_-]{40,}|TKN-1-[a-z0-9]{40,}-[a-z0-9]{20,})",
    )
    .from("Docker: swarm unlock keys and join tokens")
    .yes(&["SWMKEY-1-{w43}", "SWMTKN-1-{l50}-{l25}"])
    .no(&["SWMKEY-1-x"]),
    Rule::form("inngest-key", &["signkey-"], r"signkey-[a-z]+-[a-f0-9]{32,}")
        .from("Inngest: signing keys")
        .yes(&["signkey-prod-{h64}"])
        .no(&["signkey-prod"]),
    Rule::form("twitter-bearer", &["AAAAAAAAAAAAAAAAAAAAA"], r"A{21}[A-Za-z0-9%]{60,}")
        .from("X (Twitter): app-only bearer tokens begin with 21 A")
        .yes(&["AAAAAAAAAAAAAAAAAAAAA{x44}%3D{x50}"])
        .no(&["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]),
    Rule::form("yandex-token", &["y0_", "y0__"], r"y0_[A-Za-z0-9_-]{50,}")
        .from("Yandex: OAuth tokens")
        .yes(&["y0_AgAAAA{x50}"])
        .no(&["y0_offset"]),
    Rule::form("adafruit-key", &["aio_"], r"\baio_[A-Za-z0-9]{28}\b")
        .from("Adafruit IO: keys")
        .yes(&["aio_{x28}"])
        .no(&["aio_read_timeout_in_milliseconds"])
        .check(Check::Random),
    Rule::form("thunderstore-token", &["tss_"], r"tss_[A-Za-z0-9]{30,}")
        .from("Thunderstore: service account tokens")
        .yes(&["tss_{x36}"])
        .no(&["tss_enabled"])
        .check(Check::Random),
    Rule::form("modrinth-token", &["mrp_"], r"mrp_[A-Za-z0-9]{40,}")
        .from("Modrinth: personal access tokens")
        .yes(&["mrp_{x60}"])
        .no(&["mrp_plan"]),
    Rule::form("cockroach-key", &["CCDB1_"], r"CCDB1_[A-Za-z0-9]{20,}_[A-Za-z0-9]{30,}")
        .from("CockroachDB Cloud: service account keys")
        .yes(&["CCDB1_{x22}_{x40}"])
        .no(&["CCDB1_key"]),
    Rule::form("helicone-key", &["sk-helicone-"], r"sk-helicone-(?:[a-z]{2}-)?[a-z0-9-]{20,}")
        .from("Helicone: API keys")
        .yes(&["sk-helicone-{l7}-{l7}-{l7}-{l7}"])
        .no(&["sk-helicone-auth"]),
    Rule::form("rootly-token", &["rootly_"], r"rootly_[a-f0-9]{64}")
        .from("Rootly: API tokens")
        .yes(&["rootly_{h64}"])
        .no(&["rootly_incident"]),
    Rule::form("nostr-key", &["nsec1"], r"nsec1[02-9ac-hj-np-z]{58}")
        .from("NIP-19: private keys in bech32")
        .yes(&["nsec1v5xun8g4h5pdxldd7gs7hngwj095s6k5qlagta65srmgfp3nuykmwwavpu"])
        .no(&["nsec1"]),
    Rule::form(
        "trigger-key",
        &["tr_prod_", "tr_dev_", "tr_stg_", "tr_pat_"],
        r"tr_(?:prod|dev|stg|pat)_[A-Za-z0-9]{20,}",
    )
    .from("Trigger.dev: secret keys")
    .yes(&["tr_prod_{x24}"])
    .no(&["tr_dev_mode"]),
    Rule::form(
        "asana-token",
        &[
            "0/1", "0/2", "0/3", "0/4", "0/5", "0/6", "0/7", "0/8", "0/9", "1/1", "2/1", "2/2", "2/3", "2/4", "2/5",
            "2/6", "2/7", "2/8", "2/9",
        ],
        r"[0-2]/\d{10,}(?:/\d{10,})?:[a-f0-9]{32}\b",
    )
    .from("Asana: personal access tokens")
    .yes(&["2/{d16}/{d16}:{h32}", "1/1{d15}:{h32}"])
    .no(&["2/12/2026", "1/1:30"]),
    Rule::form("gemini-key", &["AQ.Ab8"], r"AQ\.Ab8[A-Za-z0-9_-]{40,}")
        .from("Google AI Studio: keys since 2025")
        .yes(&["AQ.Ab8RN6{w44}"])
        .no(&["AQ.Ab8"]),
    Rule::form("logfire-token", &["pylf_v"], r"pylf_v\d_[a-z]{2,8}_[A-Za-z0-9]{40,}")
        .from("Pydantic Logfire: tokens")
        .yes(&["pylf_v1_us_{x43}"])
        .no(&["pylf_v1_us"]),
    Rule::form(
        "teamcity-token",
        &["eyJ0eXAiOiAiVENWMiJ9."],
        r"eyJ0eXAiOiAiVENWMiJ9\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
    )
    .from("TeamCity: access tokens")
    .yes(&["eyJ0eXAiOiAiVENWMiJ9.{w36}.{w48}"])
    .no(&["eyJ0eXAiOiAiVENWMiJ9."]),
    Rule::form(
        "xendit-key",
        &["xnd_production_", "xnd_development_"],
        r"xnd_(?:production|development)_[A-Za-z0-9]{30,}",
    )
    .from("Xendit: secret keys")
    .yes(&["xnd_production_{x48}"])
    .no(&["xnd_production_key"]),
    Rule::form("zoho-token", &["1000."], r"1000\.[a-f0-9]{32}\.[a-f0-9]{32}\b")
        .from("Zoho: access, refresh and grant tokens")
        .yes(&["1000.{h32}.{h32}"])
        .no(&["1000.50"]),
    Rule::form("rapidapi-key", &["jsn"], r"\b[A-Za-z0-9]{10}msh[A-Za-z0-9]{15}p1[A-Za-z0-9]{6}jsn[A-Za-z0-9]{12}\b")
        .back(36)
        .from("RapidAPI: keys")
        .yes(&["{x10}msh{x15}p1{x6}jsn{x12}"])
        .no(&["mshp1jsn"]),
    Rule::form("k3s-token", &["K10"], r"K10[a-f0-9]{64}::[a-z]+:[A-Za-z0-9]{16,}")
        .from("k3s: node tokens")
        .yes(&["K10{h64}::server:{h32}"])
        .no(&["K100"]),
    Rule::form("kerberos-ticket", &["$krb5tgs$", "$krb5asrep$"], r"\$krb5(?:tgs|asrep)\$\d+\$[^\s\x22]{64,}")
        .from("hashcat: tickets that can be tried offline")
        .yes(&["$krb5tgs$23$*svc$X$y/z*${h32}${h64}"])
        .no(&["$krb5tgs$23$"]),
    Rule::form("zuplo-key", &["zpka_"], r"zpka_[A-Za-z0-9_]{30,}")
        .from("Zuplo: API keys")
        .yes(&["zpka_{h32}_{h8}"])
        .no(&["zpka_key"]),
    Rule::form("devcycle-key", &["dvc_server_", "dvc_mobile_"], r"dvc_(?:server|mobile)_[A-Za-z0-9_]{20,}")
        .from("DevCycle: SDK keys")
        .yes(&["dvc_server_{l32}_{h7}"])
        .no(&["dvc_server_name"]),
    Rule::form("maxmind-key", &["_mmk"], r"\b[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk\b")
        .back(37)
        .from("MaxMind: license keys")
        .yes(&["{x6}_{x29}_mmk"])
        .no(&["the_mmk"]),
    Rule::form(
        "dingtalk-secret",
        &[
            "SEC0", "SEC1", "SEC2", "SEC3", "SEC4", "SEC5", "SEC6", "SEC7", "SEC8", "SEC9", "SECa", "SECb", "SECc",
            "SECd", "SECe", "SECf",
        ],
        r"SEC[a-f0-9]{64}\b",
    )
    .from("DingTalk: the signing secrets of robots")
    .yes(&["SEC{h64}"])
    .no(&["SEC0RITY"]),
    Rule::context(
        "lark-webhook",
        &["/open-apis/bot/"],
        r"/open-apis/bot/(?:v2/)?hook/([A-Za-z0-9-]{16,})",
        Check::Real,
    )
    .from("Lark, Feishu: custom bots")
    .yes(&["https://open.feishu.cn/open-apis/bot/v2/hook/{u}"])
    .no(&["/open-apis/bot/v2/hook/"]),
    Rule::context("mattermost-webhook", &["/hooks/"], r"/hooks/([a-z0-9]{26})(?:[^a-z0-9]|$)", Check::Random)
        .from("Mattermost: incoming webhooks")
        .yes(&["https://chat.example.com/hooks/{l26}"])
        .no(&["https://example.com/hooks/pre-commit"]),
    Rule::context(
        "redis-password",
        &["requirepass ", "masterauth "],
        r"(?:requirepass|masterauth)[ \t]+\x22?([^\s\x22]{4,})",
        Check::Password,
    )
    .from("redis.conf(5)")
    .yes(&["requirepass Gr4n1te.{d4}"])
    .no(&["# requirepass foobared"]),
    Rule::context(
        "ldap-bind-password",
        &["bindpw ", "ldap_default_authtok"],
        r"(?:bindpw[ \t]+|ldap_default_authtok[ \t]*=[ \t]*)(\S{4,})",
        Check::Password,
    )
    .from("ldap.conf(5), sssd-ldap(5)")
    .yes(&["bindpw gr4n1te-Meadow{d3}", "ldap_default_authtok = Gr4n1te!{d2}"])
    .no(&["ldap_default_authtok_type = password", "bindpw $PW"]),
    Rule::context(
        "ipsec-psk",
        &[": PSK ", ": EAP ", ": XAUTH "],
        r": (?:PSK|EAP|XAUTH|IKE) \x22([^\x22\n]{4,})\x22",
        Check::Password,
    )
    .from("ipsec.secrets(5)")
    .yes(&["10.0.0.1 10.0.0.2 : PSK \"{x20}\""])
    .no(&[": PSK \"\""]),
    Rule::context("rdp-password", &["/p:"], r"/p:\\*['\x22]?([^\s\x22'/\\]{4,})", Check::Password)
        .from("xfreerdp(1)")
        .yes(&["xfreerdp /u:bob /p:gr4n1te{d2} /v:srv"])
        .no(&["cmd /p:$PW", "http://p:80/p:x"]),
    Rule::context("smtp-auth", &["AUTH PLAIN "], r"AUTH PLAIN ([A-Za-z0-9+/]{8,}={0,2})", Check::Real)
        .from("RFC 4616: SASL PLAIN")
        .yes(&["C: AUTH PLAIN AGJvYgA5SXplc2VGeVczS2I="])
        .no(&["250-AUTH PLAIN LOGIN"]),
    Rule::context(
        "digest-response",
        &["authorization: digest "],
        r"(?i)authorization: digest [^\n]{0,400}?\bresponse=\x22([a-f0-9]{32,})\x22",
        Check::Real,
    )
    .from("RFC 7616")
    .yes(&["Authorization: Digest username=\"bob\", nonce=\"x\", response=\"{h32}\""])
    .no(&["Authorization: Digest response"]),
    Rule::context("token-hash", &["token_hash="], r"token_hash=([A-Za-z0-9_-]{20,})", Check::Random)
        .from("Supabase: links that sign in")
        .yes(&["https://app.example.com/auth?token_hash={h56}&type=email"])
        .no(&["token_hash=sha256"]),
    Rule::context(
        "filezilla-password",
        &["<pass encoding="],
        r"(?i)<pass encoding=\x22base64\x22>([A-Za-z0-9+/]{6,}={0,2})</pass>",
        Check::Real,
    )
    .from("FileZilla: sitemanager.xml")
    .yes(&["<Pass encoding=\"base64\">aUhoSHpjc0hpdGh6</Pass>"])
    .no(&["<Pass encoding=\"base64\"></Pass>"]),
    Rule::context(
        "openvpn-static-key",
        &["BEGIN OpenVPN Static key"],
        r"BEGIN OpenVPN Static key V1-----(?:\\[nr]|\s)+([a-fA-F0-9]{32}(?:(?:\\[nr]|\s)+[a-fA-F0-9]{32})*)",
        Check::Real,
    )
    .from("OpenVPN: --genkey secret")
    .yes(&["-----BEGIN OpenVPN Static key V1-----\n{h32}\n{h32}\n-----END OpenVPN Static key V1-----"])
    .no(&["-----BEGIN OpenVPN Static key V1-----\n-----END"]),
    Rule::context("kerberos-key", &["(0x"], r"\(0x([a-f0-9]{32,64})\)", Check::Real)
        .from("klist(1) -K, ktutil(1)")
        .yes(&["1 2 HTTP/x@EXAMPLE (aes256-cts-hmac-sha1-96) (0x{h64})"])
        .no(&["(0x7ffe)"]),
    Rule::context(
        "ntlm-hash",
        &[":aad3b435b51404eeaad3b435b51404ee:"],
        r":aad3b435b51404eeaad3b435b51404ee:([a-f0-9]{32})",
        Check::Real,
    )
    .from("NTLM: an empty LM hash before an NT hash")
    .yes(&["Administrator:500:aad3b435b51404eeaad3b435b51404ee:{h32}:::"])
    .no(&["aad3b435b51404eeaad3b435b51404ee"]),
    Rule::context(
        "odbc-password",
        &["pwd={", "password={"],
        r"(?i)(?:pwd|password)=\{([^{}\s\x22']{4,})\}(?:;|\x22|'|$)",
        Check::Password,
    )
    .from("ODBC: connection strings with braces")
    .yes(&["Driver={PostgreSQL};Server=x;Uid=sa;Pwd={Gr4n1te77};"])
    .no(&["pwd={password}", "password={user.password}"]),
];
