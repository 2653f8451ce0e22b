//! Randomness from the operating system.

/// 32 random bytes.
pub fn bytes32() -> [u8; 32] {
    let mut bytes = [0; 32];
    // Without randomness no key could have been made; a salt of zeros would be a silent weakness.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
