//! `git tracevault login`: signs the code that a page of the audit view shows, with keys that never leave this machine.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::Code;
use crate::host::output::{self, Out};
use crate::host::{env, http};
use crate::ledger::Ledger;
use crate::roster::possession;
use crate::signing::Signer;

/// Sign in to an audit view with your key
///
/// Its page shows a code; this command signs it, and the browser that shows it is signed in. Who asks is told before anything is signed:
/// sign only a code that your own browser shows. It signs with the key of the clone that it is run in.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The server, as its page names it: https://audit.example.com
    url: String,
    /// The code that the page shows; asked for where it is not given
    code: Option<String>,
    #[command(flatten)]
    with: With,
    /// Do not ask whether it is you who shows the code
    #[arg(long)]
    yes: bool,
}

/// Which keys sign.
#[derive(clap::Args, Debug)]
pub struct With {
    /// Sign with every key of yours on this machine, for servers that show several repositories
    #[arg(long)]
    all_keys: bool,
}

/// Who shows a code.
#[derive(Debug, Deserialize)]
struct Asked {
    peer: String,
    agent: String,
    asked: crate::time::Time,
}

/// What one was signed in as, or out of.
#[derive(Debug, Deserialize)]
pub struct Members {
    members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
pub struct Member {
    repository: String,
    member: String,
    roles: String,
}

pub fn run(args: &Args, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let server = Server::at(&args.url)?;
    let signers = args.with.signers(dir)?;
    let typed = match &args.code {
        Some(code) => code.clone(),
        None => ask("Which code does the page show?")?.context("say which code the page shows, behind the address")?,
    };
    let code = possession::typed(&typed).with_context(|| {
        format!("{typed:?} is no code: it has eight letters, as the page at {}/sign-in shows it", server.0)
    })?;
    let asked: Asked = server.get(&format!("/sign-in/code/{code}"))?;
    output::say(format_args!("{} asks to be signed in to {}", output::visible(&asked.peer), server.0));
    output::say(format_args!("  since {}, with {}", asked.asked, output::visible(&asked.agent)));
    if !args.yes {
        match ask("Is that your browser? [y/N]")? {
            Some(answer) if ["y", "yes"].contains(&answer.to_lowercase().as_str()) => {}
            Some(_) => bail!("nothing was signed"),
            None => bail!("whether that is your browser nobody can be asked here: say so with --yes"),
        }
    }
    let text = possession::sign_in(&server.0, &code);
    let request = json!({ "code": code, "keys": signatures(&signers, &text) });
    let done: Members = server.post("/sign-in/keys", &request)?;
    told(out, "Signed in", &done)?;
    out.line("Go on in your browser.")?;
    Ok(0)
}

impl With {
    /// The keys that sign: that of the clone here, or all of this user's.
    pub fn signers(&self, dir: &Path) -> anyhow::Result<Vec<Signer>> {
        if !self.all_keys {
            let ledger = Ledger::open(dir)
                .context("run it in a clone whose key is enrolled, or sign with every key of yours: --all-keys")?;
            return Ok(vec![ledger.signer()?]);
        }
        let keys = env::config_dir().context("there is no home folder to look for keys in (HOME is not set)")?;
        let keys = keys.join("keys");
        let mut signers = Vec::new();
        let folder = std::fs::read_dir(&keys).with_context(|| format!("cannot read {}", keys.display()))?;
        for entry in folder {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "key") {
                signers.push(Signer::load(&path)?);
            }
        }
        if signers.is_empty() { bail!("there is no key in {}", keys.display()) } else { Ok(signers) }
    }
}

/// What each key signs of a text.
pub fn signatures(signers: &[Signer], text: &str) -> Vec<Value> {
    let one = |signer: &Signer| {
        let signature = STANDARD.encode(signer.sign_text(text));
        json!({ "public_key": signer.public_key().to_string(), "signature": signature })
    };
    signers.iter().map(one).collect()
}

/// Says for whom something was done.
pub fn told(out: &mut Out, done: &str, members: &Members) -> std::io::Result<()> {
    for member in &members.members {
        let Member { repository, member, roles } = member;
        let line = format!("{done} as {member} ({roles}) of {repository}");
        out.line(output::visible(&line))?;
    }
    Ok(())
}

/// What somebody types at the terminal, if there is one.
fn ask(question: &str) -> anyhow::Result<Option<String>> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !output::stderr_is_terminal() {
        return Ok(None);
    }
    output::say(question);
    let mut answer = String::new();
    stdin.read_line(&mut answer)?;
    Ok(Some(answer.trim().to_owned()))
}

/// A server of the audit view, by its origin.
pub struct Server(pub String);

impl Server {
    /// The server of a URL; what stands behind host and port is not needed.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        let url = if url.contains("://") { url.to_owned() } else { format!("https://{url}") };
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let origin = format!("{}://{}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
        if host.is_empty() || host.contains('@') {
            bail!("{url:?} names no server");
        }
        if !http::is_private(&origin) {
            bail!("{origin} would be asked in the clear: only https, or a server on this machine, is");
        }
        Ok(Server(origin))
    }

    fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> anyhow::Result<T> {
        self.answer(http::agent(&self.0).get(format!("{}{path}", self.0)).call())
    }

    /// Sends JSON, and reads the JSON that is answered.
    pub fn post<T: for<'de> Deserialize<'de>>(&self, path: &str, request: &Value) -> anyhow::Result<T> {
        self.answer(http::agent(&self.0).post(format!("{}{path}", self.0)).send_json(request))
    }

    fn answer<T: for<'de> Deserialize<'de>>(
        &self,
        sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<T> {
        let mut response = sent.with_context(|| format!("cannot reach {}", self.0))?;
        let text = response.body_mut().with_config().limit(http::LARGEST).read_to_string();
        let text = text.with_context(|| format!("cannot read what {} answers", self.0))?;
        if response.status().is_success() {
            return serde_json::from_str(&text)
                .with_context(|| format!("{} is no audit view of git-tracevault", self.0));
        }
        let error = serde_json::from_str::<Value>(&text).ok();
        match error.as_ref().and_then(|error| error["error"].as_str()) {
            Some(error) => bail!("{} says: {error}", self.0),
            None => bail!("{} answers {}", self.0, response.status()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_in_secret() {
        for (url, origin) in [
            ("audit.example.com", "https://audit.example.com"),
            ("https://Audit.example.com/sign-in?to=/", "https://audit.example.com"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(Server::at(url).unwrap().0, origin, "{url}");
        }
        for url in ["http://audit.example.com", "https://", "https://me@host/", "ftp://localhost"] {
            assert!(Server::at(url).is_err(), "{url}");
        }
    }
}
