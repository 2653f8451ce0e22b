//! Links the program for a fixed address, on Linux with glibc.
//!
//! A position-independent program has each of its tables of pointers rewritten whenever it starts, used or not: ours
//! are hundreds of pages, a third of the time that a hook call takes. The program is safe Rust throughout.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

fn main() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
