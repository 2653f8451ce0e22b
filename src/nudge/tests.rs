//! Nudges on values: each rule, what silences it, and what comes of it.

use proptest::prelude::*;

use super::*;
use crate::policy::Policy;

const POLICY: &str = r#"
[[rule]]
name = "approved-models"
condition = "model-allowlist"
level = "block"
allow = ["anthropic/claude-*"]

[[rule]]
name = "no-agents-in-crypto"
condition = "sensitive-paths"
level = "block"
message = "Ask the key officers."
paths = ["src/crypto"]

[[rule]]
name = "payments-are-reviewed"
condition = "sensitive-paths"
level = "block"
paths = ["src/payments"]
reviewer = "auditor"

[[rule]]
name = "tests-ran"
condition = "required-tool"
level = "block"
programs = ["cargo"]

[[rule]]
name = "migrations-are-linted-twice"
condition = "conditional-tool"
level = "warn"
paths = ["db"]
skills = ["lint"]
min_calls = 2
after_last_edit = false

[[rule]]
name = "session-budget"
condition = "token-budget"
level = "warn"
per = "session"
max_tokens = 1000
max_usd = 2.00
"#;

const STOP: Moment = Moment::Stop { again: false };

/// A session, and all that was said in it.
struct Session {
    settings: Settings,
    policy: Policy,
    others: Vec<(String, u64)>,
    state: State,
    settled: Vec<(u64, Outcome)>,
}

impl Session {
    fn with(settings: &str) -> Session {
        let mut session = Session {
            settings: Settings::parse(settings).unwrap(),
            policy: Policy::parse(POLICY).unwrap(),
            others: Vec::new(),
            state: State::default(),
            settled: Vec::new(),
        };
        session.state.prices = prices();
        session
    }

    /// What is said in a moment: the rule's name, and the text.
    fn hear(&mut self, moment: Moment) -> Option<(&'static str, String)> {
        let known = Known { settings: &self.settings, policy: Some(&self.policy), others: &self.others };
        let mut settled = self.state.note(&moment, known.allows(&moment, &self.state));
        let nudge = decide(&moment, &self.state, &known);
        if let Some(nudge) = &nudge {
            settled.extend(self.state.show(nudge).1);
        }
        self.settled.extend(settled.iter().map(|settled| (settled.n, settled.outcome)));
        nudge.map(|nudge| (nudge.rule.word(), nudge.text))
    }

    fn rule(&mut self, moment: Moment) -> Option<&'static str> {
        self.hear(moment).map(|(rule, _)| rule)
    }

    /// So many calls that say nothing.
    fn pass(&mut self, calls: u64) {
        for _ in 0..calls {
            self.hear(before(&[]));
        }
    }
}

fn prices() -> std::collections::BTreeMap<String, Price> {
    let sold = [("claude-opus-5-5", "anthropic"), ("gpt-6", "openai")];
    let price = |provider: &str| Price { provider: Some(provider.to_owned()), rates: [None; 5] };
    sold.into_iter().map(|(model, provider)| (model.to_owned(), price(provider))).collect()
}

fn files(names: &[&str]) -> Vec<crate::id::RepoPath> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn prompt() -> Moment {
    Moment::Prompt { secret: None }
}

fn before(names: &[&str]) -> Moment {
    Moment::Before { call: Called::default(), model: None, files: files(names) }
}

fn by_model(model: &str) -> Moment {
    Moment::Before { call: Called::default(), model: Some(model.to_owned()), files: Vec::new() }
}

fn edit(name: &str) -> Moment {
    Moment::After { call: Called::default(), succeeded: true, edited: files(&[name]) }
}

fn ran(uses: &[&str], command: &str, succeeded: bool) -> Moment {
    let uses = uses.iter().map(|name| (*name).to_owned()).collect();
    let call = Called { uses, command: Some(command.to_owned()) };
    Moment::After { call, succeeded, edited: Vec::new() }
}

#[test]
fn a_secret_stops_every_prompt_that_holds_it() {
    let mut session = Session::with("");
    let secret = || Moment::Prompt { secret: Some("aws-access-key") };
    let (rule, text) = session.hear(secret()).unwrap();
    assert!(rule == "secret" && text.contains("aws-access-key"), "{text}");
    assert_eq!(session.rule(secret()), Some("secret"));
    assert_eq!(session.rule(prompt()), None);
    assert_eq!(session.settled, [(1, Outcome::Ignored), (2, Outcome::Followed)]);
    assert_eq!(Session::with("all,-secret").rule(secret()), None);
}

#[test]
fn a_model_that_is_not_allowed_is_told_once_at_a_prompt_and_stops_every_call() {
    let mut session = Session::with("");
    session.hear(Moment::Start { model: Some("gpt-6".into()), cleared: false });
    let (rule, text) = session.hear(prompt()).unwrap();
    assert!(rule == "model" && text.contains("gpt-6") && text.contains("approved-models"), "{text}");
    assert_eq!(session.rule(prompt()), None, "which model is chosen by now nobody knows");
    assert_eq!(session.rule(by_model("gpt-6")), Some("model"));
    assert_eq!(session.rule(by_model("claude-opus-5-5[1m]")), None);
    assert_eq!(session.rule(by_model("claude-of-nobody-knows-whom")), None, "what cannot be told stops nobody here");
    assert_eq!(session.settled, [(1, Outcome::Ignored), (2, Outcome::Followed)]);
}

#[test]
fn files_are_forbidden_or_only_sensitive() {
    let mut session = Session::with("all");
    let (rule, text) = session.hear(before(&["src/a.rs", "src/crypto/key.rs"])).unwrap();
    assert!(rule == "path" && text.contains("src/crypto/key.rs") && text.contains("Ask the key officers."), "{text}");
    assert_eq!(session.rule(before(&["src/a.rs"])), None);
    let (rule, text) = session.hear(before(&["src/payments/a.rs"])).unwrap();
    assert!(rule == "review" && text.contains("role auditor"), "{text}");
    assert_eq!(session.rule(STOP), None);
    session.rule(before(&["src/crypto/key.rs"]));
    session.rule(before(&["src/crypto/key.rs"]));
    session.rule(Moment::End);
    assert_eq!(
        session.settled,
        [(1, Outcome::Followed), (3, Outcome::Ignored), (4, Outcome::Followed)],
        "whether a review was given nobody here can tell"
    );
    assert_eq!(Session::with("").rule(before(&["src/payments/a.rs"])), None, "hints are silent unless asked for");
}

#[test]
fn once_in_a_session_the_agent_stops_only_after_what_is_required() {
    let mut session = Session::with("all");
    assert_eq!(session.rule(STOP), None, "nothing was edited");
    session.hear(ran(&["program cargo"], "cargo test", true));
    session.hear(edit("src/a.rs"));
    let (rule, text) = session.hear(STOP).unwrap();
    assert!(rule == "tool" && text.contains("tests-ran") && text.contains("program cargo"), "{text}");
    assert!(text.contains("succeed after the last edit (rule"), "{text}");
    session.hear(ran(&["program cargo"], "cargo test", true));
    assert_eq!(session.settled, [(1, Outcome::Followed)]);
    session.hear(edit("src/a.rs"));
    session.pass(20);
    assert_eq!(session.rule(STOP), None, "once");

    let mut session = Session::with("all");
    session.hear(edit("db/1.sql"));
    session.hear(ran(&["program cargo", "skill lint"], "cargo test", true));
    assert_eq!(session.rule(Moment::Stop { again: true }), None, "a hook holds it already");
    let (_, text) = session.hear(STOP).unwrap();
    assert!(text.contains("migrations-are-linted-twice") && text.contains("skill lint"), "{text}");
    assert!(text.contains("succeed 2 times (rule"), "{text}");
    assert_eq!(session.rule(STOP), None);
    assert_eq!(session.settled, [(1, Outcome::Ignored)]);
}

#[test]
fn a_command_that_fails_three_times_is_told_of() {
    let mut session = Session::with("repeat");
    assert_eq!(session.rule(ran(&[], "make", false)), None);
    assert_eq!(session.rule(ran(&[], "make", false)), None);
    assert_eq!(session.rule(ran(&[], "ls", false)), None, "another command");
    assert_eq!(session.rule(ran(&[], "make", false)), Some("repeat"));
    session.pass(10);
    assert_eq!(session.rule(ran(&[], "make", false)), None, "of one command once");
    assert_eq!(session.settled, [(1, Outcome::Ignored)]);

    let mut session = Session::with("repeat");
    for succeeded in [false, false, true, false, false] {
        assert_eq!(session.rule(ran(&[], "make", succeeded)), None, "it succeeded in between");
    }
}

#[test]
fn a_budget_is_told_at_80_and_at_100_percent() {
    let mut session = Session::with("budget");
    session.state.spent.add("m1", "claude-opus-5-5", [799, 0, 0, 0, 0]);
    assert_eq!(session.rule(prompt()), None);
    session.state.spent.add("m1", "claude-opus-5-5", [1000, 0, 0, 0, 0]);
    let (_, text) = session.hear(prompt()).unwrap();
    assert!(
        text.contains("at least 1000 of 1000 tokens") && text.contains("keeps within it"),
        "all is not too much: {text}"
    );
    session.pass(10);
    assert_eq!(session.rule(prompt()), None, "each mark once");
    session.state.prices.get_mut("claude-opus-5-5").unwrap().rates[0] = Some(2_080_000_000);
    let (_, text) = session.hear(prompt()).unwrap();
    assert!(text.contains("at least 2.08 of 2 USD") && text.contains("whoever pushes"), "{text}");
    assert_eq!(session.settled, [(1, Outcome::Ignored)], "it was used up all the same");
    session.hear(Moment::End);
    assert_eq!(session.settled[1], (2, Outcome::Followed));
}

#[test]
fn what_is_written_to_the_cache_again_is_told() {
    let mut session = Session::with("cache");
    let done = || ran(&[], "true", true);
    session.state.spent.add("m1", "m", [10, 0, 0, 90_000, 0]);
    assert_eq!(session.rule(done()), None, "the first time is no waste");
    session.state.spent.add("m2", "m", [10, 0, 90_000, 500, 0]);
    assert_eq!(session.rule(done()), None);
    session.state.spent.add("m3", "m", [10, 0, 0, 95_000, 0]);
    let (rule, text) = session.hear(done()).unwrap();
    assert!(rule == "cache" && text.contains("90510 tokens"), "{text}");
    session.hear(Moment::Start { model: None, cleared: true });
    assert_eq!(session.settled, [(1, Outcome::Followed)]);
}

#[test]
fn what_others_use_is_told_with_the_first_prompt() {
    let mut session = Session::with("others");
    assert_eq!(session.rule(prompt()), None, "nobody uses anything");
    session.others = vec![("skill review".into(), 7), ("MCP server db".into(), 2)];
    session.hear(ran(&["skill review"], "", true));
    let (rule, text) = session.hear(prompt()).unwrap();
    assert!(rule == "others" && text.contains("the MCP server db (2 sessions)") && !text.contains("review"), "{text}");
    session.hear(ran(&["MCP server db"], "", true));
    assert_eq!(session.settled, [(1, Outcome::Followed)]);
    session.pass(20);
    assert_eq!(session.rule(prompt()), None);
}

#[test]
fn there_is_at_most_one_hint_in_ten_calls_and_no_end_to_what_blocks() {
    let mut session = Session::with("all");
    assert_eq!(session.rule(before(&["src/payments/a.rs"])), Some("review"));
    for n in 0..9 {
        assert_eq!(session.rule(before(&[&format!("src/payments/{n}.rs")])), None);
        assert_eq!(session.rule(before(&["src/crypto/a.rs"])), Some("path"));
        session.state.calls -= 1;
    }
    assert_eq!(session.rule(before(&["src/payments/b.rs"])), Some("review"));
}

#[test]
fn once_in_a_session_is_once_however_much_was_said() {
    let mut session = Session::with("all");
    for n in 0..600 {
        assert_eq!(session.rule(before(&[&format!("src/crypto/{n}.rs")])), Some("path"));
        session.rule(Moment::Prompt { secret: Some("aws-access-key") });
    }
    assert_eq!(session.rule(before(&["src/payments/a.rs"])), Some("review"), "what blocks is not remembered");
    for n in 0..600 {
        session.pass(10);
        session.rule(before(&[&format!("src/payments/{n}.rs")]));
    }
    session.pass(10);
    assert_eq!(session.rule(before(&["src/payments/599.rs"])), None);
    session.hear(edit("src/a.rs"));
    session.pass(10);
    assert_eq!(session.rule(STOP), None, "what is full says nothing twice");
}

#[test]
fn what_cannot_be_remembered_has_no_number() {
    let mut session = Session::with("all");
    session.state = State::unknown();
    assert_eq!(session.rule(before(&["src/payments/a.rs"])), None, "no hint");
    assert_eq!(session.rule(before(&["src/crypto/a.rs"])), Some("path"));
    let nudge = Nudge { rule: Rule::Path, way: Way::Refuse, about: Vec::new(), text: String::new() };
    assert_eq!(session.state.show(&nudge), (0, Vec::new()));
}

#[test]
fn a_policy_is_read_only_where_it_is_asked() {
    let (all, mut state) = (Settings::parse("all").unwrap(), State::default());
    let asked = |moment: &Moment, state: &State| conditions(moment, state, &all).join(" ");
    assert_eq!(asked(&before(&[]), &state), "model-allowlist");
    assert_eq!(asked(&before(&["a"]), &state), "model-allowlist sensitive-paths");
    assert_eq!(asked(&edit("a"), &state), "token-budget");
    assert_eq!(asked(&STOP, &state), "token-budget", "nothing was edited");
    state.note(&edit("a"), None);
    assert_eq!(asked(&STOP, &state), "required-tool conditional-tool token-budget");
    assert_eq!(asked(&Moment::End, &state), "");
    assert!(conditions(&edit("a"), &state, &Settings::default()).is_empty(), "no hint, no budget");
}

#[test]
fn a_message_counts_once_however_many_lines_it_has() {
    let mut spent = Spent::default();
    for (id, output) in [("m1", 5), ("m1", 5), ("m1", 9), ("m2", 1)] {
        spent.add(id, "m", [1, output, 0, 0, 0]);
    }
    assert_eq!(spent.tokens(), 12);
}

proptest! {
    #[test]
    fn the_state_reads_back_and_never_grows_without_end(names: Vec<String>) {
        let mut state = State::default();
        for name in &names {
            state.note(&ran(&[name], name, name.len() % 2 == 0), None);
        }
        let text = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    }
}
