//! `policy_check`: what the rules in force will ask of work that is only planned.

use std::sync::Arc;

use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::RepoPath;
use crate::ledger::rules::InForce;
use crate::mcp::desk::Desk;
use crate::mcp::refusal::Refusal;
use crate::policy::{Answer, Foreseen, Model, Plan, Policy, foresee};

/// So many names of each kind are looked at.
const MOST: usize = 500;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The files you mean to change, as seen from the top of the repository: `src/pay/card.rs`
    #[serde(default)]
    paths: Vec<String>,
    /// The tools, skills, MCP tools (`server/tool`) and programs you mean to run: `cargo`
    #[serde(default)]
    tools: Vec<String>,
    /// The model that will write, with its provider: `anthropic/claude-opus-5`
    model: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Checked {
    /// fine: nothing stands against it. asks: it may be done, and something more must be. unknown: it cannot be told.
    /// refuses: it would break a rule that blocks.
    answer: String,
    /// The record of the policy chain that has the rules; absent where nobody has set any.
    policy: Option<u64>,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Rule {
    rule: String,
    condition: String,
    /// block: a push is refused where it is not kept. warn: it is only said.
    level: String,
    /// fine, asks, unknown or refuses.
    answer: String,
    message: String,
    /// The planned paths that it is about, where it is about some.
    paths: Vec<String>,
}

pub fn policy_check(desk: &Arc<Desk>, asked: Asked) -> Result<Checked, Refusal> {
    if asked.paths.len() > MOST || asked.tools.len() > MOST {
        return Err(Refusal::new("that is too much at once", format!("name at most {MOST} paths and {MOST} tools")));
    }
    let plan = Plan {
        paths: asked.paths.iter().map(|path| repo_path(path)).collect::<Result<_, _>>()?,
        tools: asked.tools,
        models: asked.model.iter().map(|model| Model::named(model)).collect(),
    };
    let rules = match desk.ledger()?.rules()? {
        InForce::Rules(rules) => rules,
        InForce::None => return Ok(Checked { answer: word(Answer::Fine), policy: None, rules: Vec::new() }),
        InForce::Untold(why) => {
            return Err(Refusal::new(why, "until it is known, take it that every rule is in force"));
        }
    };
    let said = foresee(&Policy::read(&rules.toml), &plan);
    Ok(Checked { answer: word(worst(&said)), policy: Some(rules.set.n), rules: said.into_iter().map(rule).collect() })
}

/// What all rules say together: those that only warn refuse nothing.
fn worst(said: &[Foreseen]) -> Answer {
    let counts = |said: &Foreseen| match (said.answer, said.level) {
        (Answer::Refuses, crate::policy::Level::Warn) => Answer::Asks,
        (answer, _) => answer,
    };
    said.iter().map(counts).max().unwrap_or(Answer::Fine)
}

fn rule(said: Foreseen) -> Rule {
    Rule {
        rule: said.rule,
        condition: said.condition,
        level: said.level.to_string(),
        answer: word(said.answer),
        message: said.message,
        paths: said.paths.iter().map(ToString::to_string).collect(),
    }
}

fn word(answer: Answer) -> String {
    serde_json::to_value(answer).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn repo_path(text: &str) -> Result<RepoPath, Refusal> {
    let relative = text.strip_prefix("./").unwrap_or(text);
    RepoPath::from_bytes(relative.as_bytes()).map_err(|error| {
        Refusal::new(
            format!("{text:?} is no path of the repository: {error}"),
            "name it as seen from the repository's top",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_only_warns_refuses_nothing() {
        let rules = |level: &str| {
            format!("[[rule]]\nname = \"m\"\ncondition = \"model-allowlist\"\nallow = [\"a/*\"]\nlevel = \"{level}\"\n")
        };
        let plan = Plan { models: vec![Model::named("b/x")], ..Plan::default() };
        for (level, expected) in [("warn", Answer::Asks), ("block", Answer::Refuses)] {
            assert_eq!(worst(&foresee(&Policy::parse(&rules(level)).unwrap(), &plan)), expected, "{level}");
        }
        assert_eq!(worst(&[]), Answer::Fine);
    }

    #[test]
    fn paths_are_of_the_repository() {
        assert_eq!(repo_path("./src/a.rs").unwrap().as_str(), "src/a.rs");
        for wrong in ["/etc/passwd", "../x", ""] {
            assert!(repo_path(wrong).is_err(), "{wrong}");
        }
    }
}
