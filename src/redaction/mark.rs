//! Marks: eight hex digits that link equal secrets, and tell nothing to who has not the key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The key of this machine's or this team's marks. A hash without one could be confirmed by guessing.
#[derive(Clone)]
#[cfg_attr(test, derive(Default))]
pub struct MarkKey([u8; 32]);

impl MarkKey {
    pub fn new(key: [u8; 32]) -> Self {
        MarkKey(key)
    }

    /// The first four bytes of the HMAC-SHA256 (RFC 2104) of a secret.
    pub(super) fn tag(&self, secret: &[u8]) -> u32 {
        // An HMAC takes a key of any length.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return 0 };
        let [a, b, c, d, ..] = mac.chain_update(secret).finalize().into_bytes().0;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl std::fmt::Debug for MarkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("MarkKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_case_of_rfc_4231_and_no_key_in_debug() {
        let mut key = [0; 32];
        key[..20].fill(0x0B);
        assert_eq!(MarkKey::new(key).tag(b"Hi There"), 0xB034_4C61);
        assert_eq!(format!("{:?}", MarkKey::new([65; 32])), "MarkKey(…)");
    }
}
