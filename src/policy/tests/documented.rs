//! `docs/policy.md` is true: its examples are read out of it and judged.

use super::*;

const DOCUMENT: &str = include_str!("../../../docs/policy.md");

/// The TOML blocks of the document, whole.
fn examples() -> Vec<&'static str> {
    DOCUMENT.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

/// A push that every example lets through.
fn fine() -> Range {
    let range = Range::new().commit().file("src/core/a.rs", 6, 2, 2).file("src/crypto/aes.rs", 0, 3, 3);
    let range =
        range.file("src/payments/a.rs", 1, 1, 1).file("db/migrations/1.sql", 0, 0, 4).file("certs/README", 1, 0, 0);
    let range = range.draw("s", "anthropic/claude-opus-5-5", 20_000_000, Some(49_500_000)).edited(1000);
    let range = range.program("cargo", &[2000], 1).program("sqlfluff", &[2000, 2001], 0);
    let range = range.session(|session| session.skills.known.push(called("security-review", &[3000], 0)));
    range.approved(1, "rev@example.org", Role::Auditor).earlier(Spending::none())
}

/// For every rule of the document, pushes that break it.
fn broken(rule: &str) -> Vec<Range> {
    let fine = fine();
    let with = |change: &dyn Fn(&mut Evidence)| {
        let mut range = fine.clone();
        change(&mut range.0);
        range
    };
    match rule {
        "every-commit-is-recorded" => vec![fine.state(RecordState::Missing)],
        "all-recorded" => vec![fine.clone().state(RecordState::Missing), fine.state(valid(Some(1)))],
        "people-write-most-of-the-core" => {
            vec![fine.clone().file("src/core/b.rs", 9, 0, 0), fine.commit().file("src/core/b.rs", 1, 0, 0)]
        }
        "approved-models" => ["openai/gpt-6", "anthropic/other"]
            .map(|model| {
                with(&|evidence| evidence.commits[0].draws.known[0].models.known[0].model = Model::named(model))
            })
            .to_vec(),
        "no-agents-in-crypto" => {
            vec![fine.clone().file("src/crypto/x/b.rs", 1, 0, 0), fine.file("certs/ca.pem", 1, 0, 0)]
        }
        "agents-in-payments-are-reviewed" => {
            vec![with(&|evidence| evidence.approvals.known.clear()), fine.commit().file("src/payments/b.rs", 0, 0, 1)]
        }
        "agents-in-infra-are-told" => vec![fine.file("infra/main.tf", 1, 0, 0)],
        "tests-ran" => vec![
            fine.clone().edited(2500),
            with(&|evidence| evidence.sessions[0].skills.known.clear()),
            with(&|evidence| evidence.sessions[0].programs.known.clear()),
        ],
        "migrations-are-linted-twice" => {
            vec![with(&|evidence| evidence.sessions[0].programs.known[1] = called("sqlfluff", &[2000], 5))]
        }
        "session-budget" => vec![fine.commit().draw("s", "anthropic/claude-x", 1, Some(0))],
        "daily-budget" => vec![
            fine.clone().earlier(Spending { tokens: Partly::whole(80_000_001), ..Spending::none() }),
            fine.commit().draw("t", "anthropic/claude-x", 1, Some(1)),
        ],
        other => panic!("{other} is in the document and not tried"),
    }
}

#[test]
fn every_example_says_what_the_document_says() {
    let mut conditions = std::collections::BTreeSet::new();
    for text in examples() {
        let policy = Policy::parse(text).unwrap_or_else(|errors| panic!("{text}{errors:#?}"));
        for rule in &policy.rules {
            conditions.insert(rule.condition.kind().to_owned());
            let rules = vec![Rule { level: Level::Block, ..rule.clone() }];
            let alone = Policy { rules, encrypt: Encrypt::No, branches: Branches::All };
            let report = evaluate(&alone, &fine().0);
            assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
            for range in broken(&rule.name) {
                let report = evaluate(&alone, &range.0);
                assert_eq!(report.verdict, Verdict::Fail, "{} {:#?}", rule.name, report.findings);
            }
        }
    }
    assert_eq!(conditions.len(), 7, "{conditions:?}");
}

#[test]
fn every_key_is_documented() {
    for text in examples().into_iter().flat_map(|text| text.lines()).filter(|line| line.contains(" = ")) {
        let key = text.split(" = ").next().unwrap();
        assert!(DOCUMENT.contains(&format!("`{key}`")), "{key}");
    }
    // An unknown key is answered with all that there are.
    for rule in [
        "trace-completeness",
        "ai-percentage",
        "model-allowlist",
        "sensitive-paths",
        "required-tool",
        "conditional-tool",
        "token-budget",
    ] {
        assert!(DOCUMENT.contains(&format!("\n## `{rule}`\n")), "{rule}");
        let text = format!("[[rule]]\nname = \"r\"\nlevel = \"warn\"\ncondition = \"{rule}\"\nno-such-key = 1\n");
        let errors = Policy::parse(&text).unwrap_err();
        let unknown = errors.iter().find(|error| error.line == 5).unwrap();
        for key in unknown.allowed.split(", ") {
            assert!(DOCUMENT.contains(&format!("`{key}`")), "{key} of {rule}");
        }
    }
}
