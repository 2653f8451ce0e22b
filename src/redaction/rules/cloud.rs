//! Clouds, hosting, secret stores.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::form("aws-access-key", &["AKIA", "ASIA", "ABIA", "ACCA"], r"A[A-Z]{3}[A-Z2-7]{16}\b")
        .from("AWS IAM user guide: unique identifier prefixes; base32 body")
        .yes(&["AKIA{A16}", "x ASIA{A16}.", "AWS_ACCESS_KEY_ID=AKIA{A16}"])
        .no(&["AKIAXXXXXXXXXXXXXXXX", "AKIA{A12}", "XAKIA{A16}", "r\"AKIA[0-9A-Z]{16}\""]),
    Rule::form("aws-bedrock-key", &["ABSK"], r"ABSK[A-Za-z0-9+/]{80,}={0,2}")
        .from("gitleaks aws-amazon-bedrock-api-key-long-lived")
        .yes(&["ABSK{b128}=="])
        .no(&["ABSK{b20}"]),
    Rule::form("aws-bedrock-key", &["bedrock-api-key-"], r"bedrock-api-key-[A-Za-z0-9+/=]{40,}")
        .from("gitleaks aws-amazon-bedrock-api-key-short-lived")
        .yes(&["bedrock-api-key-{b200}"])
        .no(&["bedrock-api-key-rotation"]),
    Rule::form("aws-mws-token", &["amzn.mws."], r"amzn\.mws\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
        .from("Amazon MWS documentation: auth token")
        .yes(&["amzn.mws.{u}"])
        .no(&["amzn.mws.example"]),
    Rule::context(
        "aws-presigned-url",
        &["X-Amz-Signature", "X-Amz-Security-Token"],
        r"(?i)X-Amz-(?:Signature|Security-Token)(?:=|%3D)([A-Za-z0-9%+/=_-]{40,})",
        Check::Real,
    )
    .from("AWS Signature Version 4: query parameters")
    .yes(&["https://b.s3.amazonaws.com/k?X-Amz-Date=20260101T000000Z&X-Amz-Signature={h64}"])
    .no(&["X-Amz-Signature=<signature>"]),
    Rule::form("gcp-api-key", &["AIza"], r"AIza[A-Za-z0-9_-]{35,}")
        .from("gitleaks gcp-api-key")
        .yes(&["AIza{w35}"])
        .no(&["AIza{w20}"]),
    Rule::form("gcp-oauth-token", &["ya29."], r"ya29\.[A-Za-z0-9_-]{20,}")
        .from("Google identity: access tokens")
        .yes(&["ya29.a0{w120}"])
        .no(&["ya29.token"]),
    Rule::form("gcp-refresh-token", &["1//0"], r"1//0[A-Za-z0-9_-]{40,}")
        .from("Google identity: refresh tokens")
        .yes(&["1//0{w60}"])
        .no(&["1//0"]),
    Rule::form("gcp-client-secret", &["GOCSPX-"], r"GOCSPX-[A-Za-z0-9_-]{20,}")
        .from("Google identity: OAuth client secrets")
        .yes(&["GOCSPX-{w28}"])
        .no(&["GOCSPX-secret"]),
    Rule::form(
        "azure-client-secret",
        &["0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~", "7Q~", "8Q~", "9Q~"],
        r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",
    )
    .back(3)
    .from("gitleaks azure-ad-client-secret")
    .yes(&["abc8Q~{w34}"])
    .no(&["abc8Q~{w10}"]),
    Rule::form(
        "azure-service-key",
        &["AzFu", "AzSe", "ACDb", "+ASt", "AIoT", "+AEh", "AzCa", "+ABa", "APIM"],
        r"([A-Za-z0-9+/_-]{32,76}(?:AzFu|AzSe|ACDb|\+ASt|AIoT|\+AEh|AzCa|\+ABa|APIM)[A-Za-z0-9+/_-]{5,6}(?:={1,2}|\b))",
    )
    .back(77)
    .from("Microsoft: identifiable (common annotated) service keys")
    .yes(&["{b76}+ASt{b5}Q==", "{x43}AzFu{x5}Q=="])
    .no(&["AzFu", "a note on AzSea and {b20}APIM"]),
    Rule::form("azure-devops-token", &["AZDO"], r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b")
        .back(76)
        .from("Azure DevOps: new personal access token format")
        .yes(&["{x76}AZDO{x4}"])
        .no(&["{x20}AZDO{x4}"]),
    Rule::context("azure-sas", &["sig="], r"sig=([A-Za-z0-9%/+]{36,}(?:%3D|%3d|=)+)", Check::Real)
        .from("Azure Storage: shared access signature, parameter sig")
        .yes(&["https://x.blob.core.windows.net/c?sv=2024-11-04&sp=rl&sig={x40}%2F%2B%3D"])
        .no(&["sig=abc", "sig=SIGNATURE"]),
    Rule::form("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], r"do[opr]_v1_[a-f0-9]{64}")
        .from("gitleaks digitalocean-pat")
        .yes(&["dop_v1_{h64}", "dor_v1_{h64}"])
        .no(&["dop_v1_{h20}"]),
    Rule::form("cloudflare-origin-key", &["v1.0-"], r"v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}")
        .from("gitleaks cloudflare-origin-ca-key")
        .yes(&["v1.0-{h24}-{h146}"])
        .no(&["v1.0-{h24}", "v1.0-beta"]),
    Rule::form("cloudflare-token", &["cfk_", "cfut_", "cfat_"], r"cf(?:k|ut|at)_[A-Za-z0-9_-]{40,}")
        .from("developers.cloudflare.com/fundamentals/api/get-started/token-formats")
        .yes(&["cfut_{x40}{h8}", "cfk_{x40}{h8}"])
        .no(&["cfut_{x12}"]),
    Rule::form("heroku-key", &["HRKU-"], r"HRKU-[A-Za-z0-9_-]{36,}")
        .from("gitleaks heroku-api-key-v2")
        .yes(&["HRKU-AA{w58}"])
        .no(&["HRKU-AA"]),
    Rule::form("fly-token", &["fm1r_", "fm1a_", "fm2_", "fo1_"], r"f(?:m1[ra]|m2|o1)_[A-Za-z0-9+/_-]{40,}={0,3}")
        .from("gitleaks flyio-access-token")
        .yes(&["fm2_lJPE{b100}=", "fo1_{w43}"])
        .no(&["fm2_short"]),
    Rule::form("alibaba-access-key", &["LTAI"], r"LTAI[A-Za-z0-9]{12,26}\b")
        .from("gitleaks alibaba-access-key-id")
        .yes(&["LTAI5t{x18}"])
        .no(&["LTAI{x4}"]),
    Rule::form("tencent-secret-id", &["AKID"], r"AKID[A-Za-z0-9]{32,}\b")
        .from("Tencent Cloud: CAM API keys")
        .yes(&["AKID{x32}"])
        .no(&["AKID{x10}"]),
    Rule::form("yandex-key", &["AQVN"], r"AQVN[A-Za-z0-9_-]{35,38}")
        .from("gitleaks yandex-api-key")
        .yes(&["AQVN{w36}"])
        .no(&["AQVN{w10}"]),
    Rule::form("scaleway-key", &["SCW"], r"SCW[A-Z0-9]{17}\b")
        .check(Check::Random)
        .from("Scaleway: API keys")
        .yes(&["SCW{A17}"])
        .no(&["SCW_SECRET", "SCW{A5}"]),
    Rule::form("netlify-token", &["nfp_"], r"nfp_[A-Za-z0-9]{36,}")
        .from("Netlify: personal access tokens")
        .yes(&["nfp_{x36}"])
        .no(&["nfp_{x8}"]),
    Rule::form("vercel-token", &["vcp_", "vci_", "vca_", "vcr_", "vck_"], r"vc[piark]_[A-Za-z0-9]{24,}")
        .from("Vercel: token prefixes")
        .yes(&["vcp_{x56}"])
        .no(&["vcp_{x8}"]),
    Rule::form("render-key", &["rnd_"], r"rnd_[A-Za-z0-9]{28,}")
        .check(Check::Random)
        .from("Render: API keys")
        .yes(&["rnd_{x32}"])
        .no(&["rnd_seed"]),
    Rule::form("supabase-key", &["sbp_", "sb_secret_"], r"(?:sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{20,})")
        .from("Supabase: API keys")
        .yes(&["sbp_{h40}", "sb_secret_{w31}"])
        .no(&["sb_publishable_{w31}", "sb_secret_key"]),
    Rule::form("neon-key", &["napi_"], r"napi_[a-z0-9]{60,}")
        .from("Neon: API keys")
        .yes(&["napi_{l64}"])
        .no(&["napi_status"]),
    Rule::form("planetscale-token", &["pscale_"], r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=.-]{32,}")
        .from("gitleaks planetscale-api-token")
        .yes(&["pscale_tkn_{w43}", "pscale_pw_{w43}"])
        .no(&["pscale_tkn_id"]),
    Rule::form(
        "doppler-token",
        &["dp."],
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}\b",
    )
    .from("gitleaks doppler-api-token")
    .yes(&["dp.pt.{x43}", "dp.st.prod.{x43}"])
    .no(&["dp.pt.", "dp.pt.{x10}"]),
    Rule::form("pulumi-token", &["pul-"], r"pul-[a-f0-9]{40}\b")
        .from("gitleaks pulumi-api-token")
        .yes(&["pul-{h40}"])
        .no(&["pul-{h10}"]),
    Rule::form("vault-token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[A-Za-z0-9_-]{24,}")
        .from("HashiCorp Vault: token prefixes")
        .yes(&["hvs.{w90}", "hvb.{w140}"])
        .no(&["hvs.get", r"hvs\.[\w-]{90,120}"]),
    Rule::form("terraform-token", &[".atlasv1."], r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}")
        .back(14)
        .from("gitleaks hashicorp-tf-api-token")
        .yes(&["{x14}.atlasv1.{w67}"])
        .no(&["x.atlasv1.y"]),
    Rule::form("infracost-key", &["ico-"], r"ico-[A-Za-z0-9]{32}\b")
        .from("gitleaks infracost-api-token")
        .yes(&["ico-{x32}"])
        .no(&["ico-small"]),
    Rule::form("1password-token", &["ops_eyJ"], r"ops_eyJ[A-Za-z0-9+/]{100,}={0,3}")
        .from("gitleaks 1password-service-account-token")
        .yes(&["ops_eyJ{b250}"])
        .no(&["ops_eyJ"]),
    Rule::form(
        "1password-secret-key",
        &["A3-"],
        r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}\b",
    )
    .from("gitleaks 1password-secret-key")
    .yes(&["A3-{A6}-{A11}-{A5}-{A5}-{A5}"])
    .no(&["A3-SIZE"]),
    Rule::form("age-key", &["AGE-SECRET-KEY-"], r"AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{50,}")
        .from("age-encryption.org: identities are Bech32 in upper case")
        .yes(&["AGE-SECRET-KEY-1{A58}"])
        .no(&["AGE-SECRET-KEY-1..."]),
    Rule::form("tailscale-key", &["tskey-"], r"tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]+-[A-Za-z0-9]{20,}")
        .from("Tailscale: key prefixes")
        .yes(&["tskey-auth-k{x11}CNTRL-{x32}"])
        .no(&["tskey-auth-abc"]),
    Rule::form("openshift-token", &["sha256~"], r"sha256~[A-Za-z0-9_-]{43}")
        .from("OpenShift: OAuth access tokens")
        .yes(&["sha256~{w43}"])
        .no(&["sha256~abc", "sha256:{h64}"]),
    Rule::form("akamai-token", &["akab-"], r"akab-[a-z0-9]{16}-[a-z0-9]{16}\b")
        .from("Akamai EdgeGrid: client and access tokens")
        .yes(&["akab-{l16}-{l16}"])
        .no(&["akab-{l16}"]),
    Rule::form("digitalocean-spaces-key", &["DO00", "DO80"], r"DO(?:00|80)[A-Z0-9]{16}\b")
        .check(Check::Random)
        .from("DigitalOcean Spaces: access keys")
        .yes(&["DO00{A16}"])
        .no(&["DO00{A4}"]),
    Rule::form("yandex-token", &["t1."], r"t1\.[A-Z0-9a-z_-]+={0,2}\.[A-Z0-9a-z_-]{86}={0,2}")
        .from("Yandex Cloud: IAM tokens")
        .yes(&["t1.{w9}.{w86}"])
        .no(&["t1.micro"]),
    Rule::form("yandex-key", &["YCA", "YCM", "YCN", "YCO", "YCP", "YCE", "YCI"], r"YC[A-Za-z0-9_-]{38}\b")
        .check(Check::Random)
        .from("gitleaks yandex-aws-access-token")
        .yes(&["YCA{w37}"])
        .no(&["YCbCr"]),
    Rule::form(
        "bitwarden-token",
        &[
            "0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.a", "0.b", "0.c", "0.d", "0.e",
            "0.f",
        ],
        r"0\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[A-Za-z0-9]{28,32}:[A-Za-z0-9+/]{22}==",
    )
    .from("Bitwarden Secrets Manager: machine accounts' access tokens")
    .yes(&["BWS: 0.{u}.{x30}:{b22}=="])
    .no(&["0.{u}"]),
    Rule::context(
        "ngrok-token",
        &["ngrok"],
        r"(?i)ngrok[a-z_ -]{0,24}[\s=:\x22']{1,4}([12][A-Za-z0-9]{24,30}_[A-Za-z0-9]{20,24})\b",
        Check::Real,
    )
    .from("ngrok: auth tokens and API keys")
    .yes(&["ngrok config add-authtoken 2{x26}_{x20}"])
    .no(&["ngrok http 80"]),
    Rule::form("infisical-token", &["st."], r"st\.[a-f0-9]{24}\.[a-f0-9]{32}\.[a-f0-9]{32}\b")
        .from("Infisical: service tokens")
        .yes(&["st.{h24}.{h32}.{h32}"])
        .no(&["st.executeQuery"]),
    Rule::form(
        "aws-session-token",
        &["IQoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz"],
        r"(?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)[A-Za-z0-9+/=%]{80,}",
    )
    .from("AWS STS: session tokens begin with what they all have in common")
    .yes(&["IQoJb3JpZ2luX2VjE{b300}=="])
    .no(&["IQoJb3JpZ2luX2VjE"]),
];
