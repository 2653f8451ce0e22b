//! The story that is composed without any model: out of scenes and commits by fixed rules, each sentence with its sources.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use crate::session::entry::Outcome;
use crate::story::material::{Material, Origin, Role};
use crate::story::scene::{Deed, Remark, Scene, is_check};
use crate::story::sentences::{Mark, short};
use crate::story::words::{Rarity, Topic, words};
use crate::story::{About, Cites, Kind, Number, Place, Said, Section, Sentence, Sources, Story, Teller};

/// So many sources a story of a line cites at most, and one of anything larger.
const SOURCES_OF_A_LINE: usize = 12;
const SOURCES: usize = 30;
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

struct Telling<'m> {
    material: &'m Material,
    topic: Topic,
    rarity: Rarity,
    /// A line, a symbol or a commit, rather than a whole session: what has nothing to do with it is left out.
    narrow: bool,
    sources: Sources,
    sections: BTreeMap<Kind, Vec<Sentence>>,
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
        let most = if matches!(material.about, About::Line { .. }) { SOURCES_OF_A_LINE } else { SOURCES };
        let mut telling = Telling {
            topic: topic(material),
            rarity: Rarity::of(material.scenes.iter().map(|scene| &scene.words)),
            narrow: !matches!(material.about, About::Session { .. }),
            sources: Sources::up_to(most),
            sections: BTreeMap::new(),
            told: HashSet::new(),
            leaned_on: HashSet::new(),
            material,
        };
        let writing = (0..material.scenes.len()).filter(|at| material.scenes[*at].wrote());
        let asked: HashSet<usize> = writing.flat_map(|at| telling.asked_for(at)).collect();
        telling.leaned_on = asked.into_iter().filter(|at| !material.scenes[*at].wrote()).collect();
        telling
    }

    fn say(&mut self, kind: Kind, text: String, cites: Option<Cites>) {
        if let Some(cites) = cites {
            self.sections.entry(kind).or_default().push(Sentence { text, cites });
        }
    }

    /// The number of what was said in a turn.
    fn said(&mut self, scene: &Scene, said: Said, text: &str) -> Option<Number> {
        let place = Place::Said { what: said, turn: scene.turn.clone() };
        self.sources.cite(place, scene.time, text)
    }

    fn call(&mut self, scene: &Scene, deed: &Deed) -> Option<Number> {
        let place = Place::Call { turn: scene.turn.clone(), call: deed.call.clone(), tool: deed.tool.clone() };
        let changed: String = deed.diffs.iter().map(|diff| format!("\n{}\n{}", diff.path, diff.hunks)).collect();
        let text = format!("{} {}\n{}{changed}", deed.tool, deed.input, deed.result);
        self.sources.cite(place, scene.time, text.trim())
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
            let who = writer.agent.as_deref().unwrap_or("An agent");
            let model = writer.model.as_deref().map(|model| format!(" ({model})")).unwrap_or_default();
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
            let cites = self.call(scene, deed).map(Cites::one);
            self.say(Kind::Writing, text, cites);
        }
    }

    /// What was asked: in the turns that wrote it, in those that such a turn leans on, and in others that are about the same.
    fn need(&mut self) {
        let material = self.material;
        let most = if self.narrow { 4 } else { 8 };
        let mut wanted: Vec<usize> = Vec::new();
        for (at, scene) in material.scenes.iter().enumerate() {
            if scene.wrote() || (!self.narrow && is_human(scene)) {
                wanted.extend(self.asked_for(at));
            }
        }
        if self.narrow {
            let mut related: Vec<(usize, f64)> = (0..material.scenes.len())
                .filter(|at| is_human(&material.scenes[*at]) && !wanted.contains(at))
                .map(|at| (at, self.scene_relation(&material.scenes[at])))
                .filter(|(_, score)| *score >= RELATED)
                .collect();
            related.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let room = most.min(wanted.len() + 2);
            wanted.extend(related.into_iter().map(|(at, _)| at).take(room.saturating_sub(wanted.len())));
        }
        let mut seen = HashSet::new();
        wanted.retain(|at| seen.insert(*at));
        wanted.truncate(most);
        wanted.sort_unstable();
        for at in wanted {
            let scene = &material.scenes[at];
            let Some(asked) = &scene.asked else { continue };
            let who = if asked.human { "The developer asked" } else { "The agent was asked" };
            let cites = self.said(scene, Said::Prompt, &asked.text).map(Cites::one);
            self.told.insert(short(&asked.text, QUOTE));
            self.say(Kind::Need, format!("{who}: {}", quoted(&asked.text)), cites);
        }
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
    fn scene_relation(&self, scene: &Scene) -> f64 {
        let whole = self.topic.score(&scene.words, &self.rarity) * WHOLE;
        whole.max(self.asked_relation(scene))
    }

    fn commits(&mut self) {
        let material = self.material;
        for (at, commit) in material.commits.iter().enumerate() {
            let place = Place::Commit { commit: commit.id.clone() };
            let cites = self.sources.cite(place, Some(commit.time), &commit.subject).map(Cites::one);
            let reviewed = match commit.reviewers.as_slice() {
                [] => String::new(),
                names => format!(", reviewed by {}", short(&names.join(", "), QUOTE)),
            };
            let how = match commit.role {
                Role::Brought if material.origin == Origin::Human => "A person has said that they wrote it; committed",
                Role::Brought if material.origin == Origin::Unattributed => {
                    "No agent is known to have written it; committed"
                }
                Role::Brought if material.origin == Origin::Unknown => "Whose it is is not known; committed",
                Role::Brought => "Committed",
                Role::Before => "What stood there before was committed",
                Role::Later => "The same files were changed later",
            };
            let how = if at > 0 && commit.role == Role::Brought { "Committed" } else { how };
            let (author, day) = (short(&commit.author, 80), commit.time.day());
            let text =
                format!("{how} by {author} on {day} as {}: {}{reviewed}", commit.id.short(), quoted(&commit.subject));
            self.say(Kind::Changes, text, cites);
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
                let about = if self.narrow && !writes { self.asked_relation(scene) / 2.0 } else { 0.0 };
                let score = score + if related > 0.0 || remark.leads { about } else { 0.0 };
                if score >= RELATED && !self.told.contains(&short(&remark.text, QUOTE)) {
                    found.push(Candidate { scene, remark, score, place: (at, nth) });
                }
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
        found
    }

    fn asked_relation(&self, scene: &Scene) -> f64 {
        scene.asked.as_ref().map_or(0.0, |asked| self.relation(&asked.text))
    }

    /// Tells the best of some remarks, in the order in which they were made.
    fn quote(&mut self, kind: Kind, mut found: Vec<Candidate<'m>>, most: usize) {
        found.truncate(most);
        found.sort_by_key(|candidate| candidate.place);
        for Candidate { scene, remark, .. } in found {
            let who = match remark.said {
                Said::Prompt => "The developer wrote",
                Said::Reasoning => "The agent reasoned",
                Said::Plan => "The plan",
                Said::Answer => "The agent said",
            };
            if !self.told.insert(short(&remark.text, QUOTE)) {
                continue;
            }
            let cites = self.said(scene, remark.said, &remark.text).map(Cites::one);
            self.say(kind, format!("{who}: {}", quoted(&remark.text)), cites);
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
        for (scene, deed) in self.failed().into_iter().filter(|(_, deed)| is_check(&deed.input)) {
            if self.later(scene, deed).is_none() {
                let text = format!("{} was last seen failing.", quoted_code(&deed.input));
                let cites = self.call(scene, deed).map(Cites::one);
                if self.told.insert(text.clone()) {
                    self.say(Kind::Open, text, cites);
                }
            }
        }
    }

    fn failures(&mut self) {
        let most = if self.narrow { 3 } else { 6 };
        let mut failed: Vec<(usize, f64)> = Vec::new();
        let all = self.failed();
        for (at, (scene, deed)) in all.iter().enumerate() {
            let related = self.relation(&format!("{}\n{}", deed.input, deed.result));
            let touches = self.material.files.iter().any(|file| deed.touches(file));
            let near = scene.wrote() || touches || self.is_mended(scene, deed);
            let score = if near { related + RELATED } else { related };
            if score >= RELATED {
                failed.push((at, score));
            }
        }
        failed.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap_or(Ordering::Equal).then(a.0.cmp(&b.0)));
        failed.truncate(most);
        failed.sort_unstable_by_key(|(at, _)| *at);
        for (at, _) in failed {
            let (scene, deed) = all[at];
            self.failure(scene, deed);
        }
        let found = self.candidates(|r| r.marks.contains(&Mark::Failure));
        self.quote(Kind::Failures, found, 2);
    }

    /// The calls that failed, in order.
    fn failed(&self) -> Vec<(&'m Scene, &'m Deed)> {
        let deeds = self.material.scenes.iter().flat_map(|scene| scene.deeds.iter().map(move |deed| (scene, deed)));
        deeds.filter(|(_, deed)| deed.failed()).collect()
    }

    /// The same command where it last ran later in the session, if that was fine.
    fn later(&self, scene: &Scene, failed: &Deed) -> Option<(&'m Scene, &'m Deed)> {
        let scenes = self.material.scenes.iter().filter(|later| later.turn.session == scene.turn.session);
        let deeds = scenes.flat_map(|scene| scene.deeds.iter().map(move |deed| (scene, deed)));
        let after = deeds.skip_while(|(_, deed)| deed.call != failed.call).skip(1);
        let same = after.filter(|(_, deed)| deed.tool == failed.tool && deed.input == failed.input).last();
        same.filter(|(_, deed)| deed.outcome == Some(Outcome::Ok))
    }

    /// Whether what failed before it was written was fine when it next ran after.
    fn is_mended(&self, scene: &Scene, failed: &Deed) -> bool {
        let Some((_, passed)) = self.later(scene, failed) else { return false };
        let deeds =
            self.material.scenes.iter().filter(|of| of.turn.session == scene.turn.session).flat_map(|of| &of.deeds);
        let between = deeds.skip_while(|deed| deed.call != failed.call).take_while(|deed| deed.call != passed.call);
        self.narrow && between.into_iter().any(|deed| deed.wanted)
    }

    fn failure(&mut self, scene: &Scene, deed: &Deed) {
        let what = format!("{} {}", deed.tool, quoted_code(&deed.input));
        let why = telling_line(&deed.result).map(|line| format!(": {}", quoted(line))).unwrap_or_default();
        let text = match deed.outcome {
            Some(Outcome::Rejected) => format!("The developer turned down {what}"),
            Some(Outcome::Denied) => format!("{what} was not allowed{why}"),
            _ => format!("{what} failed{why}"),
        };
        if !self.told.insert(text.clone()) {
            return;
        }
        let Some(cites) = self.call(scene, deed).map(Cites::one) else { return };
        let passed = self.later(scene, deed).and_then(|(scene, deed)| self.call(scene, deed));
        let (text, cites) = match passed {
            Some(number) => (format!("{text}; later it passed"), cites.and(number)),
            None => (text, cites),
        };
        let end = if text.ends_with(['.', '”']) { "" } else { "." };
        self.say(Kind::Failures, format!("{text}{end}"), Some(cites));
    }

    fn finish(self) -> Story {
        let sections = self.sections.into_iter().map(|(kind, sentences)| Section { kind, sentences });
        Story {
            about: self.material.about.clone(),
            sections: sections.collect(),
            sources: self.sources.finish(),
            missing: self.material.missing.clone(),
            teller: Teller::Records { fallback: None },
        }
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

fn quoted(text: &str) -> String {
    format!("“{}”", short(text, QUOTE))
}

fn quoted_code(text: &str) -> String {
    format!("`{}`", short(text, 120).replace('`', "'"))
}
