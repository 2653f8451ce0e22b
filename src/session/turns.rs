//! `Turn`: a conversation read back for people, a prompt and all that follows until the next.
//!
//! Texts are as they stand in the transcript, only cut where they are endless. Whoever prints them must still keep
//! what controls a terminal or a page from doing so.

use std::collections::HashMap;

use crate::id::CallId;
use crate::session::entry::{Outcome, differing};
use crate::time::Time;

/// The longest text that is shown whole, in bytes.
pub const MAX_TEXT: usize = 64 << 10;

/// The most steps of a turn that are shown.
const MAX_STEPS: usize = 10_000;

/// What stands in the place of what is encrypted to others.
pub const ENCRYPTED: &str = "encrypted: this clone's key may not read it";

/// What one line of a transcript shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shown {
    /// When, in milliseconds since 1970.
    pub at: Option<i64>,
    /// By what the agent knows the line, wherever it stands.
    pub id: Option<String>,
    /// Which part of what is read it stands in.
    pub part: usize,
    pub pieces: Vec<Piece>,
}

/// One thing that a line shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    Prompt(Asked),
    Step(Step),
    Result(CallResult),
}

/// What began a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub text: String,
    /// Whether somebody asked, rather than another agent or a task that reports back.
    pub human: bool,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CallResult {
    pub call: CallId,
    pub outcome: Outcome,
    pub text: String,
    pub diffs: Vec<FileDiff>,
    /// The plan, where the agent tells it only now.
    pub plan: Option<String>,
}

/// A prompt and all that follows until the next.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    pub at: Option<i64>,
    /// By what the agent knows the line that began it.
    pub id: Option<String>,
    /// Which part of what is read that line stands in.
    pub part: usize,
    /// Absent for what stands before the first prompt.
    pub asked: Option<Asked>,
    pub steps: Vec<Step>,
    /// When each step began, in milliseconds since 1970.
    pub times: Vec<Option<i64>>,
    /// How many further steps there were.
    pub omitted: usize,
}

impl Turn {
    /// When it began.
    pub fn time(&self) -> Option<Time> {
        self.at.map(|at| Time::from_unix(at.div_euclid(1000)))
    }

    /// Every text of it that somebody, or something, said.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let asked = self.asked.iter_mut().map(|asked| &mut asked.text);
        asked.chain(self.steps.iter_mut().flat_map(Step::texts_mut))
    }
}

/// One step of a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Reasoning(String),
    Plan(String),
    Text(String),
    Call(Call),
    /// The summary that took the conversation's place.
    Summary(String),
    /// What the agent itself says: an error, an interruption.
    Note(String),
    /// What should stand here and cannot be read, as the program says.
    Missing(String),
}

impl Step {
    fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Step::Reasoning(text) | Step::Plan(text) | Step::Text(text) | Step::Summary(text) => vec![text],
            Step::Note(text) | Step::Missing(text) => vec![text],
            Step::Call(Call { tool, input, result, diffs, .. }) => {
                let diffs = diffs.iter_mut().flat_map(|diff| [&mut diff.path, &mut diff.hunks]);
                [tool, input, result].into_iter().chain(diffs).collect()
            }
        }
    }
}

/// A tool call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub id: CallId,
    /// Empty where only the result is at hand.
    pub tool: String,
    /// What it was asked, in short: the command, the file.
    pub input: String,
    pub outcome: Option<Outcome>,
    pub result: String,
    pub diffs: Vec<FileDiff>,
}

/// A change of a file, as the hunks of a unified diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    pub path: String,
    pub hunks: String,
}

/// At most [`MAX_TEXT`] of a text.
pub fn shortened(text: &str) -> String {
    shortened_to(text, MAX_TEXT)
}

/// At most so many bytes of a text.
pub fn shortened_to(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}

/// The step from which on a call is led to: what was said before it, and before the calls made at once with it.
pub fn led_by(steps: &[Step], call: usize) -> usize {
    let is_call = |at: usize| matches!(steps[at], Step::Call(_));
    let mut from = call;
    while from > 0 && is_call(from - 1) {
        from -= 1;
    }
    while from > 0 && !is_call(from - 1) {
        from -= 1;
    }
    from
}

/// The diffs that added a line, each cut to so many lines around it; all of them where none did.
pub fn focused(diffs: &[FileDiff], line: &str, lines: usize) -> Vec<FileDiff> {
    let added = format!("+{}", line.trim_end());
    let has = |diff: &&FileDiff| diff.hunks.lines().any(|line| line.trim_end() == added);
    let mut found: Vec<FileDiff> = diffs.iter().filter(has).cloned().collect();
    if found.is_empty() {
        found = diffs.to_vec();
    }
    for diff in &mut found {
        diff.hunks = around(&diff.hunks, &added, lines);
    }
    found
}

/// The lines of a diff around one of them, if there are too many.
fn around(hunks: &str, wanted: &str, most: usize) -> String {
    let lines: Vec<&str> = hunks.lines().collect();
    if lines.len() <= most {
        return hunks.to_owned();
    }
    let at = lines.iter().position(|line| line.trim_end() == wanted).unwrap_or_default();
    let from = at.saturating_sub(most / 2).min(lines.len() - most);
    let rest = |n: usize| match n {
        0 => String::new(),
        1 => "… 1 line more\n".to_owned(),
        n => format!("… {n} lines more\n"),
    };
    let to = from + most;
    format!("{}{}\n{}", rest(from), lines[from..to].join("\n"), rest(lines.len() - to))
}

/// One hunk that turns `old` into `new`, without context.
pub fn hunk(old: &str, new: &str) -> String {
    let (head, removed, added) = differing(old, new);
    if removed.is_empty() && added.is_empty() {
        return String::new();
    }
    let before = head.lines().count();
    // A range without lines is named by the line before it.
    let range = |text: &str| match text.lines().count() {
        0 => (before, 0),
        n => (before + 1, n),
    };
    let ((old_start, old_lines), (new_start, new_lines)) = (range(removed), range(added));
    let mut out = format!("@@ -{old_start},{old_lines} +{new_start},{new_lines} @@\n");
    for (sign, text) in [('-', removed), ('+', added)] {
        for line in text.lines() {
            out.push(sign);
            out.push_str(line);
            out.push('\n');
            if out.len() > MAX_TEXT {
                return shortened(&out);
            }
        }
    }
    out
}

/// The turns of a transcript whose lines come one after the other.
pub struct Turns<I> {
    lines: I,
    turn: Option<Turn>,
    /// Where in the turn a call's step is.
    calls: HashMap<CallId, usize>,
    /// Pieces of a line that belong to the next turn.
    rest: std::vec::IntoIter<Piece>,
    /// The time, the id and the part of the line that is at hand.
    at: Option<i64>,
    id: Option<String>,
    part: usize,
}

impl<I: Iterator<Item = Shown>> Turns<I> {
    pub fn new(lines: I) -> Self {
        Turns { lines, turn: None, calls: HashMap::new(), rest: Vec::new().into_iter(), at: None, id: None, part: 0 }
    }

    fn next_piece(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.rest.next() {
                return Some(piece);
            }
            let line = self.lines.next()?;
            (self.at, self.id, self.part) = (line.at, line.id, line.part);
            self.rest = line.pieces.into_iter();
        }
    }

    fn begin(&mut self, asked: Option<Asked>) -> Option<Turn> {
        self.calls.clear();
        self.turn.replace(Turn { at: self.at, id: self.id.clone(), part: self.part, asked, ..Turn::default() })
    }

    fn step(&mut self, step: Step) {
        if self.turn.is_none() {
            self.begin(None);
        }
        let Some(turn) = &mut self.turn else { return };
        if turn.steps.len() == MAX_STEPS {
            turn.omitted += 1;
            return;
        }
        if let Step::Call(call) = &step {
            self.calls.insert(call.id.clone(), turn.steps.len());
        }
        turn.steps.push(step);
        turn.times.push(self.at);
    }

    fn result(&mut self, result: CallResult) {
        let CallResult { call: id, outcome, text, diffs, plan } = result;
        let steps = self.turn.as_mut().map(|turn| &mut turn.steps);
        let known = self.calls.get(&id).zip(steps).and_then(|(at, steps)| steps.get_mut(*at));
        match known {
            Some(Step::Call(call)) => (call.outcome, call.result, call.diffs) = (Some(outcome), text, diffs),
            _ => {
                let (tool, input) = Default::default();
                self.step(Step::Call(Call { id, tool, input, outcome: Some(outcome), result: text, diffs }));
            }
        }
        let Some(plan) = plan.map(Step::Plan) else { return };
        if self.turn.as_ref().is_none_or(|turn| !turn.steps.contains(&plan)) {
            self.step(plan);
        }
    }
}

impl<I: Iterator<Item = Shown>> Iterator for Turns<I> {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        while let Some(piece) = self.next_piece() {
            match piece {
                Piece::Prompt(asked) => {
                    if let Some(turn) = self.begin(Some(asked)) {
                        return Some(turn);
                    }
                }
                Piece::Step(step) => self.step(step),
                Piece::Result(result) => self.result(result),
            }
        }
        self.turn.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(at: i64, pieces: Vec<Piece>) -> Shown {
        Shown { at: Some(at), id: Some(format!("line {at}")), part: at as usize, pieces }
    }

    fn prompt(text: &str) -> Piece {
        Piece::Prompt(Asked { text: text.into(), human: true })
    }

    fn call(id: &str) -> Piece {
        let id = CallId::from_agent(id);
        Piece::Step(Step::Call(Call {
            id,
            tool: "T".into(),
            input: String::new(),
            outcome: None,
            result: String::new(),
            diffs: vec![],
        }))
    }

    fn result(id: &str, plan: Option<&str>) -> Piece {
        Piece::Result(CallResult {
            call: CallId::from_agent(id),
            outcome: Outcome::Failed,
            text: "no".into(),
            diffs: vec![],
            plan: plan.map(str::to_owned),
        })
    }

    #[test]
    fn a_turn_goes_from_prompt_to_prompt() {
        let text = |text: &str| Piece::Step(Step::Text(text.into()));
        let lines = [
            shown(1, vec![text("hello")]),
            shown(2, vec![prompt("a"), text("x")]),
            shown(3, vec![]),
            shown(4, vec![text("y"), prompt("b")]),
        ];
        let turns: Vec<Turn> = Turns::new(lines.into_iter()).collect();
        let asked: Vec<_> = turns.iter().map(|turn| turn.asked.as_ref().map(|asked| asked.text.as_str())).collect();
        assert_eq!(asked, [None, Some("a"), Some("b")]);
        assert_eq!(turns.iter().map(|turn| turn.at.unwrap()).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(
            turns.iter().map(|turn| turn.id.as_deref().unwrap()).collect::<Vec<_>>(),
            ["line 1", "line 2", "line 4"]
        );
        assert_eq!(turns.iter().map(|turn| turn.part).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(turns.iter().map(|turn| turn.steps.len()).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(turns[1].times, [Some(2), Some(4)]);
        assert_eq!(Turns::new([].into_iter()).next(), None);
    }

    #[test]
    fn results_find_their_calls() {
        let lines = [shown(1, vec![prompt("a"), call("1"), call("2"), result("2", None), result("9", None)])];
        let turn = Turns::new(lines.into_iter()).next().unwrap();
        let calls: Vec<_> = turn.steps.iter().map(|step| if let Step::Call(c) = step { c } else { panic!() }).collect();
        assert_eq!((calls[0].outcome, calls[1].outcome, calls[1].result.as_str()), (None, Some(Outcome::Failed), "no"));
        assert_eq!((calls[2].tool.as_str(), calls[2].id.as_str()), ("", "9"), "a result alone is shown all the same");
    }

    #[test]
    fn a_plan_is_shown_once() {
        let plan = Piece::Step(Step::Plan("p".into()));
        for (first, expected) in [(vec![plan.clone()], 1), (vec![], 1), (vec![plan.clone(), plan], 2)] {
            let lines = [shown(1, [first, vec![call("1"), result("1", Some("p"))]].concat())];
            let turn = Turns::new(lines.into_iter()).next().unwrap();
            assert_eq!(turn.steps.iter().filter(|step| matches!(step, Step::Plan(_))).count(), expected);
        }
    }

    #[test]
    fn endless_turns_and_texts_end() {
        let lines = (0..MAX_STEPS as i64 + 5).map(|i| shown(i, vec![call(&i.to_string())]));
        let turn = Turns::new(lines).next().unwrap();
        assert_eq!((turn.steps.len(), turn.omitted), (MAX_STEPS, 5));
        assert!(shortened(&"é".repeat(MAX_TEXT)).len() <= MAX_TEXT + 3);
        assert!(hunk("", &"line\n".repeat(MAX_TEXT)).len() <= MAX_TEXT + 3);
    }

    #[test]
    fn hunks_are_unified_diffs() {
        for (old, new, expected) in [
            ("a\n", "a\n", ""),
            ("", "a\nb", "@@ -0,0 +1,2 @@\n+a\n+b\n"),
            ("a\nb\nc\n", "a\nx\ny\nc\n", "@@ -2,1 +2,2 @@\n-b\n+x\n+y\n"),
            ("a\nb\n", "a\n", "@@ -2,1 +1,0 @@\n-b\n"),
        ] {
            assert_eq!(hunk(old, new), expected);
        }
    }

    #[test]
    fn what_led_to_a_call_stands_before_it_and_its_companions() {
        let made = || {
            let (tool, input, result) = Default::default();
            Step::Call(Call { id: CallId::from_agent("c"), tool, input, outcome: None, result, diffs: Vec::new() })
        };
        let text = || Step::Text("t".into());
        let steps = [text(), made(), text(), text(), made(), made(), text(), made()];
        assert_eq!([1, 4, 5, 7].map(|at| led_by(&steps, at)), [0, 2, 2, 6]);
        assert_eq!(led_by(&[made(), made()], 1), 0);
    }

    #[test]
    fn long_diffs_are_shown_around_the_line() {
        let hunks: String = (0..100).map(|n| format!("+{n}\n")).collect();
        for (wanted, first, last) in [
            ("+0", "+0", "… 60 lines more"),
            ("+50", "… 30 lines more", "… 30 lines more"),
            ("+99", "… 60 lines more", "+99"),
            ("+x", "+0", "… 60 lines more"),
        ] {
            let shown = around(&hunks, wanted, 40);
            assert_eq!((shown.lines().next(), shown.lines().last()), (Some(first), Some(last)), "{wanted}");
            assert!(wanted == "+x" || shown.lines().any(|line| line == wanted));
        }
        assert_eq!(around("+a\n", "+a", 40), "+a\n");
    }
}
