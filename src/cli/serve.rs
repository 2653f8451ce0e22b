//! `git tracevault serve`: mirror ledgers, verify them, and serve the audit view.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

use crate::cli::Code;
use crate::host::clock::{self, Deadline};
use crate::host::output;
use crate::host::{env, files};
use crate::index::{Database, Place};
use crate::mirror::{Mirror, Settings, Source};
use crate::web::{App, Doing};

/// Mirror ledgers, verify everything, and serve the audit view as web pages
///
/// Mirrors one repository or hundreds by ordinary fetches, verifies every record, and keeps an index in one SQLite file (or in
/// PostgreSQL) which may be deleted at any time. Nothing is ever written to the repositories. Without a repository in the arguments or
/// the settings it serves the one that it is started in.
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
    /// Let everybody who reaches the address read everything
    #[arg(long)]
    public: bool,
    /// Mirror, verify and index once, and end
    #[arg(long)]
    once: bool,
}

pub fn run(args: &Args, dir: &Path) -> anyhow::Result<Code> {
    let settings = settings(args, dir)?;
    if !settings.public && !args.once {
        bail!("everybody who reaches the address may read everything: say that this is meant, with --public");
    }
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
        let app = App::new(database, mirrors);
        if args.once {
            return tokio::task::spawn_blocking(move || once(&app)).await?;
        }
        serve(app, &settings).await
    });
    // What is being verified may take long, and is begun again the next time.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
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

async fn serve(app: App, settings: &Settings) -> anyhow::Result<Code> {
    let address = settings.listen.as_deref().unwrap_or("127.0.0.1:8080");
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let bound: SocketAddr = listener.local_addr()?;
    output::say(format_args!("serving http://{bound}/"));
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

/// Brings every repository up to date, again and again.
async fn keep_up(app: &App, settings: &Settings, stop: &Notify) {
    let mut anew = Deadline::after(Duration::ZERO);
    loop {
        // What was verified before is verified again from its beginning now and then: disks forget.
        let full = anew.passed();
        if full {
            anew = Deadline::after(settings.verify_every());
        }
        for at in 0..app.mirrors().len() {
            let (app, handle) = (app.clone(), Handle::current());
            let update = tokio::task::spawn_blocking(move || update(&app, &app.mirrors()[at], &handle, full));
            tokio::select! {
                done = update => drop(done),
                () = stop.notified() => return,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(settings.fetch_every()) => {}
            () = stop.notified() => return,
        }
    }
}

/// Brings one repository up to date; what goes wrong is noted with it, and stops no other. Whether all went well.
fn update(app: &App, mirror: &Mirror, handle: &Handle, full: bool) -> bool {
    let name = &mirror.source.name;
    app.note(name, Doing::Updating);
    let done = mirror.update(app.database(), handle, full);
    app.note(name, Doing::Waiting);
    let Err(error) = done else { return true };
    let told = crate::cli::told(&anyhow::Error::new(error));
    output::say(format_args!("{name}: {}", output::visible(&told)));
    let noted = handle.block_on(async {
        let entry = app.database().enter(name, &mirror.source.url).await?;
        app.database().note_trouble(entry.id, &told).await?;
        app.database().alert_trouble(name, &told, clock::now().unix()).await
    });
    if let Err(error) = noted {
        output::say(format_args!("{name}: {}", output::visible(&error.to_string())));
    }
    false
}

fn once(app: &App) -> anyhow::Result<Code> {
    let handle = Handle::current();
    let failed = app.mirrors().iter().filter(|mirror| !update(app, mirror, &handle, true)).count();
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
