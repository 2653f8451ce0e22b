//! Providers of models and what is built around them.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::form("anthropic-key", &["sk-ant-"], r"sk-ant-(?:[a-z]{2,8}\d\d-)?[A-Za-z0-9_-]{32,}")
        .from("docs.anthropic.com: API keys; prefixes api, admin, oat, ort, sid")
        .yes(&["sk-ant-api03-{w93}AA", "sk-ant-oat01-{w93}AA", "sk-ant-admin01-{w93}AA"])
        .no(&["Keys start with `sk-ant-api03-` and are 108 characters long."]),
    Rule::form(
        "openai-key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"],
        r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}",
    )
    .from("platform.openai.com: project, service account and admin keys")
    .yes(&["sk-proj-{w74}T3BlbkFJ{w74}", "sk-svcacct-{w120}"])
    .no(&["sk-proj-", "sk-admin-key"]),
    Rule::form("openrouter-key", &["sk-or-"], r"sk-or-(?:v\d-)?[a-f0-9]{48,}")
        .from("OpenRouter: API keys")
        .yes(&["sk-or-v1-{h64}"])
        .no(&["sk-or-v1-"]),
    Rule::form("langfuse-key", &["sk-lf-"], r"sk-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
        .from("Langfuse: secret keys")
        .yes(&["sk-lf-{u}"])
        .no(&["pk-lf-{u}"]),
    Rule::form("sk-key", &["sk-"], r"sk-(?:[A-Za-z0-9]{40,64}|[a-f0-9]{32})\b")
        .check(Check::Random)
        .from("OpenAI, DeepSeek, Stability and others: keys without a further prefix")
        .yes(&["sk-{x20}T3BlbkFJ{x20}", "sk-{x48}", "sk-{h32}"])
        .no(&["sk-{x12}", "task-{x48}", "risk-assessment"]),
    Rule::form("groq-key", &["gsk_"], r"gsk_[A-Za-z0-9]{48,}")
        .from("Groq: API keys")
        .yes(&["gsk_{x52}"])
        .no(&["gsk_{x5}"]),
    Rule::form("xai-key", &["xai-"], r"xai-[A-Za-z0-9]{70,}")
        .from("xAI: API keys")
        .yes(&["xai-{x80}"])
        .no(&["xai-grok"]),
    Rule::form("huggingface-token", &["hf_", "api_org_"], r"(?:hf_|api_org_)[A-Za-z0-9]{34,}\b")
        .from("Hugging Face: user access tokens")
        .yes(&["hf_{x34}", "api_org_{x34}"])
        .no(&["hf_hub_download", "hf_{x5}"]),
    Rule::form("replicate-token", &["r8_"], r"r8_[A-Za-z0-9]{37,}\b")
        .from("Replicate: API tokens")
        .yes(&["r8_{x37}"])
        .no(&["r8_{x8}"]),
    Rule::form("perplexity-key", &["pplx-"], r"pplx-[A-Za-z0-9]{40,}\b")
        .from("gitleaks perplexity-api-key")
        .yes(&["pplx-{x48}"])
        .no(&["pplx-7b-online"]),
    Rule::form("langsmith-key", &["lsv2_"], r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}\b")
        .from("LangSmith: API keys")
        .yes(&["lsv2_pt_{h32}_{h10}"])
        .no(&["lsv2_pt_"]),
    Rule::form("fireworks-key", &["fw_"], r"fw_[A-Za-z0-9]{22,}\b")
        .check(Check::Random)
        .from("Fireworks AI: API keys")
        .yes(&["fw_{x24}"])
        .no(&["fw_version", "fw_{x5}"]),
    Rule::form("together-key", &["tgp_v1_"], r"tgp_v1_[A-Za-z0-9_-]{40,}")
        .from("Together AI: API keys")
        .yes(&["tgp_v1_{w43}"])
        .no(&["tgp_v1_"]),
    Rule::form("nvidia-key", &["nvapi-"], r"nvapi-[A-Za-z0-9_-]{60,}")
        .from("NVIDIA: API keys")
        .yes(&["nvapi-{w64}"])
        .no(&["nvapi-key"]),
    Rule::form("cerebras-key", &["csk-"], r"csk-[a-z0-9]{48}\b")
        .from("Cerebras: API keys")
        .yes(&["csk-{l48}"])
        .no(&["csk-{l4}"]),
    Rule::form("voyage-key", &["pa-"], r"pa-[A-Za-z0-9_-]{43}\b")
        .check(Check::Random)
        .from("Voyage AI: API keys")
        .yes(&["pa-{x43}"])
        .no(&["pa-rent", "spa-{x43}"]),
    Rule::form("tavily-key", &["tvly-"], r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{24,}\b")
        .from("Tavily: API keys")
        .yes(&["tvly-{x32}", "tvly-dev-{x32}"])
        .no(&["tvly-dev-"]),
    Rule::form("pinecone-key", &["pcsk_"], r"pcsk_[A-Za-z0-9_]{50,}")
        .from("Pinecone: API keys")
        .yes(&["pcsk_{x5}_{x63}"])
        .no(&["pcsk_abc"]),
    Rule::form("firecrawl-key", &["fc-"], r"fc-[a-f0-9]{32}\b")
        .from("Firecrawl: API keys")
        .yes(&["fc-{h32}"])
        .no(&["fc-list"]),
    Rule::form("jina-key", &["jina_"], r"jina_[a-f0-9]{32}[A-Za-z0-9_-]{24,}")
        .from("Jina AI: API keys")
        .yes(&["jina_{h32}{w28}"])
        .no(&["jina_embeddings"]),
    Rule::form("elevenlabs-key", &["sk_"], r"sk_[a-f0-9]{48}\b")
        .from("ElevenLabs: API keys")
        .yes(&["sk_{h48}"])
        .no(&["sk_{h8}", "task_{h48}"]),
    Rule::form("cursor-key", &["key_"], r"key_[a-f0-9]{64}\b")
        .from("Cursor: API keys")
        .yes(&["key_{h64}"])
        .no(&["key_{h8}"]),
];
