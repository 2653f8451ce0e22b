//! The story that is composed without any model: out of scenes and commits by fixed rules, each sentence with its sources.

use std::collections::{BTreeMap, HashSet};

use crate::session::entry::Outcome;
use crate::story::choose::{Chosen, Prospect, choose};
use crate::story::material::{Material, Origin, Role};
use crate::story::runs::{Run, Runs};
use crate::story::scene::{Deed, Remark, Scene, is_check};
use crate::story::sentences::{Mark, name, short};
use crate::story::words::{Rarity, Topic, words};
use crate::story::{About, By, Cited, Kind, Place, Said, Story, Teller};

/// So many sources a story of a line cites at most, and one of anything larger.
const SOURCES_OF_A_LINE: usize = 12;
const SOURCES: usize = 30;
/// So many turns that wrote it are looked at for what they lean on.
const WRITING_TURNS: usize = 16;
/// So many reviewers of a commit are named.
const REVIEWERS: usize = 4;
/// Characters of what is quoted.
const QUOTE: usize = 240;
/// Below this a sentence of another turn than the writing one has too little to do with it.
const RELATED: f64 = 4.0;
/// So much counts what was said anywhere in a turn.
const WHOLE: f64 = 0.75;
/// So much more a sentence of the writing turn counts, and one directly before the writing call.
const WRITING: f64 = 2.0;
const LEADING: f64 = 3.0;
/// A prompt with so few words of its own leans on the one before it; so does one with so few words in all that points back.
const LEANS: usize = 2;
const POINTS_BACK: usize = 14;
const POINTERS: &[&str] = &["it", "that", "this", "these", "those", "them", "so", "same", "said"];

/// Tells the story.
pub fn compose(material: &Material) -> Story {
    let mut telling = Telling::new(material);
    telling.writing();
    telling.need();
    telling.commits();
    telling.decisions();
    telling.alternatives();
    telling.failures();
    telling.plan();
    telling.open_ends();
    telling.finish()
}

/// So many sentences of a kind are told before there is more of another, of a line and of anything larger.
fn share(kind: Kind, of_line: bool) -> usize {
    match (kind, of_line) {
        (Kind::Need, true) => 3,
        (Kind::Decisions | Kind::Changes, true) => 2,
        (_, true) => 1,
        (Kind::Need, false) => 6,
        (Kind::Decisions, false) => 5,
        (Kind::Failures | Kind::Changes, false) => 4,
        (Kind::Plan | Kind::Alternatives | Kind::Open, false) => 3,
        (Kind::Writing, false) => 2,
    }
}

struct Telling<'m> {
    material: &'m Material,
    topic: Topic,
    rarity: Rarity,
    runs: Runs<'m>,
    /// How much each turn's prompt has to do with it.
    asked: Vec<f64>,
    /// A line, a symbol or a commit, rather than a whole session: what has nothing to do with it is left out.
    narrow: bool,
    prospects: Vec<Prospect>,
    /// How much more there was of each kind.
    left: BTreeMap<Kind, usize>,
    /// What was told already, so that nothing is told twice.
    told: HashSet<String>,
    /// The turns that those which wrote it lean on: what was said there was said for it.
    leaned_on: HashSet<usize>,
}

/// A remark that may be told.
struct Candidate<'m> {
    scene: &'m Scene,
    remark: &'m Remark,
    score: f64,
    place: (usize, usize),
}

impl<'m> Telling<'m> {
    fn new(material: &'m Material) -> Self {
        let mut telling = Telling {
            topic: topic(material),
            rarity: Rarity::of(material.scenes.iter().map(|scene| &scene.words)),
            runs: Runs::of(&material.scenes),
            asked: Vec::new(),
            narrow: !matches!(material.about, About::Session { .. }),
            prospects: Vec::new(),
            left: BTreeMap::new(),
            told: HashSet::new(),
            leaned_on: HashSet::new(),
            material,
        };
        let prompts = material.scenes.iter().map(|scene| scene.asked.as_ref());
        telling.asked = prompts.map(|asked| asked.map_or(0.0, |asked| telling.relation(&asked.text))).collect();
        let asked: HashSet<usize> = telling.writing_turns().flat_map(|at| telling.asked_for(at)).collect();
        telling.leaned_on = asked.into_iter().filter(|at| !material.scenes[*at].wrote()).collect();
        telling
    }

    /// The places of the turns that wrote it.
    fn writing_turns(&self) -> impl Iterator<Item = usize> + use<'m> {
        let scenes = &self.material.scenes;
        (0..scenes.len()).filter(|at| scenes[*at].wrote()).take(WRITING_TURNS)
    }

    /// Has a sentence to tell.
    fn say(&mut self, kind: Kind, rank: usize, text: String, cited: Cited) {
        self.prospects.push(Prospect { kind, text, cited: (cited, Vec::new()), rank });
    }

    /// How much a text has to do with what the story is about; all of a session has to do with the session.
    fn relation(&self, text: &str) -> f64 {
        if self.narrow { self.topic.score(&words(text), &self.rarity) } else { RELATED }
    }

    fn writing(&mut self) {
        let material = self.material;
        let mut calls = HashSet::new();
        for writer in material.writers.iter().take(if self.narrow { 4 } else { 0 }) {
            let wrote = |deed: &&Deed| deed.call == writer.call;
            let mut scenes = material.scenes.iter().filter(|scene| scene.turn.session == writer.session);
            let Some((scene, deed)) = scenes.find_map(|scene| Some((scene, scene.deeds.iter().find(wrote)?))) else {
                continue;
            };
            if !calls.insert(&writer.call) {
                continue;
            }
            let who = writer.agent.as_deref().map_or_else(|| "An agent".to_owned(), name);
            let model = writer.model.as_deref().map(|model| format!(" ({})", name(model))).unwrap_or_default();
            let tool = if deed.tool.is_empty() { "a tool call" } else { &deed.tool };
            let input = quoted_code(&deed.input);
            let what = match material.about {
                About::Commit { .. } => "wrote lines of it",
                _ => "wrote it",
            };
            let text = format!(
                "{who}{model} {what} by {tool} {input}, in turn {} of session {}.",
                scene.turn.number, scene.turn.session
            );
            self.say(Kind::Writing, calls.len(), text, call(scene, deed));
        }
    }

    /// What was asked: in the turns that wrote it, in those that such a turn leans on, and in others that are about the same.
    fn need(&mut self) {
        let material = self.material;
        let most = if self.narrow { 4 } else { 8 };
        let mut wanted: Vec<usize> = match self.narrow {
            true => self.writing_turns().flat_map(|at| self.asked_for(at)).collect(),
            false => (0..material.scenes.len()).filter(|at| is_human(&material.scenes[*at])).collect(),
        };
        if self.narrow {
            let mut related: Vec<(usize, f64)> = (0..material.scenes.len())
                .filter(|at| is_human(&material.scenes[*at]) && !wanted.contains(at))
                .map(|at| (at, self.scene_relation(at)))
                .filter(|(_, score)| *score >= RELATED)
                .collect();
            related.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let room = most.min(wanted.len() + 2);
            wanted.extend(related.into_iter().map(|(at, _)| at).take(room.saturating_sub(wanted.len())));
        }
        // A session that was resumed repeats what was said before.
        let mut prompts = HashSet::new();
        wanted.retain(|at| material.scenes[*at].asked.as_ref().is_some_and(|asked| prompts.insert(&asked.text)));
        self.keep(Kind::Need, &mut wanted, most);
        let mut ranked: Vec<(usize, usize)> = wanted.into_iter().enumerate().collect();
        ranked.sort_unstable_by_key(|(_, at)| *at);
        for (rank, at) in ranked {
            let scene = &material.scenes[at];
            let Some(asked) = &scene.asked else { continue };
            let who = if asked.human { "The developer asked" } else { "The agent was asked" };
            self.told.insert(short(&asked.text, QUOTE));
            let cited = said(scene, Said::Prompt, &asked.text);
            self.say(Kind::Need, rank, format!("{who}: {}", quoted(&asked.text)), cited);
        }
    }

    /// Keeps the first so many. Of a session the others are counted: of anything smaller the best few are all that is looked for.
    fn keep<T>(&mut self, kind: Kind, found: &mut Vec<T>, most: usize) {
        if !self.narrow && found.len() > most {
            *self.left.entry(kind).or_default() += found.len() - most;
        }
        found.truncate(most);
    }

    /// The turn that asked for what a turn did: itself, and where its prompt says little or another agent asked, those before it.
    fn asked_for(&self, at: usize) -> Vec<usize> {
        let scenes = &self.material.scenes;
        let mut found = Vec::new();
        if scenes[at].asked.is_some() {
            found.push(at);
        }
        let leans = |scene: &Scene| !scene.asked.as_ref().is_some_and(|asked| asked.human && !leans(&asked.text));
        let mut from = at;
        while leans(&scenes[from]) && found.len() < 3 {
            let session = &scenes[from].turn.session;
            let own_time = scenes[from].time;
            let before = |(before, scene): &(usize, &Scene)| {
                // A subagent's turns stand behind those of the session that asked it.
                let earlier =
                    if scene.turn.source == scenes[from].turn.source { *before < from } else { scene.time <= own_time };
                scene.turn.session == *session
                    && *before != from
                    && earlier
                    && is_human(scene)
                    && !found.contains(before)
            };
            let Some((before, _)) =
                scenes.iter().enumerate().filter(before).max_by_key(|(before, scene)| (scene.time, *before))
            else {
                break;
            };
            found.push(before);
            from = before;
        }
        found
    }

    /// How much a turn has to do with what the story is about: by its prompt, and by all that was said in it.
    fn scene_relation(&self, at: usize) -> f64 {
        let whole = self.topic.score(&self.material.scenes[at].words, &self.rarity) * WHOLE;
        whole.max(self.asked[at])
    }

    fn commits(&mut self) {
        let material = self.material;
        // A session brought commits; whose the lines of those are is told of each.
        let origin = if self.narrow { material.origin } else { Origin::Agent };
        for (at, commit) in material.commits.iter().enumerate() {
            let reviewers: Vec<String> = commit.reviewers.iter().take(REVIEWERS).map(|who| name(who)).collect();
            let reviewed = match reviewers.is_empty() {
                true => String::new(),
                false => format!("; its message names {} as reviewer", reviewers.join(", ")),
            };
            let how = match (commit.role, origin) {
                (Role::Begins, _) => "What came before is not here: the history begins with what was committed",
                (Role::Before, _) => "What stood there before was committed",
                (Role::Later, _) => "The same files were changed later",
                (Role::Brought, _) if at > 0 => "Committed",
                (Role::Brought, Origin::Human) => "A person has said that they wrote it; committed",
                (Role::Brought, Origin::Unattributed) => "No agent is known to have written it; committed",
                (Role::Brought, Origin::Unknown) => "Whose it is is not known; committed",
                (Role::Brought, Origin::Agent) => "Committed",
            };
            let (author, day) = (name(&commit.author), commit.time.day());
            let text =
                format!("{how} by {author} on {day} as {}: {}{reviewed}", commit.id.short(), quoted(&commit.subject));
            let by = By { human: None, author: Some(author), role: Some(commit.role), reviewers };
            let place = Place::Commit { commit: commit.id.clone() };
            let cited = Cited { place, by, time: Some(commit.time), text: commit.subject.clone() };
            self.say(Kind::Changes, at, text, cited);
        }
    }

    /// Remarks that are fit to be told, the best first.
    fn candidates(&self, fits: impl Fn(&Remark) -> bool) -> Vec<Candidate<'m>> {
        let mut found = Vec::new();
        for (at, scene) in self.material.scenes.iter().enumerate() {
            let writes = scene.wrote();
            for (nth, remark) in scene.remarks.iter().enumerate().filter(|(_, remark)| fits(remark)) {
                let related = self.relation(&remark.text);
                let score = match (remark.leads, writes) {
                    (true, _) => RELATED + related * LEADING,
                    (false, true) => related * WRITING,
                    (false, false) if self.leaned_on.contains(&at) => RELATED + related,
                    (false, false) => related,
                };
                // A sentence that names nothing can still belong to a turn that is about nothing else.
                let about = if self.narrow && !writes { self.asked[at] / 2.0 } else { 0.0 };
                let score = score + if related > 0.0 || remark.leads { about } else { 0.0 };
                if score >= RELATED && !self.told.contains(&short(&remark.text, QUOTE)) {
                    found.push(Candidate { scene, remark, score, place: (at, nth) });
                }
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
        found
    }

    /// Tells the best of some remarks, in the order in which they were made.
    fn quote(&mut self, kind: Kind, mut found: Vec<Candidate<'m>>, most: usize) {
        self.keep(kind, &mut found, most);
        let mut ranked: Vec<(usize, Candidate<'m>)> = found.into_iter().enumerate().collect();
        ranked.sort_by_key(|(_, candidate)| candidate.place);
        for (rank, Candidate { scene, remark, .. }) in ranked {
            let who = match remark.said {
                Said::Prompt if is_human(scene) => "The developer wrote",
                Said::Prompt => "The agent was told",
                Said::Reasoning => "The agent reasoned",
                Said::Plan => "The plan",
                Said::Answer => "The agent said",
            };
            if self.told.insert(short(&remark.text, QUOTE)) {
                let cited = said(scene, remark.said, &remark.text);
                self.say(kind, rank, format!("{who}: {}", quoted(&remark.text)), cited);
            }
        }
    }

    fn decisions(&mut self) {
        let has = |remark: &Remark, mark| remark.marks.contains(&mark);
        let most = if self.narrow { 3 } else { 8 };
        let decided = self.candidates(|r| {
            has(r, Mark::Decision) && !has(r, Mark::Failure) && !has(r, Mark::Open) && r.said != Said::Plan
        });
        let room = most + 1 - decided.len().min(most);
        self.quote(Kind::Decisions, decided, most);
        if self.narrow {
            // What led to the call says what for, even where it names no choice.
            let reasons = self.candidates(|r| {
                !has(r, Mark::Open)
                    && !has(r, Mark::Failure)
                    && !has(r, Mark::Alternative)
                    && r.said != Said::Plan
                    && r.said != Said::Prompt
                    && (has(r, Mark::Reason) || (r.leads && r.marks.is_empty()))
            });
            self.quote(Kind::Decisions, reasons, room);
        }
    }

    fn alternatives(&mut self) {
        let fits = |r: &Remark| r.marks.contains(&Mark::Alternative) && !r.marks.contains(&Mark::Failure);
        let found = self.candidates(fits);
        self.quote(Kind::Alternatives, found, if self.narrow { 3 } else { 6 });
    }

    fn plan(&mut self) {
        let mut found = self.candidates(|r| r.said == Said::Plan);
        if found.is_empty() {
            // The plan of the turn itself is its plan, whatever words it has.
            let writing = self.material.scenes.iter().enumerate().filter(|(_, scene)| scene.wrote());
            for (at, scene) in writing {
                let plans = scene.remarks.iter().enumerate().filter(|(_, remark)| remark.said == Said::Plan).take(2);
                found.extend(plans.map(|(nth, remark)| Candidate { scene, remark, score: 0.0, place: (at, nth) }));
            }
        }
        self.quote(Kind::Plan, found, if self.narrow { 3 } else { 8 });
    }

    fn open_ends(&mut self) {
        let found = self.candidates(|r| r.marks.contains(&Mark::Open) && r.said != Said::Prompt);
        self.quote(Kind::Open, found, if self.narrow { 2 } else { 5 });
        if self.narrow {
            return;
        }
        let mut rank = 0;
        for run in self.runs.failed().to_vec() {
            let text = format!("{} was last seen failing.", quoted_code(&run.deed.input));
            if is_check(&run.deed.input) && self.runs.passed_later(&run).is_none() && self.told.insert(text.clone()) {
                self.say(Kind::Open, rank, text, call(run.scene, run.deed));
                rank += 1;
            }
        }
    }

    fn failures(&mut self) {
        let most = if self.narrow { 3 } else { 6 };
        let all = self.runs.failed().to_vec();
        let mut failed: Vec<(usize, f64)> = Vec::new();
        for (at, run) in all.iter().enumerate() {
            let related = self.relation(&format!("{}\n{}", run.deed.input, run.deed.result));
            let touches = self.material.files.iter().any(|file| run.deed.touches(file));
            let near = run.scene.wrote() || touches || (self.narrow && self.runs.mended(run));
            let score = if near { related + RELATED } else { related };
            if score >= RELATED {
                failed.push((at, score));
            }
        }
        failed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        // What failed many times is one thing to tell.
        let mut same = HashSet::new();
        failed.retain(|(at, _)| same.insert(what_failed(all[*at].deed)));
        self.keep(Kind::Failures, &mut failed, most);
        let mut ranked: Vec<(usize, usize)> = failed.iter().enumerate().map(|(rank, (at, _))| (*at, rank)).collect();
        ranked.sort_unstable();
        for (at, rank) in ranked {
            self.failure(&all[at], rank);
        }
        let found = self.candidates(|r| r.marks.contains(&Mark::Failure));
        self.quote(Kind::Failures, found, 2);
    }

    fn failure(&mut self, run: &Run<'m>, rank: usize) {
        let text = what_failed(run.deed);
        if !self.told.insert(text.clone()) {
            return;
        }
        let passed = self.runs.passed_later(run);
        let text = if passed.is_some() { format!("{text}; later it passed") } else { text };
        let end = if text.ends_with(['.', '”']) { "" } else { "." };
        let more = passed.iter().map(|passed| call(passed.scene, passed.deed)).collect();
        let cited = (call(run.scene, run.deed), more);
        self.prospects.push(Prospect { kind: Kind::Failures, text: format!("{text}{end}"), cited, rank });
    }

    fn finish(self) -> Story {
        let of_line = matches!(self.material.about, About::Line { .. });
        let most = if of_line { SOURCES_OF_A_LINE } else { SOURCES };
        let Chosen { sections, sources, mut left } = choose(self.prospects, most, |kind| share(kind, of_line));
        for (kind, count) in self.left {
            *left.entry(kind).or_default() += count;
        }
        let mut missing = self.material.missing.clone();
        if !left.is_empty() {
            let left = left.iter().map(|(kind, count)| format!("{count} more of “{}”", kind.title()));
            missing.push(format!("there is no room for {}", left.collect::<Vec<_>>().join(", ")));
        }
        let (about, teller) = (self.material.about.clone(), Teller::Records { fallback: None, spent: None });
        Story { about, sections, sources, missing, teller }
    }
}

/// What was said in a turn, as a source.
fn said(scene: &Scene, said: Said, text: &str) -> Cited {
    let human = (said == Said::Prompt).then(|| is_human(scene));
    let place = Place::Said { what: said, turn: scene.turn.clone() };
    Cited { place, by: By { human, ..By::default() }, time: scene.time, text: text.to_owned() }
}

/// A call as a source.
fn call(scene: &Scene, deed: &Deed) -> Cited {
    let changed: String = deed.diffs.iter().map(|diff| format!("\n{}\n{}", diff.path, diff.hunks)).collect();
    let text = format!("{} {}\n{}{changed}", deed.tool, deed.input, deed.result);
    let place = Place::Call { turn: scene.turn.clone(), call: deed.call.clone(), tool: deed.tool.clone() };
    Cited { place, by: By::default(), time: scene.time, text: text.trim().to_owned() }
}

/// What failed, and why.
fn what_failed(deed: &Deed) -> String {
    let what = format!("{} {}", deed.tool, quoted_code(&deed.input));
    let why = telling_line(&deed.result).map(|line| format!(": {}", quoted(line))).unwrap_or_default();
    match deed.outcome {
        Some(Outcome::Rejected) => format!("The developer turned down {what}"),
        Some(Outcome::Denied) => format!("{what} was not allowed{why}"),
        _ => format!("{what} failed{why}"),
    }
}

/// What a story is about, in words: its own text most of all, then where it is, then what was asked and changed when it was written.
fn topic(material: &Material) -> Topic {
    let mut topic = Topic::default();
    match &material.about {
        About::Line { text, .. } => topic.add(text, 3.0),
        About::Symbol { name, .. } => topic.add(name, 3.0),
        About::Commit { subject, .. } => topic.add(subject, 3.0),
        About::Session { .. } => {}
    }
    topic.add(&material.text, 1.5);
    for file in &material.files {
        topic.add(file.rsplit('/').next().unwrap_or(file), 2.0);
    }
    for scene in material.scenes.iter().filter(|scene| scene.wrote()) {
        let asked = scene.asked.iter().map(|asked| asked.text.as_str());
        let leading = scene.remarks.iter().filter(|remark| remark.leads).map(|remark| remark.text.as_str());
        asked.chain(leading).for_each(|text| topic.add(text, 1.0));
    }
    topic
}

/// Whether a prompt cannot be understood without what was said before it.
fn leans(prompt: &str) -> bool {
    let all: Vec<String> =
        prompt.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let points = all.len() <= POINTS_BACK && all.iter().any(|word| POINTERS.contains(&word.as_str()));
    points || words(prompt).len() <= LEANS
}

fn is_human(scene: &Scene) -> bool {
    scene.asked.as_ref().is_some_and(|asked| asked.human && !asked.text.trim().is_empty())
}

/// The line of a result that says what went wrong.
fn telling_line(result: &str) -> Option<&str> {
    let lines = || result.lines().map(str::trim).filter(|line| !line.is_empty());
    let tells = |line: &&str| {
        let line = line.to_lowercase();
        ["error", "failed", "panicked", "exception", "assert", "expected", "cannot", "not found", "denied"]
            .iter()
            .any(|word| line.contains(word))
    };
    lines().find(tells).or_else(|| lines().next())
}

/// A quotation, which nothing in it ends.
fn quoted(text: &str) -> String {
    format!("“{}”", short(text, QUOTE).replace(['“', '”'], "\""))
}

fn quoted_code(text: &str) -> String {
    format!("`{}`", short(text, 120).replace('`', "'"))
}
