//! Chat, mail, telephony, webhooks.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::form("slack-token", &["xoxb-", "xoxp-", "xoxa-", "xoxo-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xoxc-", "xoxd-"], r"xox(?:[abpresocd]-|e\.xox[bp]-)[A-Za-z0-9%+/=_-]{20,}")
        .from("api.slack.com: token types")
        .yes(&["xoxb-{d12}-{d13}-{x24}", "xoxe.xoxp-1-{x160}"])
        .no(&["`xox[baprs]-[0-9a-zA-Z-]{10,48}`", "xoxb-your-token"]),
    Rule::form("slack-app-token", &["xapp-"], r"xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]{40,}")
        .from("api.slack.com: app-level tokens")
        .yes(&["xapp-1-A{A10}-{d13}-{h64}"])
        .no(&["xapp-1-"]),
    Rule::context("slack-webhook", &["hooks.slack.com/"], r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{30,})", Check::Real)
        .from("api.slack.com: incoming webhooks")
        .yes(&["https://hooks.slack.com/services/T{A10}/B{A10}/{x24}"])
        .no(&["https://hooks.slack.com/services/T000/B000/XXXX"]),
    Rule::context("discord-webhook", &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"], r"discord(?:app)?\.com/api/webhooks/\d{15,22}/([A-Za-z0-9_-]{50,})", Check::Real)
        .from("discord.com/developers: webhooks")
        .yes(&["https://discord.com/api/webhooks/{d19}/{w68}"])
        .no(&["https://discord.com/api/webhooks/123/abc"]),
    Rule::context("discord-bot-token", &["Bot ", "discord"], r"(?i:Bot |discord[\w .:=\x22'-]{0,40}?[\s=:\x22'])([MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,})", Check::Real)
        .from("discord.com/developers: authentication; id, time and signature in base64")
        .yes(&["Authorization: Bot M{x23}.{x6}.{x38}", "discord login: M{x25}.{x6}.{x38}"])
        .no(&["Bot MyFirstBot.is.here"]),
    Rule::form("telegram-bot-token", &[":AA"], r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}")
        .back(10)
        .from("core.telegram.org/bots: tokens")
        .yes(&["{d10}:AA{w33}", "https://api.telegram.org/bot1{d9}:AA{w33}/getMe"])
        .no(&["12:AA", "port:AA{w33}"]),
    Rule::form("twilio-key", &["SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb", "SKc", "SKd", "SKe", "SKf"], r"SK[0-9a-f]{32}\b")
        .from("twilio.com/docs: API key SIDs")
        .yes(&["SK{h32}"])
        .no(&["SK{h8}", "RISK{h32}"]),
    Rule::form("sendgrid-key", &["SG."], r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")
        .from("SendGrid: API keys")
        .yes(&["SG.{w22}.{w43}"])
        .no(&["SG.de"]),
    Rule::form("mailgun-key", &["key-", "pubkey-"], r"(?:pub)?key-[a-f0-9]{32}\b")
        .from("gitleaks mailgun-private-api-token")
        .yes(&["key-{h32}"])
        .no(&["key-{h4}", "key-value"]),
    Rule::form("mailchimp-key", &["-us"], r"\b[a-f0-9]{32}-us\d{1,2}\b")
        .back(32)
        .from("gitleaks mailchimp-api-key")
        .yes(&["{h32}-us21"])
        .no(&["en-us1", "{h8}-us1"]),
    Rule::form("brevo-key", &["xkeysib-", "xsmtpsib-"], r"x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}\b")
        .from("Brevo: API keys")
        .yes(&["xkeysib-{h64}-{x16}"])
        .no(&["xkeysib-"]),
    Rule::form("resend-key", &["re_"], r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}\b")
        .check(Check::Random)
        .from("Resend: API keys")
        .yes(&["re_{x8}_{x24}"])
        .no(&["re_compiled_expression", "re_{x8}"]),
    Rule::context("teams-webhook", &["webhook.office.com/"], r"webhook\.office\.com/webhookb2/([0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9A-Za-z]{32}/[0-9a-f-]{36})", Check::Real)
        .from("learn.microsoft.com: incoming webhooks")
        .yes(&["https://bank.webhook.office.com/webhookb2/{u}@{u}/IncomingWebhook/{h32}/{u}"])
        .no(&["https://bank.webhook.office.com/webhookb2/"]),
    Rule::context("google-chat-webhook", &["chat.googleapis.com/"], r"chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_-]+/messages\?([^\s\x22'<>\\]*token=[A-Za-z0-9_%-]{20,})", Check::Real)
        .from("developers.google.com/chat: webhooks")
        .yes(&["https://chat.googleapis.com/v1/spaces/{x11}/messages?key=k&token={w43}"])
        .no(&["https://chat.googleapis.com/v1/spaces/x/messages"]),
    Rule::context("zapier-webhook", &["hooks.zapier.com/"], r"hooks\.zapier\.com/hooks/catch/(\d+/[A-Za-z0-9]{6,})", Check::Real)
        .from("Zapier: catch hooks")
        .yes(&["https://hooks.zapier.com/hooks/catch/{d8}/{l7}/"])
        .no(&["https://hooks.zapier.com/hooks/catch/"]),
    Rule::form("mandrill-key", &["md-"], r"md-[A-Za-z0-9_-]{22}\b")
        .check(Check::Random)
        .from("Mandrill: API keys")
        .yes(&["md-{x22}"])
        .no(&["md-block", "amd-{x22}"]),
    Rule::form("onesignal-key", &["os_v2_"], r"os_v2_(?:app|org)_[a-z2-7]{90,}")
        .from("OneSignal: API keys")
        .yes(&["os_v2_app_{a103}"])
        .no(&["os_v2_app_"]),
    Rule::form("intercom-token", &["dG9rO"], r"dG9rO[A-Za-z0-9+/]{50,60}={0,2}")
        .from("Intercom: access tokens begin with `tok:` in base64")
        .yes(&["dG9rO{b55}="])
        .no(&["dG9rO"]),
];
