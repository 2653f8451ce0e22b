//! Keeping up with repositories: all of them again and again, one that a forge tells of at once; of several machines one does it.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::audit_log::{Action, Event};
use crate::host::clock::{self, Deadline};
use crate::host::output;
use crate::index::{Database, Lead};
use crate::mirror::{Mirror, Settings, bare};
use crate::web::{App, Doing};

/// How often a machine looks whether the one that verifies is gone, and this one whether others have heard of something.
const TICK: Duration = Duration::from_secs(5);

/// Brings every repository up to date, again and again, until it is to stop.
pub async fn keep_up(app: &App, settings: &Settings, stop: &Notify) {
    tokio::select! {
        () = go_round(app, settings) => {}
        () = stop.notified() => {}
    }
}

async fn go_round(app: &App, settings: &Settings) {
    let (mut lead, mut anew) = (None, Deadline::after(Duration::ZERO));
    loop {
        let leads = leads(app, &mut lead).await;
        // What was verified before is verified again from its beginning now and then: disks forget.
        let full = leads && anew.passed();
        if full {
            anew = Deadline::after(settings.verify_every());
        }
        for mirror in app.mirrors() {
            look_at_wanted(app, &mut lead).await;
            look(app, mirror, &mut lead, full).await;
        }
        wait(app, &mut lead, settings.fetch_every()).await;
    }
}

/// Waits for the next round, and meanwhile looks at what is wanted; it ends early where this machine comes to lead.
async fn wait(app: &App, lead: &mut Option<Lead>, span: Duration) {
    let until = Deadline::after(span);
    while !until.passed() {
        let was = lead.is_some();
        tokio::select! {
            () = tokio::time::sleep(until.left().min(TICK)) => {}
            () = app.woken() => look_at_wanted(app, lead).await,
        }
        match (was, leads(app, lead).await) {
            (false, true) => return,
            (true, true) => hear(app, lead).await,
            _ => {}
        }
    }
}

/// Looks at what other machines have heard of.
async fn hear(app: &App, lead: &mut Option<Lead>) {
    match app.database().take_words().await {
        Ok(words) => words.iter().for_each(|name| app.want(name)),
        Err(error) => output::say(format_args!("{}", output::visible(&error.to_string()))),
    }
    look_at_wanted(app, lead).await;
}

async fn look_at_wanted(app: &App, lead: &mut Option<Lead>) {
    while let Some(name) = app.take_wanted() {
        if let Some(mirror) = app.mirror(&name) {
            look(app, mirror, lead, false).await;
        }
    }
}

/// Whether it is this machine that verifies.
async fn leads(app: &App, lead: &mut Option<Lead>) -> bool {
    if let Some(held) = lead
        && held.holds().await
    {
        return true;
    }
    *lead = match app.database().lead().await {
        Ok(lead) => lead,
        Err(error) => {
            output::say(format_args!("{}", output::visible(&error.to_string())));
            None
        }
    };
    lead.is_some()
}

/// Brings a repository up to date, or only fetches it where another machine verifies.
async fn look(app: &App, mirror: &Mirror, lead: &mut Option<Lead>, full: bool) {
    let leads = leads(app, lead).await;
    let (index, copy, handle) = (app.database().clone(), mirror.clone(), Handle::current());
    let name = &mirror.source.name;
    app.note(name, Doing::Updating);
    let looked = tokio::task::spawn_blocking(move || match leads {
        true => Some(update(&index, &copy, &handle, full)),
        false => {
            follow(&copy);
            None
        }
    });
    let looked = looked.await;
    app.note(name, Doing::Waiting);
    if let Ok(Some(verdict)) = looked {
        let verdict = verdict.unwrap_or_else(|| "could not be brought up to date".to_owned());
        if app.judged(name, &verdict) || full {
            note_verdict(app, name, &verdict, full).await;
        }
    }
}

/// What was found goes into the audit log: all that is verified anew, and else what has changed.
async fn note_verdict(app: &App, repository: &str, verdict: &str, full: bool) {
    let how = if full { "all of it anew" } else { "what is new" };
    let detail = Some(format!("{verdict} ({how})"));
    let event = Event { repository: Some(repository.to_owned()), detail, ..Event::new(Action::Verify) };
    if let Err(error) = app.log().add(event).await {
        output::say(format_args!("the audit log cannot be written: {error}"));
    }
}

fn follow(mirror: &Mirror) {
    if let Err(error) = mirror.follow() {
        let told = crate::cli::told(&anyhow::Error::new(error));
        output::say(format_args!("{}: {}", mirror.source.name, output::visible(&told)));
    }
}

/// Brings one repository up to date; what goes wrong is noted with it, and stops no other. The verdict, if there is one.
pub fn update(index: &Database, mirror: &Mirror, handle: &Handle, full: bool) -> Option<String> {
    let name = &mirror.source.name;
    let error = match mirror.update(index, handle, full) {
        Ok(report) => return Some(report.verdict().to_string()),
        Err(error) => error,
    };
    // Git says from where, with the password if there is one in the URL.
    let told = crate::cli::told(&anyhow::Error::new(error)).replace(&mirror.source.url, &bare(&mirror.source.url));
    output::say(format_args!("{name}: {}", output::visible(&told)));
    let noted = handle.block_on(async {
        let entry = index.enter(name, &mirror.source.url).await?;
        index.note_trouble(entry.id, &told).await?;
        index.alert_trouble(name, &told, clock::now().unix()).await
    });
    if let Err(error) = noted {
        output::say(format_args!("{name}: {}", output::visible(&error.to_string())));
    }
    None
}
