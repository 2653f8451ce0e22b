//! Peers: from which address a request comes.

use std::net::{IpAddr, SocketAddr};

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
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_proxys_own_word_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded(&headers), None);
        headers.append("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().unwrap());
        assert_eq!(forwarded(&headers), "2.2.2.2".parse().ok());
        headers.append("x-forwarded-for", "::ffff:3.3.3.3".parse().unwrap());
        assert_eq!(forwarded(&headers).map(|a| a.to_canonical()), "3.3.3.3".parse().ok());
        headers.append("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(forwarded(&headers), None);
    }
}
