//! The tools: what each is called, takes and gives.

use std::sync::Arc;

use rmcp::handler::server::common::{schema_for_input, schema_for_output};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::mcp::desk::Desk;
use crate::mcp::outgoing::{Answer, outgoing};
use crate::mcp::refusal::Refusal;
use crate::mcp::{budget, policy_check, search, similar_error, story, verify, why};

/// Answers a call's arguments.
type Run = Box<dyn Fn(&Arc<Desk>, JsonObject) -> Result<Value, Refusal> + Send + Sync>;

/// A tool that is offered.
pub struct Offer {
    pub tool: Tool,
    pub run: Run,
}

/// All of them.
pub fn offers() -> Vec<Offer> {
    vec![
        offer(
            "why",
            "Why is this line so",
            "Why a line of a file is as it is: whose it is (an agent's, a person's, unknown) and by which evidence, the commit \
             it comes from, and for an agent's line the prompt, the reasoning and the tool call with its diff. Ask it before \
             changing code that you do not understand.",
            why::why,
        ),
        offer(
            "search",
            "Search earlier sessions",
            "Searches what was asked, planned, answered and called in earlier sessions of agents in this repository. All words \
             must be in a session; the best first.",
            search::search,
        ),
        offer(
            "story",
            "How this came to be",
            "How and why a line, or all that a session did, came to be: the need as it was typed, the plan, alternatives that were \
             dropped, what was tried and failed, decisions, later changes, open ends. Each sentence names by numbers the prompts, \
             calls and commits that it rests on.",
            story::story,
        ),
        offer(
            "policy_check",
            "What the policy will ask",
            "What the rules in force will ask of work that is only planned: which models may write, which files need a review, \
             which tools must be run, what may be used. Name the files you mean to change, and the tools and models, before you \
             begin.",
            policy_check::policy_check,
        ),
        offer(
            "budget",
            "What is left of the budget",
            "What was spent today and in a session, in tokens and US dollars, beside what the policy allows.",
            budget::budget,
        ),
        offer(
            "similar_error",
            "Who had this error before",
            "Earlier tool calls in this repository that failed with an error like this one, and what was done until the same \
             call passed. Ask it before trying the same thing a third time.",
            similar_error::similar_error,
        ),
        offer(
            "verify",
            "Verify the ledger",
            "Verifies the signatures and chains of all records that are here (what was verified before is not verified again): \
             pass, fail or inconclusive, with what was found.",
            verify::verify,
        ),
    ]
}

fn offer<A, T>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    run: fn(&Arc<Desk>, A) -> Result<T, Refusal>,
) -> Offer
where
    A: DeserializeOwned + JsonSchema + 'static,
    T: Serialize + JsonSchema + 'static,
{
    let mut tool = Tool::new(name, description, schema_for_input::<A>().unwrap_or_default());
    tool.title = Some(title.to_owned());
    tool.output_schema = Some(schema_for_output::<Answer<T>>());
    tool.annotations = Some(ToolAnnotations::from_raw(None, Some(true), Some(false), None, Some(false)));
    let run = move |desk: &Arc<Desk>, asked: JsonObject| {
        let asked = serde_json::from_value(Value::Object(asked)).map_err(|error| {
            Refusal::new(format!("the arguments cannot be used: {error}"), format!("see the schema of {name}"))
        })?;
        outgoing(run(desk, asked)?).map_err(|error| Refusal::bare(error.to_string()))
    };
    Offer { tool, run: Box::new(run) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_only_reads_and_says_what_it_takes() {
        for Offer { tool, .. } in offers() {
            let hints = tool.annotations.as_ref().unwrap();
            assert_eq!((hints.read_only_hint, hints.open_world_hint), (Some(true), Some(false)), "{}", tool.name);
            assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
            let given = tool.input_schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            for (name, schema) in given {
                assert!(schema.get("description").is_some(), "{}: {name}", tool.name);
            }
            let output = tool.output_schema.unwrap();
            assert!(output["properties"].get("notice").is_some(), "{}: {output:?}", tool.name);
        }
    }
}
