//! Platforms of all fields with a form of their own: building and hosting, data, identity, messaging, money.

use crate::redaction::rule::{Check, Rule};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule::form("linkedin-secret", &["WPL_AP1."], r"WPL_AP1\.[A-Za-z0-9]{12,20}\.[A-Za-z0-9+/]{4,8}={0,2}")
        .from("LinkedIn: primary client secrets")
        .yes(&["WPL_AP1.{x16}.{x6}=="])
        .no(&["WPL_AP1.x"]),
    Rule::form("workos-key", &["sk_0", "sk_test_", "sk_live_", "sk_prod_"], r"sk_(?:(?:test|live|prod|staging)_)?(?:0[0-9A-Z]{23,27}|[A-Za-z0-9]{60,100})\b")
        .from("WorkOS: API keys are numbered as ULIDs")
        .yes(&["sk_0{A25}"])
        .no(&["sk_01", "disk_0{A5}"])
        .check(Check::Random),
    Rule::form("lob-key", &["live_", "test_"], r"(?:live|test)_[a-f0-9]{35}\b")
        .from("Lob: API keys")
        .yes(&["live_{h35}"])
        .no(&["live_{h8}"]),
    Rule::form("onesignal-key", &["os_v2_"], r"os_v2_(?:app|org)_[a-z0-9]{60,}")
        .from("OneSignal: API keys, also of older makes")
        .yes(&["os_v2_app_{l103}"])
        .no(&["os_v2_app_"]),
    Rule::form("neon-password", &["npg_"], r"npg_[A-Za-z0-9]{12,}\b")
        .from("Neon: generated passwords of roles")
        .yes(&["npg_{x8}4Zk9"])
        .no(&["npg_database"]),
    Rule::form("buildkite-registry-token", &["bkpkg_", "bkct_", "bkrt_"], r"bk(?:pkg|ct|rt)_[A-Za-z0-9]{30,}")
        .from("Buildkite: packages and clusters")
        .yes(&["bkpkg_{x40}"])
        .no(&["bkct_x"]),
    Rule::context("gitlab-session", &["_gitlab_session="], r"_gitlab_session=([a-f0-9]{32})\b", Check::Real)
        .from("GitLab: session cookies")
        .yes(&["_gitlab_session={h32}"])
        .no(&["_gitlab_session=x"]),
    Rule::form("jumpcloud-key", &["jca_"], r"jca_[A-Za-z0-9]{36}\b")
        .from("JumpCloud: API keys")
        .yes(&["jca_{x36}"])
        .no(&["jca_key"]),
    Rule::form("portainer-token", &["ptr_"], r"ptr_[A-Za-z0-9+/]{40,}={0,2}")
        .check(Check::Random)
        .from("Portainer: access tokens")
        .yes(&["ptr_{x43}="])
        .no(&["ptr_to_member_function_of_a_class_that_is_long"]),
    Rule::form("youtrack-token", &["perm:", "perm-"], r"perm[:-][A-Za-z0-9+/=]{4,}\.[A-Za-z0-9+/=_-]{4,}\.[A-Za-z0-9]{20,}")
        .from("JetBrains YouTrack, Hub: permanent tokens")
        .yes(&["perm:{x12}.{x12}.{x30}", "perm-{x12}=.{x8}.{x30}"])
        .no(&["perm:read.write.x"]),
    Rule::form("woocommerce-key", &["ck_", "cs_"], r"c[ks]_[a-f0-9]{40}\b")
        .from("WooCommerce: consumer keys and secrets")
        .yes(&["ck_{h40}", "cs_{h40}"])
        .no(&["cs_id", "ck_{h8}"]),
    Rule::form("wakatime-key", &["waka_"], r"waka_(?:[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}|(?:tok|sec|ref)_[A-Za-z0-9]{20,})")
        .from("WakaTime: API keys")
        .yes(&["waka_{u}"])
        .no(&["waka_time"]),
    Rule::form("unkey-key", &["unkey_"], r"unkey_[A-Za-z0-9]{20,}\b")
        .check(Check::Random)
        .from("Unkey: root keys")
        .yes(&["unkey_{x24}"])
        .no(&["unkey_root"]),
    Rule::form("nylas-key", &["nyk_v0_"], r"nyk_v0_[A-Za-z0-9]{40,}")
        .from("Nylas: API keys")
        .yes(&["nyk_v0_{x64}"])
        .no(&["nyk_v0_x"]),
    Rule::form("persona-key", &["persona_production_", "persona_sandbox_"], r"persona_(?:production|sandbox)_[a-f0-9-]{36}")
        .from("Persona: API keys")
        .yes(&["persona_production_{u}"])
        .no(&["persona_sandbox_x"]),
    Rule::form("samsara-token", &["samsara_api_"], r"samsara_api_[A-Za-z0-9]{24,}")
        .from("Samsara: API tokens")
        .yes(&["samsara_api_{x30}"])
        .no(&["samsara_api_url"]),
    Rule::form("retool-token", &["retool_0"], r"retool_0[0-9a-z]{24,}")
        .from("Retool: API access tokens")
        .yes(&["retool_0{l26}"])
        .no(&["retool_0x"]),
    Rule::form("onfido-token", &["api_live", "api_sandbox"], r"api_(?:live|sandbox)(?:_(?:us|ca|eu))?\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}")
        .from("Onfido: API tokens")
        .yes(&["api_live.{x11}.{x32}", "api_sandbox_us.{x11}.{x32}"])
        .no(&["api_live.example.com"]),
    Rule::form("asaas-key", &["$aact_"], r"\$aact_(?:prod_|hmlg_)?[A-Za-z0-9+/=:-]{40,}")
        .from("Asaas: API keys")
        .yes(&["$aact_{x64}"])
        .no(&["$aact_x"]),
    Rule::form("telnyx-key", &["KEY0"], r"KEY0[A-F0-9]{31}_[A-Za-z0-9]{20,24}")
        .from("Telnyx: API keys v2")
        .yes(&["KEY0{H31}_{x22}"])
        .no(&["KEY0"]),
    Rule::form("modal-token", &["as-", "ak-"], r"a[sk]-[A-Za-z0-9]{22}\b")
        .check(Check::Random)
        .from("Modal: token ids and secrets")
        .yes(&["as-Ab3{x19}"])
        .no(&["as-understandable-text", "ak-x"]),
    Rule::form("anyscale-key", &["aph0_", "aph5_", "esecret_"], r"(?:aph\d_|esecret_)[A-Za-z0-9_-]{20,}")
        .from("Anyscale: platform and endpoint keys")
        .yes(&["aph0_{x60}", "esecret_{x24}"])
        .no(&["aph0_x"]),
    Rule::form("cartesia-key", &["sk_car_"], r"sk_car_[A-Za-z0-9_-]{20,}")
        .from("Cartesia: API keys")
        .yes(&["sk_car_{x32}"])
        .no(&["sk_car_x"]),
    Rule::form("voiceflow-key", &["VF.DM.", "VF.WS."], r"VF\.(?:DM|WS)\.[a-f0-9]{24}\.[A-Za-z0-9]{12,}")
        .from("Voiceflow: API keys")
        .yes(&["VF.DM.{h24}.{x16}"])
        .no(&["VF.DM.x"]),
    Rule::form("apollo-key", &["service:", "user:gh."], r"(?:service:[A-Za-z0-9-]{2,60}|user:gh\.[A-Za-z0-9-]{2,60}):[A-Za-z0-9_-]{22}\b")
        .check(Check::Random)
        .from("Apollo GraphOS: graph and user keys")
        .yes(&["service:shop-graph:Ab4{w19}"])
        .no(&["service:name:some-configuration-key"]),
    Rule::form("deepl-key", &[":fx"], r"\b[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}:fx\b")
        .back(36)
        .from("DeepL: keys of the free plan")
        .yes(&["{u}:fx"])
        .no(&["a:fx"]),
    Rule::context("fal-key", &["FAL_KEY", "fal.ai", "fal_key", "falKey", "fal.config"], r"(?i)fal[^\n]{0,60}?\b([a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}:[a-f0-9]{32})\b", Check::Real)
        .from("fal: a key's id and secret")
        .yes(&["FAL_KEY={u}:{h32}"])
        .no(&["FAL_KEY=x"]),
    Rule::form("webflow-token", &["ws-"], r"ws-[a-f0-9]{64}\b")
        .from("Webflow: workspace tokens")
        .yes(&["ws-{h64}"])
        .no(&["ws-{h8}"]),
    Rule::context("ripple-seed", &["XRPL", "xrpl", "ripple", "Ripple", "fromSeed(", "from_seed("], r"(?:XRPL|[rR]ipple|from_?[sS]eed)[^\n]{0,60}?[^A-Za-z0-9](s[1-9A-HJ-NP-Za-km-z]{28})\b", Check::Random)
        .from("XRP Ledger: seeds in base58")
        .yes(&["XRPL_SEED=s{y28}", "Wallet.fromSeed('s{y28}')"])
        .no(&["XRPL_SEED=x"]),
    Rule::form("macaroon", &["0201036c6e64", "0201036C6E64", "AgEDbG5k", "MDAx"], r"(?:0201036[cC]6[eE]64[0-9a-fA-F]{60,}|AgEDbG5k[A-Za-z0-9+/]{60,}={0,2}|MDAx[A-Za-z][A-Za-z0-9+/_-]{80,}={0,2})")
        .from("Macaroons: version, location of lnd; version 1 in base64")
        .yes(&["0201036c6e64{h200}", "AgEDbG5k{b120}"])
        .no(&["0201036c6e64", "AgEDbG5k"]),
    Rule::form("pkcs12", &["IBAzCC"], r"MII[A-P][A-Za-z0-9+/]{2}IBAzCC[A-Za-z0-9+/]{60,}={0,2}")
        .back(6)
        .from("RFC 7292: a PFX begins with its version, 3, and a content; in base64 of DER")
        .yes(&["CSC_LINK=MIIKOAIBAzCC{b200}"])
        .no(&["IBAzCC"]),
    Rule::form("java-keystore", &["/u3+7QAAAAI", "zs7OzgAAAA"], r"(?:/u3\+7QAAAAI|zs7OzgAAAA)[A-Za-z0-9+/]{60,}={0,2}")
        .from("Java: keystores (JKS, JCEKS) begin with FEEDFEED or CECECECE and a version")
        .yes(&["KEYSTORE=/u3+7QAAAAIAAAAB{b200}"])
        .no(&["/u3+7QAAAAI"]),
    Rule::form("private-key", &["MII", "MHcCAQEE", "MC4CAQAw", "MIGkAgEBBD", "MIHcAgEBBEI"], r"(?:MII[A-Za-z0-9+/]{3}IBAAKC(?:AQ|Ag)[A-Za-z0-9+/]{60,}|MII[A-Za-z0-9+/]{3}IBADANBgkqhkiG9w0BAQEFAASC[A-Za-z0-9+/]{60,}|MI(?:G|H)[A-Za-z0-9+/]{1,3}AgEAM[A-Za-z0-9+/]{60,}|MHcCAQEE[A-Za-z0-9+/]{60,}|MC4CAQAwBQYDK2V[A-Za-z0-9+/]{40,}|MI(?:Gk|Hc)AgEB[A-Za-z0-9+/]{60,})={0,2}")
        .from("RFC 8017, 5208, 5915, 8410: private keys in DER, in base64 without armour")
        .yes(&["KEY=MIIEpAIBAAKCAQEA{b400}", "KEY=MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{b400}", "KEY=MC4CAQAwBQYDK2VwBCIEI{b43}"])
        .no(&["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA{b90}", "MII"]),
    Rule::form("signify-key", &["RWRCSwAA", "RWRTY0Iy"], r"RWR(?:CSwAA|TY0Iy)[A-Za-z0-9+/]{80,}={0,2}")
        .from("signify(1), minisign(1): secret keys")
        .yes(&["untrusted comment: signify secret key\nRWRCSwAAAAAc{b120}"])
        .no(&["RWRCSwAA"]),
    Rule::form("tezos-key", &["edsk"], r"edsk[1-9A-HJ-NP-Za-km-z]{50}(?:[1-9A-HJ-NP-Za-km-z]{44})?\b")
        .check(Check::Random)
        .from("Tezos: seeds and secret keys of Ed25519 in base58")
        .yes(&["edsk{y50}"])
        .no(&["edsk{y8}"]),
    Rule::form("google-auth-code", &["4/0A"], r"4/0A[A-Za-z0-9_-]{40,}")
        .check(Check::Random)
        .from("Google OAuth: authorization codes")
        .yes(&["code: 4/0A{w70}"])
        .no(&["4/0A"]),
    Rule::form("appveyor-token", &["v2."], r"v2\.[A-Za-z0-9]{20}\b")
        .check(Check::Random)
        .from("AppVeyor: API keys of a user")
        .yes(&["AppVeyor v2.{x20}"])
        .no(&["v2.0.1", "v2.someLongMethodNames"]),
];
