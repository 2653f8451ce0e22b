//! `git tracevault serve`: mirror ledgers, verify them, and serve the audit view.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

use crate::audit_log::{Action, Event};
use crate::cli::Code;
use crate::host::clock::Deadline;
use crate::host::output;
use crate::host::{env, files};
use crate::index::{Database, Place};
use crate::mirror::{Mirror, Settings, Source};
use crate::web::{App, Doing, Door, Log, Origins, Peers, Provider, Rates};

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
    let mirrors: Vec<Mirror> = settings.repositories.iter().map(|source| Mirror::of(source, &mirrors)).collect();
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let database = Database::open(&place).await?;
        if args.once {
            return tokio::task::spawn_blocking(move || once(&database, &mirrors)).await?;
        }
        serve(database, mirrors, &settings, &Folders { data: &data, base: dir }).await
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
    settings: &Settings,
    folders: &Folders<'_>,
) -> anyhow::Result<Code> {
    let address = settings.listen.as_deref().unwrap_or("127.0.0.1:8080");
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let bound: SocketAddr = listener.local_addr()?;
    let door = door(settings, bound, folders.base)?;
    let log = Log::open(&folders.data.join("audit"))?;
    begun(&log, settings, folders.data)?;
    let app = App::new(database, mirrors, door, log);
    output::say(format_args!("serving {}/", settings.url.clone().unwrap_or_else(|| format!("http://{bound}"))));
    if !settings.public {
        output::say("members sign in with their keys: git tracevault login, as the page says");
    }
    let stop = Arc::new(Notify::new());
    let looking = {
        let (app, stop, settings) = (app.clone(), stop.clone(), settings.clone());
        tokio::spawn(async move { keep_up(&app, &settings, &stop).await })
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
fn begun(log: &Log, settings: &Settings, data: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", log.path().display());
    let start =
        Event { detail: Some(format!("git-tracevault {}", env!("CARGO_PKG_VERSION"))), ..Event::new(Action::Start) };
    log.add(start).with_context(failed)?;
    let told = settings.told();
    let kept = data.join("audit").join("settings");
    if files::read_if_exists(&kept)?.as_deref() != Some(told.as_bytes()) {
        log.add(Event { detail: Some(told.clone()), ..Event::new(Action::Settings) }).with_context(failed)?;
        files::replace_private(&kept, told.as_bytes())?;
    }
    Ok(())
}

/// Brings every repository up to date, again and again.
async fn keep_up(app: &App, settings: &Settings, stop: &Notify) {
    let mut anew = Deadline::after(Duration::ZERO);
    let mut verdicts: HashMap<String, String> = HashMap::new();
    loop {
        // What was verified before is verified again from its beginning now and then: disks forget.
        let full = anew.passed();
        if full {
            anew = Deadline::after(settings.verify_every());
        }
        for mirror in app.mirrors() {
            let (index, mirror, handle) = (app.database().clone(), mirror.clone(), Handle::current());
            let name = mirror.source.name.clone();
            app.note(&name, Doing::Updating);
            let update = tokio::task::spawn_blocking(move || update(&index, &mirror, &handle, full));
            let done = tokio::select! {
                done = update => done,
                () = stop.notified() => return,
            };
            app.note(&name, Doing::Waiting);
            let verdict = done.ok().flatten().unwrap_or_else(|| "could not be brought up to date".to_owned());
            let changed = verdicts.insert(name.clone(), verdict.clone()).as_ref() != Some(&verdict);
            if full || changed {
                note_verdict(app, name, verdict, full);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(settings.fetch_every()) => {}
            () = stop.notified() => return,
        }
    }
}

fn note_verdict(app: &App, repository: String, verdict: String, full: bool) {
    let how = if full { "all of it anew" } else { "what is new" };
    let detail = Some(format!("{verdict} ({how})"));
    let event = Event { repository: Some(repository), detail, ..Event::new(Action::Verify) };
    if let Err(error) = app.log().add(event) {
        output::say(format_args!("the audit log cannot be written: {error}"));
    }
}

/// Brings one repository up to date; what goes wrong is noted with it, and stops no other. The verdict, if there is one.
fn update(index: &Database, mirror: &Mirror, handle: &Handle, full: bool) -> Option<String> {
    let name = &mirror.source.name;
    let error = match mirror.update(index, handle, full) {
        Ok(report) => return Some(report.verdict().to_string()),
        Err(error) => error,
    };
    let told = crate::cli::told(&anyhow::Error::new(error));
    output::say(format_args!("{name}: {}", output::visible(&told)));
    let noted = handle.block_on(async {
        let entry = index.enter(name, &mirror.source.url).await?;
        index.note_trouble(entry.id, &told).await
    });
    if let Err(error) = noted {
        output::say(format_args!("{name}: {}", output::visible(&error.to_string())));
    }
    None
}

fn once(index: &Database, mirrors: &[Mirror]) -> anyhow::Result<Code> {
    let handle = Handle::current();
    let failed = mirrors.iter().filter(|mirror| update(index, mirror, &handle, true).is_none()).count();
    Ok(if failed == 0 { 0 } else { crate::cli::COULD_NOT_TELL })
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
