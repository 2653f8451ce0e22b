//! Names in a session's record: tools, servers, programs, files. Models choose them, so they are redacted like all else.

use std::borrow::Cow;

use crate::redaction::Redactor;
use crate::session::tally::Facts;

/// Redacts every name in `facts`; what has the same name then is counted together.
pub fn redact(facts: &mut Facts, redactor: &mut Redactor) {
    let mut clean = |name: &mut String| {
        if let Cow::Owned(redacted) = redactor.text(name).into_inner() {
            *name = redacted;
        }
    };
    clean(&mut facts.version);
    facts.models.iter_mut().for_each(|model| clean(&mut model.model));
    facts.models.sort_by(|a, b| (&a.model, a.prompt_over).cmp(&(&b.model, b.prompt_over)));
    facts.models.dedup_by(|next, sum| {
        let same = (&next.model, next.prompt_over) == (&sum.model, sum.prompt_over);
        if same {
            sum.requests += next.requests;
            sum.input += next.input;
            sum.output += next.output;
            sum.cache_read += next.cache_read;
            sum.cache_write_5m += next.cache_write_5m;
            sum.cache_write_1h += next.cache_write_1h;
        }
        same
    });
    facts.tools.iter_mut().for_each(|tool| clean(&mut tool.name));
    facts.tools.sort_by(|a, b| a.name.cmp(&b.name));
    facts.tools.dedup_by(|next, sum| {
        let same = next.name == sum.name;
        if same {
            sum.calls += next.calls;
            sum.failed += next.failed;
        }
        same
    });
    facts.programs.iter_mut().for_each(|program| clean(&mut program.name));
    facts.programs.sort_by(|a, b| a.name.cmp(&b.name));
    facts.programs.dedup_by(|next, sum| {
        let same = next.name == sum.name;
        if same {
            sum.runs += next.runs;
        }
        same
    });
    for names in [&mut facts.mcp_servers, &mut facts.skills] {
        names.iter_mut().for_each(&mut clean);
        names.sort();
        names.dedup();
    }
    for file in &mut facts.files {
        let mut path = file.path.to_string();
        clean(&mut path);
        // A redacted path is a path still: no rule takes out a slash and leaves nothing between two.
        if let Ok(path) = path.parse() {
            file.path = path;
        }
    }
    facts.files.sort_by(|a, b| a.path.cmp(&b.path));
    facts.files.dedup_by(|next, sum| {
        let same = next.path == sum.path;
        if same {
            sum.edits += next.edits;
            sum.added += next.added;
            sum.removed += next.removed;
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::body::{FileEdits, ModelUsage, PromptClass, ToolUsage};

    #[test]
    fn names_that_hold_secrets_do_not_and_their_counts_stay() {
        let token = |c: char| format!("ghp_{}", c.to_string().repeat(3) + "16C7e42F292c6912E7710c838347Ae178");
        let tool = |name: String| ToolUsage { name, calls: 1, failed: 1 };
        let file = |path: String| FileEdits { path: path.parse().unwrap(), edits: 1, added: 2, removed: 3 };
        let model = |c: char, prompt: u64| ModelUsage {
            model: token(c),
            prompt_over: PromptClass::of(prompt),
            requests: 1,
            ..ModelUsage::default()
        };
        let mut facts = Facts {
            models: vec![model('a', 5), model('a', 150_000), model('a', 7), model('a', 250_000)],
            tools: vec![tool(token('a')), tool(token('a')), tool("Edit".into())],
            files: vec![file(format!("keys/{}", token('a'))), file("src/a.rs".into())],
            mcp_servers: vec![token('c'), "files".into()],
            ..Facts::default()
        };
        redact(&mut facts, &mut Redactor::default());
        let text = format!("{facts:?}");
        assert!(!text.contains("16C7e42F292c6912E7710c838347Ae178"), "{text}");
        assert_eq!((facts.tools.len(), facts.files.len(), facts.mcp_servers.len()), (2, 2, 2));
        assert_eq!(facts.tools.iter().map(|tool| tool.calls + tool.failed).sum::<u64>(), 6);
        let models: Vec<_> = facts.models.iter().map(|model| (model.prompt_over.over(), model.requests)).collect();
        assert_eq!(models, [(0, 2), (100_000, 1), (200_000, 1)], "prompts of each size stay apart");
        assert!(facts.files.iter().any(|file| file.path.as_str().starts_with("keys/[REDACTED:")));
    }
}
