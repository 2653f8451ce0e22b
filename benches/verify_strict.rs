//! What the signatures alone allow: `verify_strict` on all cores over messages as long as a hash; a rate a second.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::time::Instant;

use ed25519_dalek::{Signer as _, SigningKey};

const ROUNDS: usize = 8_000;

fn main() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key();
    let signed: Vec<_> = (0..256u32).map(|n| ([n as u8; 64], key.sign(&[n as u8; 64]))).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for (message, signature) in signed.iter().cycle().take(ROUNDS) {
                    public.verify_strict(message, signature).expect("it is signed");
                }
            });
        }
    });
    println!("{:.0}", (ROUNDS * threads) as f64 / start.elapsed().as_secs_f64());
}
