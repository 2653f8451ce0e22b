//! `git tracevault logout`: ends everything that a key was signed in for.

use std::path::Path;

use serde_json::json;

use crate::cli::Code;
use crate::cli::login::{self, Members, Server, With};
use crate::host::clock;
use crate::host::output::Out;
use crate::roster::possession;

/// Sign out of an audit view in every browser
///
/// Ends whatever your key was signed in for, wherever that browser is. To sign out of one browser, use the button of its pages.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The server: https://audit.example.com
    url: String,
    #[command(flatten)]
    with: With,
}

pub fn run(args: &Args, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let server = Server::at(&args.url)?;
    let signers = args.with.signers(dir)?;
    let time = clock::now();
    let text = possession::sign_out(&server.0, time);
    let request = json!({ "time": time, "keys": login::signatures(&signers, &text) });
    let done: Members = server.post("/sign-out/keys", &request)?;
    login::told(out, "Signed out everywhere", &done)?;
    Ok(0)
}
