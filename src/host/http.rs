//! Outgoing HTTP, to servers that somebody named: the one home of it.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest answer that is read, in bytes.
pub const LARGEST: u64 = 1 << 20;

/// A client for a URL that trusts whom this machine trusts, and follows no redirection: what was named is asked, nobody else.
pub fn agent(url: &str) -> Agent {
    patient(url, PATIENCE)
}

/// The same for who may take longer to answer.
fn patient(url: &str, patience: Duration) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder().timeout_global(Some(patience)).max_redirects(0).http_status_as_error(false);
    // What is not encrypted stays on this machine: no proxy reads it on the way.
    let config = if is_open(url) { config.proxy(None) } else { config };
    config.tls_config(tls).user_agent(concat!("git-tracevault/", env!("CARGO_PKG_VERSION"))).build().into()
}

/// Sends JSON, and reads what is answered, whatever it is: its status and its bytes.
pub fn post_json(
    url: &str,
    headers: &[(&'static str, String)],
    body: &serde_json::Value,
    patience: Duration,
) -> Result<(u16, Vec<u8>), ureq::Error> {
    let mut request = patient(url, patience).post(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut response = request.send_json(body)?;
    let bytes = response.body_mut().with_config().limit(LARGEST).read_to_vec()?;
    Ok((response.status().as_u16(), bytes))
}

fn is_open(url: &str) -> bool {
    url.split_once("://").is_none_or(|(scheme, _)| !scheme.eq_ignore_ascii_case("https"))
}

/// Who is asked by a URL, for people: its scheme, host and port, without what may be a secret.
pub fn place(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "a text that is no URL".to_owned() };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    format!("{scheme}://{}", authority.rsplit('@').next().unwrap_or_default())
}

/// Whether a URL has more than a place in it: a name and a password, a query, a fragment.
pub fn has_secrets(url: &str) -> bool {
    url.contains(['@', '?', '#'])
}

/// Whether a URL is `https`, or leads to this machine alone: what goes there is read by nobody on the way.
pub fn is_private(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What stands before an at sign is no host.
    let host = host.rsplit('@').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let here = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    scheme.eq_ignore_ascii_case("https") || (scheme.eq_ignore_ascii_case("http") && here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_tell_no_secret() {
        for (url, shown) in [
            ("https://user:s3cret@models.example:8/v1?key=s3cret", "https://models.example:8"),
            ("http://127.0.0.1:1", "http://127.0.0.1:1"),
            ("s3cret", "a text that is no URL"),
        ] {
            assert_eq!(place(url), shown);
        }
        assert!(has_secrets("https://u:p@a/v1") && has_secrets("https://a/?k=1") && !has_secrets("https://a/v1"));
        assert!(is_open("HTTP://localhost") && !is_open("HTTPS://localhost"));
    }

    #[test]
    fn only_this_machine_is_asked_in_the_clear() {
        for yes in ["https://a.example", "HTTPS://a", "http://localhost:8/x", "http://127.0.0.1", "http://[::1]:80/"] {
            assert!(is_private(yes), "{yes}");
        }
        for no in ["http://a.example", "http://localhost.example", "http://127.0.0.1@a.example", "ftp://localhost", "x"]
        {
            assert!(!is_private(no), "{no}");
        }
    }
}
