//! Origins: under which names this server is asked, and under which of them somebody may sign in.

use std::net::{IpAddr, SocketAddr};

/// What a request says it is for, and whether that is this server.
#[derive(Debug, Clone)]
pub struct Origins {
    /// `https://audit.example.com`, as the settings have it.
    url: Option<String>,
    listens: SocketAddr,
}

/// The host and port of an origin.
fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

/// The address that a host is written as, and whether it is this machine's own.
fn address(host: &str) -> Option<IpAddr> {
    host.parse::<SocketAddr>().map(|address| address.ip()).ok().or_else(|| {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        bare.parse().ok()
    })
}

fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.chars().all(|c| c.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    name == "localhost" || address(host).is_some_and(|address| address.is_loopback())
}

impl Origins {
    /// `url` is what people type, where that is not the address that is listened on.
    pub fn new(url: Option<&str>, listens: SocketAddr) -> Self {
        let url = url.map(|url| url.trim_end_matches('/').to_ascii_lowercase());
        Origins { url, listens }
    }

    /// Whether a request for this host may be meant for this server: a name that somebody else pointed at this address is not.
    pub fn is_known(&self, host: &str) -> bool {
        let configured = self.url.as_deref().is_some_and(|url| authority(url).eq_ignore_ascii_case(host));
        configured || is_this_machine(host) || address(host).is_some()
    }

    /// The origin that is signed for somebody who signs in at this host, if one may.
    ///
    /// A server that could be asked under any name would accept what was signed for another one.
    pub fn to_sign(&self, host: &str) -> Option<String> {
        match &self.url {
            Some(url) if authority(url).eq_ignore_ascii_case(host) => Some(url.clone()),
            // Another program of this machine may ask under its own port: what is signed for it must not hold here.
            None if self.is_own_port(host) && is_this_machine(host) => Some(format!("http://{host}")),
            None if host == self.listens.to_string() => Some(format!("http://{host}")),
            _ => None,
        }
    }

    fn is_own_port(&self, host: &str) -> bool {
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port.unwrap_or(80) == self.listens.port()
    }

    /// Whether cookies may travel by `https` alone.
    pub fn is_secure(&self) -> bool {
        self.url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Whether anybody but this machine can reach it while it does not know its name.
    pub fn lacks_name(&self) -> bool {
        self.url.is_none() && !self.listens.ip().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_names_this_server_alone() {
        let listens = "10.1.2.3:8080".parse().unwrap();
        let named = Origins::new(Some("https://Audit.example.com/"), listens);
        for (host, known, signed) in [
            ("audit.example.com", true, Some("https://audit.example.com")),
            ("localhost:8080", true, None),
            ("10.1.2.3:8080", true, None),
            ("10.9.9.9:8080", true, None),
            ("evil.example.com", false, None),
            ("localhost.evil.example.com", false, None),
            ("audit.example.com.evil.example.com", false, None),
            ("", false, None),
        ] {
            assert_eq!((named.is_known(host), named.to_sign(host).as_deref()), (known, signed), "{host}");
        }
        assert!(named.is_secure() && !named.lacks_name());
        let local = Origins::new(None, "127.0.0.1:8080".parse().unwrap());
        for (host, signed) in [
            ("localhost:8080", Some("http://localhost:8080")),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("[::1]:8080", Some("http://[::1]:8080")),
            ("localhost:9090", None),
            ("localhost", None),
            ("10.1.2.3:8080", None),
        ] {
            assert_eq!(local.to_sign(host).as_deref(), signed, "{host}");
        }
        let bare = Origins::new(None, "0.0.0.0:80".parse().unwrap());
        assert!(!bare.is_secure() && bare.lacks_name() && bare.to_sign("10.1.2.3").is_none());
        assert!(!Origins::new(None, "127.0.0.1:80".parse().unwrap()).lacks_name());
    }
}
