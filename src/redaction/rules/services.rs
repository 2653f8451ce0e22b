//! Observability, databases, identity, and the tools of the day.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::form("jwt", &["eyJ"], r"eyJ[A-Za-z0-9_-]{10,}={0,2}\.(?:eyJ|ew)[A-Za-z0-9_-]{10,}={0,2}\.[A-Za-z0-9_-]{10,}")
        .from("RFC 7519, RFC 7515: header, payload and signature in base64url")
        .yes(&["eyJ{w33}.eyJ{w80}.{w43}"])
        .no(&["eyJ{w33}", "eyJ{w33}.eyJ{w80}"]),
    Rule::form(
        "jwe",
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    )
    .from("RFC 7516: five parts in base64url")
    .yes(&["eyJ{w40}.{w80}.{w16}.{w90}.{w22}", "eyJ{w40}..{w16}.{w90}.{w22}"])
    .no(&["eyJ{w33}..."]),
    Rule::context(
        "otpauth-secret",
        &["otpauth://"],
        r"otpauth://[a-z]+/[^\s?\x22']*\?(?:[^\s\x22']*?&)?secret=([A-Za-z2-7]{16,})",
        Check::Real,
    )
    .from("Google Authenticator: key URI format")
    .yes(&["otpauth://totp/Bank:bot?secret={A32}&issuer=Bank", "otpauth://totp/x?issuer=B&secret={A16}"])
    .no(&["otpauth://totp/x?secret="]),
    Rule::form(
        "newrelic-key",
        &["NRAK-", "NRJS-", "NRII-", "NRIQ-", "NRRA-"],
        r"NR(?:AK|JS|II|IQ|RA)-[A-Za-z0-9_-]{19,}",
    )
    .from("New Relic: API keys")
    .yes(&["NRAK-{A27}"])
    .no(&["NRAK-"]),
    Rule::form(
        "newrelic-license-key",
        &["NRAL"],
        r"\b(?:[a-f0-9]{36}(?:FFFF)?|[a-f0-9]{32}FFFF|eu01xx[a-f0-9]{26,30}(?:FFFF)?)NRAL\b",
    )
    .back(40)
    .from("New Relic: license keys")
    .yes(&["{h36}FFFFNRAL"])
    .no(&["NRAL"]),
    Rule::form("sentry-token", &["sntryu_", "sntrys_"], r"sntry(?:u_[a-f0-9]{60,}|s_eyJ[A-Za-z0-9+/=_]{60,})")
        .from("Sentry: auth tokens")
        .yes(&["sntryu_{h64}", "sntrys_eyJ{b100}_{b43}"])
        .no(&["sntryu_"]),
    Rule::form(
        "grafana-token",
        &["glsa_", "glc_", "eyJrIjoi"],
        r"(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,}={0,3}|eyJrIjoi[A-Za-z0-9+/]{60,}={0,3})",
    )
    .from("Grafana: service account, cloud and legacy tokens")
    .yes(&["glsa_{x32}_{h8}", "glc_{b150}=", "eyJrIjoi{b80}="])
    .no(&["glsa_short"]),
    Rule::form("dynatrace-token", &["dt0"], r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}")
        .from("Dynatrace: token format")
        .yes(&["dt0c01.{A24}.{A64}"])
        .no(&["dt0c01.{A24}"]),
    Rule::form("honeycomb-key", &["hcaik_", "hcbik_", "hcxik_", "hcalk_", "hcamk_"], r"hc[a-z][ilm][kc]_[a-z0-9]{50,}")
        .from("Honeycomb: ingest keys")
        .yes(&["hcaik_{l58}"])
        .no(&["hcaik_id"]),
    Rule::form("posthog-key", &["phx_", "phs_"], r"ph[xs]_[A-Za-z0-9]{40,}")
        .from("PostHog: personal API keys")
        .yes(&["phx_{x43}"])
        .no(&["phc_{x43}", "phx_"]),
    Rule::form("databricks-token", &["dapi", "dose", "dkea"], r"(?:dapi|dose|dkea)[a-f0-9]{32}(?:-\d)?\b")
        .from("Databricks: personal access tokens")
        .yes(&["dapi{h32}", "dapi{h32}-2"])
        .no(&["dapi{h4}"]),
    Rule::form("mongodb-atlas-secret", &["mdb_sa_sk_"], r"mdb_sa_sk_[A-Za-z0-9_-]{30,}")
        .from("MongoDB Atlas: service account secrets")
        .yes(&["mdb_sa_sk_{w40}"])
        .no(&["mdb_sa_id_{h24}", "mdb_sa_sk_"]),
    Rule::form("clickhouse-secret", &["4b1d"], r"4b1d[A-Za-z0-9]{38}\b")
        .check(Check::Random)
        .from("gitleaks clickhouse-cloud-api-secret-key")
        .yes(&["4b1d{x38}"])
        .no(&["4b1d{h36}", "4b1d{h60}"]),
    Rule::form("confluent-key", &["cflt"], r"cflt[A-Za-z0-9+/]{60}")
        .from("Confluent Cloud: API secrets")
        .yes(&["cflt{b60}"])
        .no(&["cflt{x4}"]),
    Rule::form("linear-key", &["lin_api_", "lin_oauth_", "lin_wh_"], r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,}")
        .from("Linear: API keys")
        .yes(&["lin_api_{x40}", "lin_oauth_{h64}"])
        .no(&["lin_api_key"]),
    Rule::form("notion-token", &["ntn_", "secret_"], r"(?:ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})\b")
        .from("Notion: integration tokens")
        .yes(&["ntn_{x46}", "secret_{x43}"])
        .no(&["secret_name", "ntn_{x4}"]),
    Rule::form("airtable-token", &["pat"], r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}\b")
        .from("Airtable: personal access tokens")
        .yes(&["pat{x14}.{h64}"])
        .no(&["path.to", "patXXXXXXXXXXXXXX.{h8}"]),
    Rule::form("figma-token", &["figd_", "figo_", "figu_"], r"fig[dou]r?_[A-Za-z0-9_-]{36,}")
        .from("Figma: personal access tokens")
        .yes(&["figd_{w40}"])
        .no(&["figd_"]),
    Rule::form("asana-token", &["1/1", "2/1", "0/1"], r"[012]/\d{12,}(?:/\d{12,})?:[a-f0-9]{32}\b")
        .from("Asana: personal access tokens")
        .yes(&["1/1{d15}:{h32}", "2/1{d15}/1{d15}:{h32}"])
        .no(&["1/1", "1/12/2026"]),
    Rule::form("clickup-token", &["pk_"], r"pk_\d{5,}_[A-Z0-9]{32}\b")
        .from("ClickUp: personal tokens")
        .yes(&["pk_{d8}_{A32}"])
        .no(&["pk_live_{x24}", "pk_1_x"]),
    Rule::form("postman-key", &["PMAK-"], r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}\b")
        .from("gitleaks postman-api-token")
        .yes(&["PMAK-{h24}-{h34}"])
        .no(&["PMAK-{h24}"]),
    Rule::form("typeform-token", &["tfp_"], r"tfp_[A-Za-z0-9_=.-]{50,}")
        .from("gitleaks typeform-api-token")
        .yes(&["tfp_{w59}"])
        .no(&["tfp_x"]),
    Rule::form("contentful-token", &["CFPAT-"], r"CFPAT-[A-Za-z0-9_-]{43,}")
        .from("Contentful: personal access tokens")
        .yes(&["CFPAT-{w43}"])
        .no(&["CFPAT-"]),
    Rule::form(
        "hubspot-token",
        &["pat-na", "pat-eu", "pat-ap"],
        r"pat-(?:na|eu|ap)\d-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    )
    .from("HubSpot: private app tokens")
    .yes(&["pat-eu1-{u}"])
    .no(&["pat-eu1"]),
    Rule::form("dropbox-token", &["sl."], r"sl\.(?:u\.)?[A-Za-z0-9_-]{100,}")
        .from("Dropbox: short-lived access tokens")
        .yes(&["sl.{w136}"])
        .no(&["sl.acm.org"]),
    Rule::form("trello-token", &["ATTA"], r"ATTA[a-f0-9]{60,}")
        .from("Trello: API tokens")
        .yes(&["ATTA{h64}"])
        .no(&["ATTACK", "ATTA{h8}"]),
    Rule::form("prefect-key", &["pnu_", "pnb_"], r"pn[ub]_[A-Za-z0-9]{36}\b")
        .from("gitleaks prefect-api-token")
        .yes(&["pnu_{x36}"])
        .no(&["pnu_id"]),
    Rule::form("dbt-token", &["dbtc_", "dbtu_"], r"dbt[cu]_[A-Za-z0-9_-]{36,}")
        .from("dbt Cloud: tokens")
        .yes(&["dbtc_{w42}"])
        .no(&["dbtc_x"]),
    Rule::form("readme-key", &["rdme_"], r"rdme_[a-z0-9]{70}\b")
        .from("gitleaks readme-api-token")
        .yes(&["rdme_{l70}"])
        .no(&["rdme_"]),
    Rule::form("frameio-token", &["fio-u-"], r"fio-u-[A-Za-z0-9_=-]{64}")
        .from("gitleaks frameio-api-token")
        .yes(&["fio-u-{w64}"])
        .no(&["fio-u-x"]),
    Rule::form("mapbox-token", &["sk.eyJ"], r"sk\.eyJ[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]{20,}")
        .from("Mapbox: secret tokens")
        .yes(&["sk.eyJ{w80}.{w22}"])
        .no(&["pk.eyJ{w80}", "sk.eyJ"]),
    Rule::form(
        "ory-token",
        &["ory_"],
        r"ory_(?:at|rt|ac|pat|apikey|st|wak|wat)_[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]{20,})?",
    )
    .from("Ory: token prefixes")
    .yes(&["ory_at_{w43}.{w43}", "ory_pat_{w32}"])
    .no(&["ory_at_"]),
    Rule::form("defined-key", &["dnkey-"], r"dnkey-[A-Za-z0-9_=-]{26}-[A-Za-z0-9_=-]{52}")
        .from("gitleaks defined-networking-api-token")
        .yes(&["dnkey-{A26}-{A52}"])
        .no(&["dnkey-"]),
    Rule::form(
        "salesforce-session",
        &["00D"],
        r"00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?!A[A-Za-z0-9._]{2}[A-Za-z0-9._-]{60,}",
    )
    .from("Salesforce: session ids are organisation and session, joined by `!`")
    .yes(&["00D{x12}!AQ{w90}"])
    .no(&["00D{x12}", "00d4ff"]),
    Rule::form("dnsimple-token", &["dnsimple_"], r"dnsimple_[aou]_[A-Za-z0-9]{28,}\b")
        .from("DNSimple: API tokens")
        .yes(&["dnsimple_a_{x32}"])
        .no(&["dnsimple_zone_record"]),
    Rule::form("django-secret-key", &["django-insecure-"], r"django-insecure-[^\s'\x22\\]{30,}")
        .from("Django: keys that startproject makes")
        .yes(&["SECRET_KEY = 'django-insecure-{w50}'", "django-insecure-{x20}(^@)=+{x25}"])
        .no(&["django-insecure-key"]),
    Rule::form("extended-private-key", &["xprv", "yprv", "zprv", "tprv"], r"[xyzt]prv[1-9A-HJ-NP-Za-km-z]{100,112}\b")
        .from("BIP32: serialized private keys")
        .yes(&["xprv9s21ZrQH143K{y97}"])
        .no(&["xprv9", "xpub6{y107}"]),
    Rule::form("datadog-token", &["ddpat_", "ddapp_", "ddapi_"], r"dd(?:pat|app|api)_[A-Za-z0-9_]{30,}")
        .from("Datadog: token prefixes")
        .yes(&["ddpat_{x32}"])
        .no(&["ddpat_x"]),
    Rule::form(
        "axiom-token",
        &["xaat-", "xapt-", "xait-"],
        r"xa(?:at|pt|it)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    )
    .from("Axiom: API, personal and ingest tokens")
    .yes(&["xaat-{u}"])
    .no(&["xaat-x"]),
    Rule::form("elastic-key", &["essu_"], r"essu_[A-Za-z0-9+/=]{60,}")
        .from("Elastic Cloud: API keys")
        .yes(&["essu_{b92}"])
        .no(&["essu_x"]),
    Rule::form("fauna-key", &["fnA"], r"fnA[A-Za-z0-9_-]{37,50}\b")
        .check(Check::Random)
        .from("Fauna: secrets")
        .yes(&["fnA{w37}"])
        .no(&["fnAbort"]),
    Rule::context("okta-token", &["SSWS "], r"SSWS (00[A-Za-z0-9_-]{38,42})", Check::Real)
        .from("Okta: API tokens, scheme SSWS")
        .yes(&["Authorization: SSWS 00{w40}"])
        .no(&["SSWS token"]),
    Rule::form("statsig-key", &["secret-"], r"secret-(?:live-|test-)?[A-Za-z0-9_-]{36,48}\b")
        .check(Check::Random)
        .from("Statsig, Stytch: server secrets")
        .yes(&["secret-{x43}", "secret-live-{w36}"])
        .no(&["secret-manager-rotation-lambda-function-role"]),
    Rule::form("configcat-key", &["configcat-sdk-"], r"configcat-(?:sdk|proxy)-\d/[A-Za-z0-9_-]{22}/[A-Za-z0-9_-]{22}")
        .from("ConfigCat: SDK keys")
        .yes(&["configcat-sdk-1/{w22}/{w22}"])
        .no(&["configcat-sdk-js"]),
    Rule::form(
        "unleash-token",
        &[":production.", ":development.", ":default."],
        r"[A-Za-z0-9*\[\]_-]{1,40}:(?:production|development|default)\.[a-f0-9]{56,64}\b",
    )
    .back(40)
    .from("Unleash: API tokens are project, environment and secret")
    .yes(&["*:production.{h56}", "default:development.{h56}"])
    .no(&["x:production.y"]),
    Rule::form("shippo-token", &["shippo_"], r"shippo_(?:live|test)_[a-fA-F0-9]{40}\b")
        .from("gitleaks shippo-api-token")
        .yes(&["shippo_live_{h40}"])
        .no(&["shippo_live_"]),
    Rule::form("imagekit-key", &["private_"], r"private_[A-Za-z0-9+/]{27}=")
        .from("ImageKit: private keys")
        .yes(&["private_{b27}="])
        .no(&["private_key = x"]),
    Rule::context("cloudinary-url", &["cloudinary://"], r"cloudinary://\d{10,}:([A-Za-z0-9_-]{20,})@", Check::Real)
        .from("Cloudinary: CLOUDINARY_URL")
        .yes(&["cloudinary://{d15}:{w27}@shop"])
        .no(&["cloudinary://key:secret@cloud"]),
];
