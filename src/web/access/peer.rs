//! Peers: from which address a request comes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;

/// How addresses are told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Peers {
    /// A proxy stands before this server, and says for whom it asks.
    pub proxy: bool,
}

impl Peers {
    /// Who asks: behind a proxy the last address that it names, since all before it may be made up.
    pub fn of(self, parts: &Parts) -> Option<IpAddr> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let told = self.proxy.then(|| forwarded(&parts.headers)).flatten();
        told.or(connected).map(|address| address.to_canonical())
    }
}

fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    // Visitors may have sent any bytes, behind which the proxy writes its own.
    let told = last.as_bytes().rsplit(|byte| *byte == b',').next()?;
    address(std::str::from_utf8(told).ok()?.trim())
}

/// An address as proxies write it: some put the port behind, or brackets around.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bracketed = || bare?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(bracketed).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_proxys_own_word_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded(&headers), None);
        headers.append("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().unwrap());
        assert_eq!(forwarded(&headers), "2.2.2.2".parse().ok());
        headers.append("x-forwarded-for", "::ffff:3.3.3.3".parse().unwrap());
        assert_eq!(forwarded(&headers).map(|a| a.to_canonical()), "3.3.3.3".parse().ok());
        headers.append("x-forwarded-for", HeaderValue::from_bytes(b"\xe9, 4.4.4.4").unwrap());
        assert_eq!(forwarded(&headers), "4.4.4.4".parse().ok());
        headers.append("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(forwarded(&headers), None);
    }

    #[test]
    fn addresses_are_as_proxies_write_them() {
        for (told, meant) in [
            ("1.2.3.4", "1.2.3.4"),
            ("1.2.3.4:5678", "1.2.3.4"),
            ("9.9.9.9:1, 1.2.3.4:5678", "1.2.3.4"),
            ("9.9.9.9 ,\t[2001:db8::1]:443 ", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[::ffff:1.2.3.4]:443", "1.2.3.4"),
            // What is no address is none: the proxy asks for itself.
            ("unknown", "127.0.0.1"),
            ("1.2.3.4:", "127.0.0.1"),
            ("1.2.3.4:http", "127.0.0.1"),
            ("1.2.3.4:99999", "127.0.0.1"),
            ("[1.2.3.4]", "127.0.0.1"),
            ("[::1", "127.0.0.1"),
            ("1.2.3.4, ", "127.0.0.1"),
            ("", "127.0.0.1"),
        ] {
            let connected: SocketAddr = "127.0.0.1:9000".parse().unwrap();
            let request =
                axum::http::Request::builder().header("X-Forwarded-For", told).extension(ConnectInfo(connected));
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(Peers { proxy: true }.of(&parts), meant.parse().ok(), "{told}");
            assert_eq!(Peers { proxy: false }.of(&parts), Some(connected.ip()), "anybody can say whose a request is");
        }
    }
}
