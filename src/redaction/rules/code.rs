//! Forges, continuous integration, package registries.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::form("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"gh[pousr]_[A-Za-z0-9]{36,}")
        .from("docs.github.com: about authentication, token formats")
        .yes(&["ghp_{x36}", "-H 'Authorization: token gho_{x36}'", "https://x-access-token:ghs_{x36}@github.com/a/b"])
        .no(&["ghp_", "ghp_[0-9a-zA-Z]{36}", "ghp_{x12}"]),
    Rule::form("github-pat", &["github_pat_"], r"github_pat_[A-Za-z0-9_]{60,}")
        .from("docs.github.com: about authentication, token formats")
        .yes(&["github_pat_{x22}_{x59}"])
        .no(&["the prefix `github_pat_` is followed by 82 characters"]),
    Rule::form(
        "gitlab-token",
        &[
            "glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-",
            "glsoat-", "glffct-", "glwt-",
        ],
        r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[A-Za-z0-9_.-]{20,}",
    )
    .from("docs.gitlab.com/security/tokens: token prefixes")
    .yes(&["glpat-{w20}", "glrt-t1_{w20}", "glpat-{w27}.01.{l9}"])
    .no(&["glpat-[\\w-]{20}", "glpat-xxxxxxxxxxxxxxxxxxxx"]),
    Rule::form("gitlab-runner-token", &["GR1348941"], r"GR1348941[A-Za-z0-9_-]{20}")
        .from("docs.gitlab.com/security/tokens: runner registration tokens")
        .yes(&["GR1348941{w20}"])
        .no(&["GR1348941"]),
    Rule::form("bitbucket-token", &["ATBB"], r"ATBB[A-Za-z0-9]{24,}\b")
        .from("Bitbucket: app passwords")
        .yes(&["ATBB{x32}"])
        .no(&["ATBB{x4}"]),
    Rule::form("atlassian-token", &["ATATT3", "ATCTT3"], r"AT[AC]TT3[A-Za-z0-9_=-]{60,}")
        .from("gitleaks atlassian-api-token")
        .yes(&["ATATT3xFfGF0{w175}={H8}"])
        .no(&["ATATT3"]),
    Rule::form("gitea-token", &["gta_", "gto_"], r"gt[ao]_[a-z0-9]{48,}")
        .from("Gitea: OAuth2 tokens")
        .yes(&["gta_{l52}"])
        .no(&["gta_v"]),
    Rule::form("circleci-token", &["CCIPAT_", "CCIPRJ_"], r"CCIP(?:AT|RJ)_[A-Za-z0-9]{16,}_[a-f0-9]{40}")
        .from("CircleCI: API token formats")
        .yes(&["CCIPAT_{x22}_{h40}"])
        .no(&["CCIPAT_{x22}"]),
    Rule::form(
        "buildkite-token",
        &["bkua_", "bkat_", "bkaj_", "bkct_", "bkpt_", "bkpi_"],
        r"bk[a-z]{2}_[A-Za-z0-9]{32,}",
    )
    .from("Buildkite: API and agent token prefixes")
    .yes(&["bkua_{h40}"])
    .no(&["bkua_{h8}"]),
    Rule::form("sonar-token", &["squ_", "sqp_", "sqa_"], r"sq[upa]_[a-f0-9]{40}\b")
        .from("SonarQube: token prefixes")
        .yes(&["squ_{h40}"])
        .no(&["squ_{h8}"]),
    Rule::form("snyk-token", &["snyk_"], r"snyk_(?:uat|sat|rft)\.[a-z0-9]+\.[A-Za-z0-9_.-]{40,}")
        .from("Snyk: service account tokens")
        .yes(&["snyk_uat.{h8}.{w60}"])
        .no(&["snyk_token"]),
    Rule::form("sourcegraph-token", &["sgp_"], r"sgp_(?:(?:[a-f0-9]{16}|local)_)?[a-f0-9]{40}\b")
        .from("gitleaks sourcegraph-access-token")
        .yes(&["sgp_{h40}", "sgp_local_{h40}"])
        .no(&["sgp_local"]),
    Rule::form("deno-token", &["ddp_", "ddw_"], r"dd[pw]_[A-Za-z0-9]{36}\b")
        .from("Deno Deploy: access tokens")
        .yes(&["ddp_{x36}"])
        .no(&["ddp_{x6}"]),
    Rule::form("harness-token", &["pat.", "sat."], r"[ps]at\.[A-Za-z0-9_-]{22}\.[a-f0-9]{24}\.[A-Za-z0-9]{20}\b")
        .from("gitleaks harness-api-key")
        .yes(&["pat.{w22}.{h24}.{x20}"])
        .no(&["sat.at", "pat.match.group"]),
    Rule::form("octopus-key", &["API-"], r"API-[A-Z0-9]{26,}\b")
        .check(Check::Random)
        .from("gitleaks octopus-deploy-api-key")
        .yes(&["API-{A26}"])
        .no(&["API-KEY", "API-FIRST"]),
    Rule::form(
        "launchdarkly-key",
        &["api-", "sdk-", "mob-"],
        r"(?:api|sdk|mob)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    )
    .from("LaunchDarkly: keys")
    .yes(&["sdk-{u}"])
    .no(&["api-gateway", "sdk-1234"]),
    Rule::form("npm-token", &["npm_"], r"npm_[A-Za-z0-9]{36}\b")
        .from("npm: granular and classic access tokens")
        .yes(&["npm_{x36}", "//registry.npmjs.org/:_authToken=npm_{x36}"])
        .no(&["npm_config_registry", "npm_{x12}"]),
    Rule::form("pypi-token", &["pypi-AgE"], r"pypi-AgE[A-Za-z0-9_-]{50,}")
        .from("PyPI: API tokens are macaroons with a prefix")
        .yes(&["pypi-AgEIcHlwaS5vcmc{w150}"])
        .no(&["pypi-AgEIcHlwaS5vcmc"]),
    Rule::form("crates-io-token", &["cio"], r"cio[A-Za-z0-9]{32}\b")
        .check(Check::Random)
        .from("crates.io: API tokens")
        .yes(&["cio{x32}"])
        .no(&["ciotola", "precio{x32}"]),
    Rule::form("rubygems-token", &["rubygems_"], r"rubygems_[a-f0-9]{48}\b")
        .from("RubyGems: API keys")
        .yes(&["rubygems_{h48}"])
        .no(&["rubygems_version"]),
    Rule::form("nuget-key", &["oy2"], r"oy2[a-z0-9]{43}\b")
        .from("NuGet: API keys")
        .yes(&["oy2{l43}"])
        .no(&["oy2{l10}"]),
    Rule::form("docker-token", &["dckr_"], r"dckr_[op]at_[A-Za-z0-9_-]{20,}")
        .from("Docker Hub: access tokens")
        .yes(&["dckr_pat_{w27}", "dckr_oat_{w32}"])
        .no(&["dckr_pat_"]),
    Rule::form("jfrog-token", &["AKCp", "cmVmdGtu"], r"(?:AKCp[A-Za-z0-9]{60,}|cmVmdGtu[A-Za-z0-9]{56})\b")
        .from("gitleaks jfrog-api-key")
        .yes(&["AKCp{x69}", "cmVmdGtu{x56}"])
        .no(&["AKCp{x5}"]),
    Rule::form("clojars-token", &["CLOJARS_"], r"CLOJARS_[a-z0-9]{60}\b")
        .from("gitleaks clojars-api-token")
        .yes(&["CLOJARS_{h60}"])
        .no(&["CLOJARS_USERNAME"]),
    Rule::form("packagist-token", &["packagist_"], r"packagist_[ou][ru]t_[a-f0-9]{68}")
        .from("Private Packagist: tokens")
        .yes(&["packagist_ort_{h68}"])
        .no(&["packagist_token"]),
];
