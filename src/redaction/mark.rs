//! Marks: eight hex digits that link equal secrets, and tell nothing to who has not the key.

use sha2::{Digest as _, Sha256};

/// The key of this machine's or this team's marks. A hash without one could be confirmed by guessing.
#[derive(Clone, Default)]
pub struct MarkKey([u8; 32]);

impl MarkKey {
    pub fn new(key: [u8; 32]) -> Self {
        MarkKey(key)
    }

    /// The first four bytes of the HMAC-SHA256 (RFC 2104) of a secret.
    pub(super) fn tag(&self, secret: &[u8]) -> u32 {
        let pad = |with: u8| {
            let mut block = [with; 64];
            block.iter_mut().zip(self.0).for_each(|(b, k)| *b ^= k);
            block
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(secret).finalize();
        let outer = Sha256::new().chain_update(pad(0x5C)).chain_update(inner).finalize();
        u32::from_be_bytes([outer[0], outer[1], outer[2], outer[3]])
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
