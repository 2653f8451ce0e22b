//! What a policy asks of work that is only planned.

use super::*;

const POLICY: &str = r#"
[[rule]]
name = "recorded"
condition = "trace-completeness"
level = "block"

[[rule]]
name = "models"
condition = "model-allowlist"
allow = ["anthropic/*"]
level = "block"

[[rule]]
name = "payments"
condition = "sensitive-paths"
paths = ["src/pay/"]
reviewer = "admin"
message = "ask the payments team"
level = "block"

[[rule]]
name = "keys"
condition = "sensitive-paths"
paths = ["*.pem"]
level = "block"

[[rule]]
name = "tests"
condition = "conditional-tool"
paths = ["src/**/*.rs"]
programs = ["cargo"]
level = "warn"

[[rule]]
name = "share"
condition = "ai-percentage"
max_percent = 80
level = "warn"

[[rule]]
name = "day"
condition = "token-budget"
per = "author-day"
max_tokens = 1000
max_usd = 5
level = "block"
"#;

fn said(plan: &Plan) -> Vec<String> {
    let policy = Policy::parse(POLICY).unwrap();
    let line = |said: &Foreseen| {
        let paths: Vec<_> = said.paths.iter().map(ToString::to_string).collect();
        format!("{} {:?} {} [{}]", said.rule, said.answer, said.message, paths.join(" "))
    };
    foresee(&policy, plan).iter().map(line).collect()
}

#[test]
fn each_rule_says_what_it_will_ask() {
    let plan = Plan {
        paths: vec![path("src/pay/card.rs"), path("docs/a.md"), path("certs/a.pem")],
        tools: vec!["cargo".into()],
        models: vec![Model::named("anthropic/claude-opus-5"), Model::named("other/x"), Model::named("claude-opus-5")],
    };
    assert_eq!(
        said(&plan),
        [
            "recorded Asks every commit needs its record: commit in a clone where git-tracevault's hooks are installed []",
            "models Fine model anthropic/claude-opus-5 is allowed []",
            "models Refuses model other/x is not allowed []",
            "models Unknown whether model claude-opus-5 (provider unknown) is allowed cannot be told: name its provider, too []",
            "payments Asks an agent's lines in these files need the approval of somebody else with the role admin (ask the \
             payments team) [src/pay/card.rs]",
            "keys Refuses no line of these files may be an agent's [certs/a.pem]",
            "tests Asks it is planned: program cargo must succeed, after the last edit [src/pay/card.rs]",
            "share Asks agents may have written at most 80 % of the lines that a push adds []",
            "day Asks per author-day at most 1000 tokens and 5 USD may be used []",
        ]
    );
}

#[test]
fn what_a_plan_leaves_open_is_unknown_and_what_it_leaves_out_is_fine() {
    let plan = Plan { paths: vec![path("docs/a.md")], ..Plan::default() };
    let of = |rule: &str, said: &[String]| said.iter().find(|said| said.starts_with(rule)).unwrap().clone();
    let told = said(&plan);
    assert!(of("models Unknown", &told).contains("name the one"));
    for rule in ["payments", "keys", "tests"] {
        assert_eq!(of(rule, &told), format!("{rule} Fine the rule asks nothing of this plan []"));
    }
    let told = said(&Plan::default());
    for rule in ["payments", "keys", "tests"] {
        assert!(of(rule, &told).starts_with(&format!("{rule} Unknown ")), "{told:?}");
    }
    let unknown = Policy::read("[[rule]]\nname = \"x\"\ncondition = \"phase-of-the-moon\"\nlevel = \"block\"\n");
    assert_eq!(foresee(&unknown, &plan)[0].answer, Answer::Unknown);
}

#[test]
fn limits_are_those_of_the_budgets() {
    let policy = Policy::parse(POLICY).unwrap();
    let limits = limits(&policy);
    let told: Vec<_> = limits.iter().map(|l| (l.rule.name.as_str(), l.per, l.max_tokens)).collect();
    assert_eq!(told, [("day", "author-day", Some(1000))]);
    assert_eq!(limits[0].max_cost.map(|cost| cost.to_string()), Some("5".to_owned()));
}
