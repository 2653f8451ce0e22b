//! Keys that stand in a URL: in its path, where a service knows its customer by it, or in its query.

use crate::redaction::rule::{Check, Rule};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::context("rpc-key", &[".quiknode.pro/", ".infura.io/v3/", ".infura.io/ws/v3/", ".alchemy.com/v2/", ".alchemy.com/nft/", ".alchemyapi.io/v2/", "rpc.ankr.com/", ".p2pify.com/", ".blastapi.io/", ".nodereal.io/v1/", ".getblock.io/", ".moralis-nodes.com/", ".chainnodes.org/", ".tatum.io/v3/", ".blockpi.network/v1/rpc/"], r"\.?(?:quiknode\.pro|infura\.io(?:/ws)?/v3|alchemy(?:api)?\.(?:com|io)/(?:v2|nft/v\d)|rpc\.ankr\.com/[a-z_0-9]+|p2pify\.com|blastapi\.io|nodereal\.io/v1|getblock\.io(?:/mainnet)?|moralis-nodes\.com/[a-z0-9-]+|chainnodes\.org|tatum\.io/v3/[a-z-]+/web3|blockpi\.network/v1/rpc)/([A-Za-z0-9_-]{20,})", Check::Random)
        .from("providers of blockchains' nodes: the key ends the endpoint's path")
        .yes(&["https://wispy.solana-mainnet.quiknode.pro/{h40}/", "https://mainnet.infura.io/v3/{h32}", "wss://eth-mainnet.g.alchemy.com/v2/{x32}"])
        .no(&["https://mainnet.infura.io/v3/YOUR-PROJECT-ID", "https://rpc.ankr.com/eth"]),
    Rule::context("webhook-key", &["/build_hooks/", "/integrations/deploy/", "api.render.com/deploy/", "hc-ping.com/", "healthchecks.io/ping/", "/api/push/", "/heartbeat/", "cronitor.link/p/", "nosnch.in/", ".make.com/", "integromat.com/", "/inputs/", "/receiver/v1/http/", "events.pagerduty.com/integration/", "/ical/", "/webhook/send?key=", "/api/webhook/", "/workflows/webhooks/", "robot/send?access_token="], r"(?:/build_hooks/([a-f0-9]{24})|/integrations/deploy/prj_[A-Za-z0-9]+/([A-Za-z0-9]{8,})|api\.render\.com/deploy/srv-[a-z0-9]+\?key=([A-Za-z0-9_-]{8,})|(?:hc-ping\.com|healthchecks\.io/ping)/([a-f0-9-]{36})|/api/push/([A-Za-z0-9]{10,32})\b|/heartbeat/([A-Za-z0-9]{20,})|cronitor\.link/p/([a-f0-9]{32})|nosnch\.in/([a-f0-9]{10})\b|\.make\.com/([a-z0-9]{32})\b|integromat\.com/([a-z0-9]{32})\b|/inputs/([a-f0-9-]{36})|/receiver/v1/http/([A-Za-z0-9_+/-]{40,}={0,2})|events\.pagerduty\.com/integration/([a-f0-9]{32})|/ical/[^\s/\x22]{3,120}/private-([a-f0-9]{32})|/webhook/send\?key=([a-f0-9-]{36})|robot/send\?access_token=([a-f0-9]{64})|/api/webhook/([A-Za-z0-9_-]{20,})|/workflows/webhooks/([A-Za-z0-9_-]{20,}))", Check::Random)
        .from("webhooks, build hooks, heartbeats, log receivers and private calendars: who knows the URL may call it")
        .yes(&["https://api.netlify.com/build_hooks/{h24}", "https://hook.eu1.make.com/{l32}", "https://hc-ping.com/{u}", "https://calendar.google.com/calendar/ical/a%40b.example/private-{h32}/basic.ics", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={u}"])
        .no(&["https://api.netlify.com/build_hooks/", "https://www.make.com/en/help", "/heartbeat/interval"]),
    Rule::context("rocketchat-webhook", &["/hooks/"], r"/hooks/[A-Za-z0-9]{17,24}/([A-Za-z0-9]{40,64})\b", Check::Random)
        .from("Rocket.Chat: incoming webhooks")
        .yes(&["https://chat.example.com/hooks/{x17}/{x64}"])
        .no(&["https://example.com/hooks/pre-commit"]),
    Rule::context("sumologic-collector", &["collectors.sumologic.com/"], r"collectors\.sumologic\.com/receiver/v1/\w+/([A-Za-z0-9_=+/-]{40,})", Check::Real)
        .from("Sumo Logic: HTTP sources")
        .yes(&["https://endpoint4.collectors.sumologic.com/receiver/v1/http/{x80}=="])
        .no(&["https://collectors.sumologic.com/receiver"]),
    Rule::context("query-key", &["?key=", "&key=", "api-key=", "apikey=", "access_key=", "?token=", "&token=", "dkey=", "app_key=", "authkey=", "auth_key=", "licensekey=", "license_key="], r"[?&](?:key|api-key|apikey|access_key|token|dkey|app_key|authkey|auth_key|license_?key)=([A-Za-z0-9._~-]{20,})", Check::Random)
        .back(8)
        .from("services that take a key in the query")
        .yes(&["https://api.example.com/v1?lang=de&key={x24}", "https://mainnet.helius-rpc.com/?api-key={u}"])
        .no(&["https://example.com/?key=value", "?token=abc"]),
];
