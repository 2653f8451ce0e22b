//! `/hooks/update`: a forge tells that a repository has something new, signed with a secret that it shares with this server.
//!
//! Who has no secret learns nothing here: what is wrong with a request is never said, and without a secret there is no such page.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::web::app::App;
use crate::web::ask::{Ask, some};

type Sha256Mac = Hmac<Sha256>;

/// Where forges say which repository it is about.
const URLS: [&str; 10] = [
    "/repository/clone_url",
    "/repository/ssh_url",
    "/repository/git_url",
    "/repository/html_url",
    "/repository/url",
    "/repository/git_http_url",
    "/repository/git_ssh_url",
    "/project/git_http_url",
    "/project/git_ssh_url",
    "/project/web_url",
];

pub async fn update(
    State(app): State<App>,
    Query(ask): Query<Ask>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if app.secrets().is_empty() {
        return StatusCode::NOT_FOUND;
    }
    if method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let payload: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut heard = false;
    for mirror in app.mirrors() {
        let name = &mirror.source.name;
        let Some(secret) = app.secrets().get(name) else { continue };
        let is_signed = is_signed(secret, &headers, &body);
        let is_meant = match some(&ask.repository) {
            Some(repository) => repository == name,
            None => is_about(&payload, &mirror.source.url),
        };
        if is_signed && is_meant {
            app.want(name);
            // Without it the machine that verifies looks when it is time.
            drop(app.database().leave_word(name).await);
            heard = true;
        }
    }
    if heard { StatusCode::ACCEPTED } else { StatusCode::UNAUTHORIZED }
}

/// Whether a request was made by somebody who has the secret: GitHub's and Gitea's signatures are of its bytes, GitLab sends the
/// secret itself. Each comparison takes the same time wherever the texts differ.
fn is_signed(secret: &[u8], headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mac = |bytes: &[u8]| Sha256Mac::new_from_slice(secret).ok().map(|mac| mac.chain_update(bytes));
    let signs = |text: &str| {
        let signature = hex::decode(text).unwrap_or_default();
        mac(body).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
    };
    if let Some(signature) = header("x-hub-signature-256") {
        return signature.strip_prefix("sha256=").is_some_and(signs);
    }
    if let Some(signature) = header("x-gitea-signature").or_else(|| header("x-forgejo-signature")) {
        return signs(signature);
    }
    let token = header("x-gitlab-token").unwrap_or_default();
    let (sent, ours) = (mac(token.as_bytes()), mac(secret));
    sent.zip(ours).is_some_and(|(sent, ours)| sent.verify(&ours.finalize().into_bytes()).is_ok())
}

/// Whether a forge tells of the repository that is fetched from a URL.
fn is_about(payload: &Value, url: &str) -> bool {
    let wanted = plain(url);
    URLS.iter().filter_map(|place| payload.pointer(place)?.as_str()).any(|named| plain(named) == wanted)
}

/// `host/path` of a URL, however it is spelled: scheme, user, port and `.git` say how to get there, not where.
fn plain(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let (is_url, rest) = url.split_once("://").map_or((false, url.as_str()), |(_, rest)| (true, rest));
    let end = rest.find('/').unwrap_or(rest.len());
    let from = rest[..end].rfind('@').map_or(0, |at| at + 1);
    let rest = &rest[from..];
    let (host, path) = match (rest.find(':'), rest.find('/')) {
        (Some(colon), slash) if !is_url && slash.is_none_or(|slash| colon < slash) => {
            (&rest[..colon], &rest[colon + 1..])
        }
        (_, slash) => rest.split_at(slash.unwrap_or(rest.len())),
    };
    let host = if is_url { host.split(':').next().unwrap_or(host) } else { host };
    let path = path.trim_matches('/');
    format!("{host}/{}", path.strip_suffix(".git").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    /// The example of GitHub's documentation ("Validating webhook deliveries").
    const SECRET: &[u8] = b"It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn who_has_the_secret_is_heard_and_nobody_else() {
        let signed = |headers: &HeaderMap| is_signed(SECRET, headers, BODY);
        let github = format!("sha256={SIGNATURE}");
        assert!(signed(&headers("x-hub-signature-256", &github)));
        assert!(signed(&headers("x-gitea-signature", SIGNATURE)) && signed(&headers("x-forgejo-signature", SIGNATURE)));
        assert!(signed(&headers("x-gitlab-token", "It's a Secret to Everybody")));
        assert!(!is_signed(SECRET, &headers("x-hub-signature-256", &github), b"Hello, World"));
        assert!(!is_signed(b"another", &headers("x-gitea-signature", SIGNATURE), BODY));
        for (name, wrong) in [
            ("x-hub-signature-256", SIGNATURE),
            ("x-hub-signature-256", "sha256="),
            ("x-hub-signature-256", "sha256=zz"),
            ("x-gitea-signature", &SIGNATURE[2..]),
            ("x-gitea-signature", ""),
            ("x-gitlab-token", "It's a Secret to"),
            ("x-gitlab-token", ""),
            ("x-other", SIGNATURE),
        ] {
            assert!(!signed(&headers(name, wrong)), "{name}: {wrong}");
        }
    }

    #[test]
    fn a_repository_is_the_same_however_its_url_is_spelled() {
        for url in [
            "https://host/Team/shop.git",
            "https://user:x@host:8443/team/shop",
            "ssh://git@host:2222/team/shop.git",
            "git@host:team/shop.git",
            "http://HOST/team/shop/",
        ] {
            assert_eq!(plain(url), "host/team/shop", "{url}");
        }
        assert_ne!(plain("https://host/team/shop2"), plain("https://host/team/shop"));
        assert_eq!(plain("/srv/git/shop.git"), "/srv/git/shop");
        let payload = serde_json::json!({ "project": { "git_ssh_url": "git@host:team/shop.git" } });
        assert!(is_about(&payload, "https://host/team/shop") && !is_about(&payload, "https://host/team/pay"));
        assert!(!is_about(&Value::Null, "https://host/team/shop"));
    }
}
