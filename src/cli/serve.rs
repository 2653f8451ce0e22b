//! `git tracevault serve`: mirror ledgers, verify them, and serve the audit view.

mod upkeep;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::audit_log::{Action, Event};
use crate::cli::Code;
use crate::host::output;
use crate::host::{env, files};
use crate::index::{Database, Place};
use crate::mirror::{Mirror, Settings, Source};
use crate::signing::Reader;
use crate::web::{App, Door, Log, Origins, Peers, Provider, Rates, Secrets};

/// A secret of fewer bytes is none.
const SHORTEST: usize = 16;

/// Mirror ledgers, verify everything, and serve the audit view as web pages
///
/// Mirrors one repository or hundreds by ordinary fetches, verifies every record, and keeps an index in one SQLite file (or in
/// PostgreSQL) which may be deleted at any time. Nothing is ever written to the repositories. Without a repository in the arguments or
/// the settings it serves the one that it is started in. Members sign in with their keys (git tracevault login), and see what their
/// roles allow them.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A repository to mirror: a URL or a folder, NAME= before it says what to call it
    #[arg(long, value_name = "[NAME=]URL")]
    repo: Vec<String>,
    /// Settings: repositories and all else, as docs/indexer.md says
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where mirrors and index are kept
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The index: a file, or a postgres:// URL
    #[arg(long, value_name = "FILE|URL")]
    database: Option<String>,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// What people type to reach it, if that is another address: https://audit.example.com
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Let everybody who reaches the address read everything
    #[arg(long)]
    public: bool,
    /// Mirror, verify and index once, and end
    #[arg(long)]
    once: bool,
}

pub fn run(args: &Args, dir: &Path) -> anyhow::Result<Code> {
    let settings = settings(args, dir)?;
    let data = settings.data.clone().or_else(default_data).context("no folder for mirrors: give --data")?;
    let data = dir.join(data);
    let mirrors = data.join("mirrors");
    files::create_private_dir(&mirrors).with_context(|| format!("cannot use {}", mirrors.display()))?;
    let place = match &settings.database {
        Some(text) => match text.parse().map_err(anyhow::Error::msg)? {
            Place::File(path) => Place::File(dir.join(path)),
            server => server,
        },
        None => Place::File(data.join("index.sqlite")),
    };
    let reader =
        settings.identity.as_ref().map_or_else(|| Ok(Reader::default()), |file| Reader::from_file(&dir.join(file)))?;
    let mirror = |source| Mirror::of(source, &mirrors, reader.clone());
    let mirrors: Vec<Mirror> = settings.repositories.iter().map(mirror).collect();
    let secrets = secrets(&settings, dir)?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let database = Database::open(&place).await?;
        if args.once {
            return tokio::task::spawn_blocking(move || once(&database, &mirrors)).await?;
        }
        serve(database, mirrors, secrets, &settings, &Folders { data: &data, base: dir }).await
    });
    // What is being verified may take long, and is begun again the next time.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// Serves repositories to everybody who reaches the address, until it is stopped.
pub fn public(repositories: &[(String, PathBuf)], data: &Path, listen: &str, dir: &Path) -> anyhow::Result<Code> {
    let args = Args {
        repo: repositories.iter().map(|(name, path)| format!("{name}={}", path.display())).collect(),
        config: None,
        data: Some(data.to_owned()),
        database: Some(data.join("index.sqlite").display().to_string()),
        listen: Some(listen.to_owned()),
        url: None,
        public: true,
        once: false,
    };
    run(&args, dir)
}

/// What the arguments and the settings' file say together; arguments come first.
fn settings(args: &Args, dir: &Path) -> anyhow::Result<Settings> {
    let mut settings = match &args.config {
        Some(path) => {
            let path = dir.join(path);
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Settings::parse(&text).with_context(|| format!("{}", path.display()))?
        }
        None => Settings::default(),
    };
    for repo in &args.repo {
        settings.repositories.push(Source::from_argument(repo, dir)?);
    }
    if settings.repositories.is_empty() {
        let here = crate::git::repo::Repo::discover(dir).context("nothing to serve: give --repo or --config")?;
        settings.repositories.push(Source::from_argument(&here.home().to_string_lossy(), dir)?);
    }
    settings.url = args.url.clone().or(settings.url);
    settings.check()?;
    settings.data = args.data.clone().or(settings.data);
    settings.database = args.database.clone().or(settings.database).or_else(env::database_url);
    settings.listen = args.listen.clone().or(settings.listen).or_else(env::listen);
    settings.public |= args.public;
    Ok(settings)
}

fn default_data() -> Option<PathBuf> {
    Some(env::state_dir()?.join("git-tracevault").join("indexer"))
}

/// Where things are.
struct Folders<'a> {
    data: &'a Path,
    /// What the settings' paths are relative to.
    base: &'a Path,
}

async fn serve(
    database: Database,
    mirrors: Vec<Mirror>,
    secrets: Secrets,
    settings: &Settings,
    folders: &Folders<'_>,
) -> anyhow::Result<Code> {
    let address = settings.listen.as_deref().unwrap_or("127.0.0.1:8080");
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let bound: SocketAddr = listener.local_addr()?;
    let door = door(settings, bound, folders.base)?;
    let log = Log::open(&folders.data.join("audit"))?;
    begun(&log, settings, folders.data).await?;
    let app = App::new(database, mirrors, door, log, secrets);
    output::say(format_args!("serving {}/", settings.url.clone().unwrap_or_else(|| format!("http://{bound}"))));
    if !settings.public {
        output::say("members sign in with their keys: git tracevault login, as the page says");
    }
    let stop = Arc::new(Notify::new());
    let looking = {
        let (app, stop, settings) = (app.clone(), stop.clone(), settings.clone());
        tokio::spawn(async move { upkeep::keep_up(&app, &settings, &stop).await })
    };
    crate::web::serve(app, listener, asked_to_stop()).await?;
    stop.notify_one();
    looking.await?;
    Ok(0)
}

/// How people come in.
fn door(settings: &Settings, listens: SocketAddr, base: &Path) -> anyhow::Result<Door> {
    let origins = Origins::new(settings.url.as_deref(), listens);
    if !settings.public && origins.lacks_name() {
        bail!(
            "who signs in names the server they mean: say which url = \"https://…\" this one has, in the settings or with --url"
        );
    }
    let secret = |path: &Path| -> anyhow::Result<String> {
        let path = base.join(path);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = text.trim().to_owned();
        if text.is_empty() { bail!("{} is empty", path.display()) } else { Ok(text) }
    };
    let provider = match &settings.oidc {
        None => None,
        Some(oidc) => {
            let client = oidc.client_secret_file.as_deref().map(secret).transpose()?;
            Some(Arc::new(Provider::new(&oidc.issuer, &oidc.client_id, client.as_deref())?))
        }
    };
    Ok(Door {
        public: settings.public,
        origins,
        peers: Peers { proxy: settings.proxy },
        rates: Rates::default(),
        provider,
        metrics_token: settings.metrics_token_file.as_deref().map(secret).transpose()?,
    })
}

/// Notes that the server starts, and whether its settings are others than the last time.
async fn begun(log: &Log, settings: &Settings, data: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", log.path().display());
    let start =
        Event { detail: Some(format!("git-tracevault {}", env!("CARGO_PKG_VERSION"))), ..Event::new(Action::Start) };
    log.add(start).await.with_context(failed)?;
    let told = settings.told();
    let kept = data.join("audit").join("settings");
    if files::read_if_exists(&kept)?.as_deref() != Some(told.as_bytes()) {
        log.add(Event { detail: Some(told.clone()), ..Event::new(Action::Settings) }).await.with_context(failed)?;
        files::replace_private(&kept, told.as_bytes())?;
    }
    Ok(())
}

fn once(index: &Database, mirrors: &[Mirror]) -> anyhow::Result<Code> {
    let handle = Handle::current();
    let failed = mirrors.iter().filter(|mirror| upkeep::update(index, mirror, &handle, true).is_none()).count();
    Ok(if failed == 0 { 0 } else { crate::cli::COULD_NOT_TELL })
}

/// The secrets of forges, from the files that the settings name: they are no business of those who see arguments.
fn secrets(settings: &Settings, dir: &Path) -> anyhow::Result<Secrets> {
    let mut secrets = Secrets::new();
    for source in &settings.repositories {
        let Some(file) = source.webhook_secret_file.as_ref().or(settings.webhook_secret_file.as_ref()) else {
            continue;
        };
        let file = dir.join(file);
        let read = files::read_if_exists(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let text = Zeroizing::new(read.with_context(|| format!("there is no {}", file.display()))?);
        let secret = Zeroizing::new(text.trim_ascii().to_vec());
        if secret.len() < SHORTEST {
            bail!("the secret in {} is shorter than {SHORTEST} characters: anybody could guess it", file.display());
        }
        secrets.insert(source.name.clone(), secret);
    }
    Ok(secrets)
}

async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut ended) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ended.recv() => return,
                done = tokio::signal::ctrl_c() => return drop(done),
            }
        }
    }
    drop(tokio::signal::ctrl_c().await);
}
