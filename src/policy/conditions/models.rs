//! `model-allowlist`: the models that may work on the code.

use std::collections::BTreeMap;

use super::{count, hides_agent_lines};
use crate::id::{RepoPath, SessionId};
use crate::policy::evaluate::{Findings, Outcome, Place};
use crate::policy::evidence::{Commit, Evidence, Model};
use crate::policy::foresee::{Answer, Plan, Sayings};
use crate::policy::globs::{Allowed, ModelGlobs};
use crate::policy::parse::Keys;

#[derive(Debug, Clone)]
pub struct Models {
    allow: ModelGlobs,
}

const ADVICE: &str = "have the change made with a model that is allowed, or ask a policy-admin to allow this one";
const UNKNOWN: &str = "fetch the ledger (git tracevault fetch); for a model whose provider is not known, allow */model";

impl Models {
    pub fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let allowed = "patterns of the form provider/model, such as \"anthropic/*\", \"*/claude-opus-*\"";
        let allow = keys.required("allow", allowed, |keys, key| keys.globs(key, allowed, ModelGlobs::compile));
        Some(Models { allow: allow? })
    }

    pub fn foresee(&self, plan: &Plan, sayings: &mut Sayings<'_>) {
        if plan.models.is_empty() {
            let message = "only models on a list may write; name the one that will, as provider/model";
            sayings.add(Answer::Unknown, message, Vec::new());
        }
        for model in &plan.models {
            match self.allow.allows(model) {
                Allowed::Yes => sayings.add(Answer::Fine, format!("model {model} is allowed"), Vec::new()),
                Allowed::No => sayings.add(Answer::Refuses, format!("model {model} is not allowed"), Vec::new()),
                Allowed::Maybe => {
                    let message = format!("whether model {model} is allowed cannot be told: name its provider, too");
                    sayings.add(Answer::Unknown, message, Vec::new());
                }
            }
        }
    }

    /// Whether this model may work; `None` where that cannot be told.
    pub fn allows(&self, model: &Model) -> Option<bool> {
        match self.allow.allows(model) {
            Allowed::Yes => Some(true),
            Allowed::No => Some(false),
            Allowed::Maybe => None,
        }
    }

    pub fn judge(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        for commit in &evidence.commits {
            if commit.unknown().is_some() {
                findings.unrecorded(commit, "which models worked on it");
                continue;
            }
            for (model, path) in models(commit) {
                let place = Place { commit: Some(commit), path };
                let outcome = match (model.name.is_empty(), self.allow.allows(model)) {
                    (false, Allowed::Yes) => continue,
                    (false, Allowed::No) => Outcome::Violated,
                    (true, _) | (false, Allowed::Maybe) => Outcome::Inconclusive,
                };
                match outcome {
                    Outcome::Violated => {
                        findings.violated(place, format!("model {model} worked on it and is not allowed"), ADVICE);
                    }
                    Outcome::Inconclusive if model.name.is_empty() => {
                        findings.unknown(place, "a model whose name is not known worked on it", UNKNOWN);
                    }
                    Outcome::Inconclusive => {
                        findings.unknown(place, format!("whether model {model} is allowed cannot be told"), UNKNOWN);
                    }
                }
            }
            if let Some(open) = open(commit) {
                findings.unknown(Place::commit(commit), open, UNKNOWN);
            }
        }
    }
}

/// The models of the sessions that a commit draws on, and of its lines; with a file for those that only lines name.
fn models(commit: &Commit) -> BTreeMap<&Model, Option<&RepoPath>> {
    let mut models = BTreeMap::new();
    for file in &commit.files.known {
        for model in file.agents.iter().filter_map(|agent| agent.model.as_ref()) {
            let path = models.entry(model).or_insert(Some(&file.path));
            *path = (*path).min(Some(&file.path));
        }
    }
    let drawn = commit.drawn().known.iter().flat_map(|draw| &draw.models.known);
    models.extend(drawn.map(|used| (&used.model, None)));
    models
}

/// What leaves open that there were other models.
fn open(commit: &Commit) -> Option<String> {
    let draws = commit.drawn();
    if let Some(draw) = draws.known.iter().find(|draw| !draw.models.whole) {
        return Some(format!("the models of session {} are not all known", draw.session.short()));
    }
    if !draws.whole {
        return Some("the sessions it draws on are not all known".to_owned());
    }
    let is_drawn = |session: &SessionId| draws.known.iter().any(|draw| draw.session == *session);
    let agents = || commit.files.known.iter().flat_map(|file| &file.agents);
    if let Some(agent) = agents().find(|agent| agent.model.is_none() && !is_drawn(&agent.session)) {
        return Some(format!("the model of session {}, which wrote lines of it, is not known", agent.session.short()));
    }
    if !commit.files.whole && hides_agent_lines(commit, false) {
        return Some("the models of agent lines in files that are not named are not known".to_owned());
    }
    let named: u64 = agents().map(|agent| agent.lines).fold(0, u64::saturating_add);
    let lines = match commit.total() {
        Some(lines) => lines.agent,
        // Nobody knows whether an agent wrote lines of it.
        None => return draws.known.is_empty().then(|| "whether an agent wrote lines of it is not known".to_owned()),
    };
    // Without a session every agent's line must name its own.
    (draws.known.is_empty() && named < lines)
        .then(|| format!("the models of {} are not known", count(lines - named, "agent line")))
}
