//! Decisions in what was said: a choice with a reason or with what was not chosen, and the sources of all of it.
//!
//! A choice alone ("I'll use a loop") is no decision that anybody would look up; one with an alternative, or with a reason, is.

use crate::digest::Digest;
use crate::story::scene::{Remark, Scene};
use crate::story::sentences::{Mark, short};
use crate::story::{Place, Said, TurnId};
use crate::time::Time;

/// Something that was decided in a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub turn: TurnId,
    /// What it is known by for ever within its conversation; turns are counted anew where some are gone.
    pub key: String,
    /// Something is missing before its end.
    pub gap: bool,
    pub time: Option<Time>,
    pub title: String,
    /// What was asked when it was decided; nothing where nobody asked.
    pub need: Option<Quoted>,
    pub chosen: Vec<Quoted>,
    pub alternatives: Vec<Quoted>,
    pub reasons: Vec<Quoted>,
    pub open: Vec<Quoted>,
}

/// A sentence, and where it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Quoted {
    pub text: String,
    pub place: Place,
}

/// So much of a prompt is quoted, and so long is a title, in characters.
const NEED: usize = 600;
const TITLE: usize = 80;
/// So many sentences of each kind are told.
const MOST: usize = 5;

/// The decisions of a session, whose turns come in order.
pub fn of_session(scenes: &[Scene]) -> Vec<Decision> {
    let mut found = Vec::new();
    for (at, scene) in scenes.iter().enumerate() {
        // What was thought of may stand in the turn before: "Yes, do that." decides.
        let before = scenes[..at].last().filter(|before| before.turn.source == scene.turn.source);
        found.extend(in_turn(scene, before));
    }
    found
}

fn in_turn(scene: &Scene, before: Option<&Scene>) -> Option<Decision> {
    let marked = |scene: &Scene, mark: Mark| -> Vec<Quoted> {
        let has = |remark: &&Remark| {
            let asks = remark.text.ends_with('?');
            remark.marks.contains(&mark) && !remark.marks.contains(&Mark::Failure) && !asks
        };
        let quoted = scene.remarks.iter().filter(has).map(|remark| quoted(scene, remark));
        distinct(quoted)
    };
    let chosen: Vec<Quoted> = marked(scene, Mark::Decision);
    let first = chosen.first()?;
    let mut alternatives = marked(scene, Mark::Alternative);
    let mut reasons = marked(scene, Mark::Reason);
    if alternatives.is_empty() {
        // Where that turn chose, too, they were of its choice.
        let open = before.filter(|before| marked(before, Mark::Decision).is_empty());
        alternatives = open.map(|before| marked(before, Mark::Alternative)).unwrap_or_default();
    }
    if alternatives.is_empty() && reasons.is_empty() {
        return None;
    }
    let title = title(&first.text);
    let is_told = |quoted: &Quoted| chosen.iter().any(|chosen| chosen.text == quoted.text);
    reasons.retain(|quoted| !is_told(quoted));
    alternatives.retain(|quoted| !is_told(quoted));
    let need = scene.asked.as_ref().map(|asked| Quoted {
        text: short(&asked.text, NEED),
        place: Place::Said { what: Said::Prompt, turn: scene.turn.clone() },
    });
    let open = marked(scene, Mark::Open).into_iter().filter(|quoted| !is_told(quoted)).collect();
    let key = scene.key.clone().unwrap_or_else(|| Digest::of(first.text.as_bytes()).to_string());
    let (turn, time, gap) = (scene.turn.clone(), scene.time, scene.gap);
    Some(Decision { turn, key, gap, time, title, need, chosen, alternatives, reasons, open })
}

fn quoted(scene: &Scene, remark: &Remark) -> Quoted {
    let place = Place::Said { what: remark.said, turn: scene.turn.clone() };
    Quoted { text: remark.text.clone(), place }
}

/// The first few, each text once.
fn distinct(all: impl Iterator<Item = Quoted>) -> Vec<Quoted> {
    let mut kept: Vec<Quoted> = Vec::new();
    for quoted in all {
        if kept.len() < MOST && kept.iter().all(|known| known.text != quoted.text) {
            kept.push(quoted);
        }
    }
    kept
}

/// What a sentence decides, without who decides it: "I'll go with TOML rather than YAML, because …" is "Go with TOML rather than YAML".
fn title(sentence: &str) -> String {
    let plain = sentence.replace('\u{2019}', "'");
    let openings = [
        "i'll ",
        "i will ",
        "i'd ",
        "i would ",
        "we'll ",
        "we will ",
        "let's ",
        "let us ",
        "i suggest to ",
        "i suggest ",
        "i recommend ",
        "i propose to ",
        "i propose ",
        "so ",
        "then ",
        "decision: ",
        "i decided to ",
        "we decided to ",
        "decided to ",
    ];
    let mut rest = plain.as_str();
    while let Some(opening) = openings.iter().find(|opening| begins(rest, opening)) {
        rest = &rest[opening.len()..];
    }
    let end = [", because", " because", ", since", ", so that", " so that", ": ", "; "]
        .iter()
        .filter_map(|stop| rest.find(stop))
        .filter(|at| *at > 10)
        .min()
        .unwrap_or(rest.len());
    let cut = short(rest[..end].trim_end_matches(['.', '!', ',']), TITLE);
    let mut chars = cut.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn begins(text: &str, opening: &str) -> bool {
    text.get(..opening.len()).is_some_and(|head| head.eq_ignore_ascii_case(opening)) && text.len() > opening.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::session::turns::{Asked, Step, Turn};
    use std::collections::HashSet;

    fn scene(number: usize, asked: &str, steps: &[Step]) -> Scene {
        let turn = TurnId { session: SessionId::from_agent("s"), source: "main".into(), number };
        let asked = Some(Asked { text: asked.into(), human: true });
        Scene::of(turn, &Turn { at: Some(1_000), asked, steps: steps.to_vec(), ..Turn::default() }, &HashSet::new())
    }

    fn texts(quoted: &[Quoted]) -> Vec<&str> {
        quoted.iter().map(|quoted| quoted.text.as_str()).collect()
    }

    #[test]
    fn a_choice_with_an_alternative_or_a_reason_is_a_decision() {
        let thought = Step::Reasoning("We could use YAML. It prints the total.".into());
        let said = Step::Text("I'll go with TOML, because it has comments. Nested tables are left out for now.".into());
        let found = of_session(&[
            scene(1, "Which format?", &[thought, said]),
            scene(2, "Fine.", &[Step::Text("I'll use a loop.".into())]),
            scene(3, "And for names?", &[Step::Text("We could use ids.".into())]),
            scene(4, "Yes.", &[Step::Text("Then I will use ids.".into())]),
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].title.as_str(), found[0].turn.number), ("Go with TOML", 1));
        assert_eq!(texts(&found[0].chosen), ["I'll go with TOML, because it has comments."]);
        assert_eq!((texts(&found[0].alternatives), texts(&found[0].reasons)), (vec!["We could use YAML."], vec![]));
        assert_eq!(texts(&found[0].open), ["Nested tables are left out for now."]);
        assert_eq!(found[0].need.as_ref().map(|need| need.text.as_str()), Some("Which format?"));
        assert_eq!((found[1].turn.number, texts(&found[1].alternatives)), (4, vec!["We could use ids."]));
    }

    #[test]
    fn titles_say_what_not_who() {
        for (sentence, expected) in [
            (
                "Let\u{2019}s use secrets.token_hex instead of random, since random can be predicted.",
                "Use secrets.token_hex instead of random",
            ),
            ("I suggest to retry with backoff because the gateway is back.", "Retry with backoff"),
            ("Decided: x.", "Decided: x"),
            ("I'll ", "I'll "),
        ] {
            assert_eq!(title(sentence), expected.trim_end(), "{sentence}");
        }
    }
}
