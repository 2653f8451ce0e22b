//! Payments and commerce.

use crate::redaction::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::form(
        "stripe-key",
        &["sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_", "sk_org_"],
        r"[sr]k_(?:live|test|prod|org)_[A-Za-z0-9_]{14,}",
    )
    .from("docs.stripe.com/keys")
    .yes(&["sk_live_{x24}", "rk_test_51{x98}", "sk_org_live_{x30}"])
    .no(&["pk_live_{x24}", "sk_live_abc", "(?i)sk_(?:live|test)_[a-z0-9]{24,}"]),
    Rule::form("webhook-secret", &["whsec_"], r"whsec_[A-Za-z0-9+/=]{24,}")
        .from("docs.stripe.com/webhooks; standardwebhooks.com")
        .yes(&["whsec_{x32}", "whsec_{b43}="])
        .no(&["whsec_..."]),
    Rule::form(
        "braintree-token",
        &["access_token$"],
        r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}",
    )
    .from("Braintree and PayPal: access tokens")
    .yes(&["access_token$production${l16}${h32}"])
    .no(&["access_token$production$"]),
    Rule::form("square-token", &["sq0atp-", "sq0csp-"], r"sq0(?:atp|csp)-[A-Za-z0-9_-]{22,}")
        .from("Square: access tokens and application secrets")
        .yes(&["sq0atp-{w22}", "sq0csp-{w43}"])
        .no(&["sq0idp-{w22}"]),
    Rule::form(
        "plaid-token",
        &["access-sandbox-", "access-development-", "access-production-"],
        r"access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    )
    .from("plaid.com/docs: access tokens")
    .yes(&["access-production-{u}"])
    .no(&["access-production-db"]),
    Rule::form(
        "shopify-token",
        &["shpat_", "shpca_", "shppa_", "shpss_", "shpua_"],
        r"shp(?:at|ca|pa|ss|ua)_[a-fA-F0-9]{32}",
    )
    .from("Shopify: token prefixes")
    .yes(&["shpat_{h32}", "shpss_{h32}"])
    .no(&["shpat_{h8}"]),
    Rule::form("mollie-key", &["live_", "test_"], r"(?:live|test)_[A-Za-z0-9]{30}\b")
        .check(Check::Random)
        .from("Mollie: API keys")
        .yes(&["live_{x30}"])
        .no(&["test_that_a_long_name_is_not_one_12", "live_{x8}"]),
    Rule::form("gocardless-token", &["live_", "sandbox_"], r"(?:live|sandbox)_[A-Za-z0-9_=-]{40}\b")
        .check(Check::Random)
        .from("gitleaks gocardless-api-token")
        .yes(&["live_{x40}"])
        .no(&["live_data"]),
    Rule::form("flutterwave-key", &["FLWSECK"], r"FLWSECK(?:_TEST)?-[a-f0-9]{32,}-X")
        .from("Flutterwave: API keys")
        .yes(&["FLWSECK-{h32}-X", "FLWSECK_TEST-{h32}-X"])
        .no(&["FLWPUBK-{h32}-X", "FLWSECK"]),
    Rule::form("paddle-key", &["pdl_"], r"pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}")
        .from("Paddle: API keys")
        .yes(&["pdl_live_apikey_{l26}_{x22}_{x3}"])
        .no(&["pdl_live_"]),
    Rule::form("klarna-key", &["klarna_"], r"klarna_(?:live|test)_api_[A-Za-z0-9_*()!?$/+=-]{40,}")
        .from("Klarna: API keys")
        .yes(&["klarna_live_api_{b80}"])
        .no(&["klarna_live_api_"]),
    Rule::form("easypost-key", &["EZAK", "EZTK"], r"EZ[AT]K[A-Za-z0-9]{54}\b")
        .from("gitleaks easypost-api-token")
        .yes(&["EZAK{x54}"])
        .no(&["EZAK{x4}"]),
    Rule::form("duffel-token", &["duffel_"], r"duffel_(?:test|live)_[A-Za-z0-9_=-]{43}")
        .from("gitleaks duffel-api-token")
        .yes(&["duffel_live_{w43}"])
        .no(&["duffel_live_"]),
    Rule::form("square-token", &["EAAA"], r"EAAA[A-Za-z0-9_-]{60}\b")
        .check(Check::Random)
        .from("Square: access tokens")
        .yes(&["EAAA{w60}"])
        .no(&["EAAA{x5}"]),
    Rule::form("facebook-token", &["EAA"], r"EAA[A-Za-z0-9]{90,}\b")
        .check(Check::Random)
        .from("Meta: user and page access tokens")
        .yes(&["EAA{x170}"])
        .no(&["EAA{x5}"]),
    Rule::form("adyen-key", &["AQE"], r"AQE[a-z][A-Za-z0-9+/]{60,}={0,2}-[A-Za-z0-9+/]{20,}={0,2}-[^\s'\x22\\]{12,20}")
        .from("Adyen: API keys are three parts")
        .yes(&["AQEyhmfxK{b130}-{b43}=-{x16}"])
        .no(&["AQEyhmfx"]),
    Rule::form("checkout-key", &["sk_", "sk_sbox_"], r"sk_(?:sbox_)?[a-z2-7]{26}[a-z2-7*#$=]?\b")
        .check(Check::Random)
        .from("Checkout.com: secret keys")
        .yes(&["sk_{a26}"])
        .no(&["sk_some_function_name"]),
];
