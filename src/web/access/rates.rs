//! Rates: how often one address may ask.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Pages of one address in a second.
const PAGES: NonZeroU32 = NonZeroU32::new(1_000).unwrap();
/// Attempts to sign in of one address in a minute.
const ATTEMPTS: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// So often what is known of addresses that ask no more is forgotten.
const SWEEP: u32 = 10_000;

/// What each address has asked lately; cheap to clone.
#[derive(Clone)]
pub struct Rates(Arc<Inner>);

struct Inner {
    pages: DefaultKeyedRateLimiter<IpAddr>,
    attempts: DefaultKeyedRateLimiter<IpAddr>,
    asked: AtomicU32,
}

impl Default for Rates {
    fn default() -> Self {
        let pages = RateLimiter::keyed(Quota::per_second(PAGES));
        let attempts = RateLimiter::keyed(Quota::per_minute(ATTEMPTS));
        Rates(Arc::new(Inner { pages, attempts, asked: AtomicU32::new(0) }))
    }
}

impl Rates {
    /// Whether this address may ask for a page now.
    pub fn page(&self, peer: IpAddr) -> bool {
        if self.0.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.0.pages.retain_recent();
            self.0.attempts.retain_recent();
        }
        self.0.pages.check_key(&network(peer)).is_ok()
    }

    /// Whether this address may try to sign in now.
    pub fn attempt(&self, peer: IpAddr) -> bool {
        self.0.attempts.check_key(&network(peer)).is_ok()
    }
}

/// One who has IPv6 has 2^64 addresses of it.
pub fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_measure() {
        let rates = Rates::default();
        let (one, other) = ("2001:db8::1".parse().unwrap(), "2001:db8:0:1::1".parse().unwrap());
        let same = "2001:db8::ffff:1".parse().unwrap();
        let let_in = (0..40).filter(|_| rates.attempt(one)).count();
        assert_eq!(let_in, 30);
        assert!(!rates.attempt(same) && rates.attempt(other) && rates.page(one));
    }
}
