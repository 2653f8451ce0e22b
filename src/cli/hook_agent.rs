//! `git-tracevault hook <agent>`: takes down one event of an agent. The agent waits for it, up to twice a tool call, so
//! for a tool that names its files it starts no program and reads no more than it must.
//!
//! It never breaks the agent: it exits with 0, whatever happens, and prints nothing but an answer that the agent
//! documents (`answer`). What goes wrong is a gap in the journal, or a line in `tracevault/hook-errors.log`.

mod answer;

use std::any::Any;
use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;

use answer::Answer;

use crate::agent::{Heard, Kind};
use crate::cli::hook_git;
use crate::git::ignore::is_ignored;
use crate::git::locate::Location;
use crate::host::output::Out;
use crate::host::{clock, env, files};
use crate::id::{RepoPath, SessionId};
use crate::journal::Journal;
use crate::journal::named::NamedFile;
use crate::session::event::{AgentEvent, EventKind, FileState, Gap, GapKind, Reach};

/// No more of a payload than this is looked at.
const PAYLOAD_LIMIT: u64 = 64 << 20;
/// The log of errors grows no larger than this.
const LOG_LIMIT: u64 = 64 << 10;

/// What is to be done once an event is taken down.
#[derive(Debug, PartialEq, Eq)]
pub enum After {
    Nothing,
    /// The session is over: seal it in these repositories.
    Seal(SessionId, Vec<Location>),
}

/// Takes down the event on standard input.
pub fn run(agent: Kind) -> ExitCode {
    // The agent shows what a hook prints.
    panic::set_hook(Box::new(|_| {}));
    let mut places = Vec::new();
    let mut answer = Answer::wanted(agent);
    let taken =
        panic::catch_unwind(AssertUnwindSafe(|| take_down(agent, io::stdin().lock(), &mut places, answer.as_mut())));
    if let Some(given) = answer.and_then(Answer::given) {
        let mut out = Out::stdout();
        // Nobody to tell where the agent has gone.
        drop(out.json(&given).and_then(|()| out.flush()));
    }
    match taken {
        // The ledger seals a session that is over.
        Ok(After::Nothing) => {}
        Ok(After::Seal(session, repositories)) => {
            for location in repositories {
                let dir = location.work_tree.as_deref().unwrap_or(&location.common_dir);
                let sealed = panic::catch_unwind(|| hook_git::seal_ended(dir, &location.common_dir, &session));
                if let Err(panic) = sealed {
                    report(&places, format_args!("panic: {}", panic_text(&*panic)));
                }
            }
        }
        Err(panic) => report(&places, format_args!("panic: {}", panic_text(&*panic))),
    }
    ExitCode::SUCCESS
}

/// A repository that takes the event down.
struct Place {
    location: Location,
    journal: Journal,
}

/// Takes down the event that `input` holds, in every enrolled repository that it is about; these are left in `places`. What
/// there is to say of it is left in the answer.
fn take_down(agent: Kind, input: impl io::Read, places: &mut Vec<Place>, mut answer: Option<&mut Answer>) -> After {
    let Heard { mut event, paths, original } = hear(agent, input);
    // A shell may have left the repository that the agent works in.
    let cwd = event.cwd.as_ref().map(PathBuf::from).or_else(|| env::current_dir().ok());
    let project = env::project_dir().filter(|dir| Some(dir) != cwd.as_ref());
    for dir in cwd.into_iter().chain(project) {
        Location::of(&dir).and_then(|location| place(places, &location));
    }
    let at_home = places.len();

    let is_tool = matches!(event.kind, EventKind::ToolBefore | EventKind::ToolAfter | EventKind::ToolFailed);
    let reach = event.call.as_ref().filter(|_| is_tool).map_or(Reach::None, |call| call.reach);
    let named = if reach == Reach::Named { find_named(&paths, places) } else { Vec::new() };
    // Of a link and what it points to, nobody says which was meant.
    let original = original.as_deref().filter(|_| named.len() == 1);

    let heard_gaps = event.gaps.len();
    for (i, place) in places.iter().enumerate() {
        event.gaps.truncate(heard_gaps);
        event.before.clear();
        event.files.clear();
        event.work_tree = place.location.linked_name();
        let files = match reach {
            Reach::Named => keep_named(place, i, &named, original, &mut event),
            Reach::Any | Reach::Brings if i < at_home => {
                compare(place, &mut event);
                Vec::new()
            }
            _ => Vec::new(),
        };
        if let Err(error) = place.journal.append(&event) {
            report(std::slice::from_ref(place), format_args!("cannot append to the journal: {error}"));
        }
        if let Some(answer) = answer.as_deref_mut() {
            listen(answer, place, &event, files);
        }
    }
    if event.kind != EventKind::End {
        return After::Nothing;
    }
    for place in places.iter() {
        if let Err(error) = place.journal.forget_snapshots(&event.session) {
            report(std::slice::from_ref(place), format_args!("cannot clear snapshots: {error}"));
        }
        if let Err(error) = place.journal.forget_nudges() {
            report(std::slice::from_ref(place), format_args!("cannot clear what nudges remember: {error}"));
        }
    }
    After::Seal(event.session, places.iter().map(|place| place.location.clone()).collect())
}

/// Finds what there is to say of an event. Whatever happens, the event has been taken down.
fn listen(answer: &mut Answer, place: &Place, event: &AgentEvent, files: Vec<RepoPath>) {
    let tell = |what: &dyn Display| report(std::slice::from_ref(place), format_args!("nudges: {what}"));
    let heard = panic::catch_unwind(AssertUnwindSafe(|| answer.hear(&place.location, &place.journal, event, files)));
    match heard {
        Ok(troubles) => troubles.iter().for_each(|trouble| tell(trouble)),
        Err(panic) => tell(&format_args!("panic: {}", panic_text(&*panic))),
    }
}

/// Reads and understands a payload. Of one that is too large, the rest is read all the same: the agent is writing it.
fn hear(agent: Kind, input: impl io::Read) -> Heard {
    let mut payload = Vec::new();
    let mut input = input.take(PAYLOAD_LIMIT);
    // What was read before an error is understood as far as it goes.
    let _ = input.read_to_end(&mut payload);
    let rest = if input.limit() == 0 { io::copy(&mut input.into_inner(), &mut io::sink()).unwrap_or(0) } else { 0 };
    let mut heard = agent.event(&payload, clock::now_millis());
    if rest > 0 {
        heard.event.gaps = vec![Gap { kind: GapKind::PayloadOversize, count: payload.len() as u64 + rest }];
    }
    heard
}

/// The place of a repository among `places`, where it is added if it is new and enrolled.
fn place(places: &mut Vec<Place>, location: &Location) -> Option<usize> {
    let known = places.iter().position(|place| place.location.common_dir == location.common_dir);
    known.or_else(|| {
        let journal = Journal::open(&location.common_dir)?;
        places.push(Place { location: location.clone(), journal });
        Some(places.len() - 1)
    })
}

/// A file that a call names, and which of the places takes it down; none if no enrolled repository has it.
type Named = Option<(NamedFile, usize)>;

/// Finds the files at `paths`, adding the repositories that they are in to the places.
fn find_named(paths: &[PathBuf], places: &mut Vec<Place>) -> Vec<Named> {
    let behind = paths.iter().filter_map(|path| NamedFile::behind(path));
    let all = paths.iter().cloned().chain(behind);
    all.map(|path| NamedFile::at(&path).and_then(|file| place(places, &file.location).map(|at| (file, at)))).collect()
}

/// Adds to the event the states of the files that its call names, as far as they are in `place`, the `i`th, and the `original`
/// that it changed; which files these are, whether their states can be kept or not.
fn keep_named(
    place: &Place,
    i: usize,
    named: &[Named],
    original: Option<&str>,
    event: &mut AgentEvent,
) -> Vec<RepoPath> {
    let mut about = Vec::new();
    let mut missed = |kind| match event.gaps.iter_mut().find(|gap| gap.kind == kind) {
        Some(gap) => gap.count += 1,
        None => event.gaps.push(Gap { kind, count: 1 }),
    };
    let mut work_tree = None;
    for named in named {
        let file = match named {
            Some((file, at)) if *at == i => file,
            // Another repository takes it down.
            Some(_) => continue,
            None => {
                missed(GapKind::OutsideRepository);
                continue;
            }
        };
        let ignored = is_ignored(&file.location, &file.path);
        if !matches!(ignored, Ok(true)) {
            about.push(file.path.clone());
        }
        // An event has files of one work tree; tools that name files in several are not known.
        if *work_tree.get_or_insert(&file.location.git_dir) != &file.location.git_dir {
            missed(GapKind::OutsideRepository);
            continue;
        }
        event.work_tree = file.location.linked_name();
        match ignored {
            Ok(false) => {}
            Ok(true) => continue,
            // Rather lose a state than keep what may be a secret.
            Err(error) => {
                missed(GapKind::FileUnreadable);
                report(std::slice::from_ref(place), error);
                continue;
            }
        }
        match place.journal.states().keep_file(&file.file) {
            Ok(state) => {
                let id = state.and_then(|_| files::id(&file.file));
                event.files.push(FileState { path: file.path.clone(), state, file: id });
                // What cannot be kept is known from before the call, if less exactly.
                let then = original.and_then(|text| place.journal.states().keep(text.as_bytes()).ok());
                event.before.extend(then.map(|then| FileState {
                    path: file.path.clone(),
                    state: Some(then),
                    file: None,
                }));
            }
            Err(why) => missed(why.gap()),
        }
    }
    about
}

/// Looks at the work tree around a call that may change any file.
fn compare(place: &Place, event: &mut AgentEvent) {
    let Some(call) = &event.call.clone() else { return };
    let result = if event.kind == EventKind::ToolBefore {
        place.journal.snapshot(&place.location, event, call)
    } else {
        place.journal.changes(&event.session, call).map(|changes| place.journal.tell(changes, event))
    };
    if let Err(error) = result {
        if event.kind != EventKind::ToolBefore {
            event.gaps.push(Gap { kind: GapKind::SnapshotFailed, count: 1 });
        }
        report(std::slice::from_ref(place), format_args!("cannot compare the work tree: {error}"));
    }
}

/// Adds a line to the error logs; where that fails there is nobody to tell.
fn report(places: &[Place], what: impl Display) {
    let line = format!("{} {what}", clock::now()).replace(['\n', '\r'], " ") + "\n";
    for place in places {
        let file = place.journal.dir().join("hook-errors.log");
        let _ = files::append_bounded(&file, &line.as_bytes()[..line.len().min(4096)], LOG_LIMIT);
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown")
}
