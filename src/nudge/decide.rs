//! The rules: a moment, what the session did and what the repository says in, at most one nudge out.

use super::state::{CALLS_BETWEEN_HINTS, FAILURES, plain};
use super::{Kind, Moment, Nudge, Rule, Settings, State, Way};
use crate::id::RepoPath;
use crate::policy::{Condition, Level, Model, Policy, Rule as PolicyRule};

/// What the repository says.
pub struct Known<'k> {
    pub settings: &'k Settings,
    /// The rules in force, or those of them that [`conditions`] names; `None`: there are none, or which cannot be told.
    pub policy: Option<&'k Policy>,
    /// What others used here, most first, by what it is called in [`Called::uses`](super::Called::uses), and in how many
    /// sessions.
    pub others: &'k [(String, u64)],
}

impl Known<'_> {
    /// Whether the policy allows the model that the moment names; `None` where it names none, or that cannot be told.
    pub fn allows(&self, moment: &Moment, state: &State) -> Option<bool> {
        let (Moment::Before { model: Some(model), .. } | Moment::Start { model: Some(model), .. }) = moment else {
            return None;
        };
        Some(self.rule_against(model, state).is_none())
    }

    fn rules(&self) -> impl Iterator<Item = &PolicyRule> {
        self.policy.iter().flat_map(|policy| &policy.rules)
    }

    /// The blocking rule that does not allow a model.
    fn rule_against(&self, model: &str, state: &State) -> Option<&PolicyRule> {
        let named = Model::named(plain(model));
        let provider = named.provider.or_else(|| state.prices.get(&named.name)?.provider.clone());
        let model = Model { provider, ..named };
        self.rules().filter(|rule| rule.level == Level::Block).find(
            |rule| matches!(&rule.condition, Condition::ModelAllowlist(models) if models.allows(&model) == Some(false)),
        )
    }
}

/// The conditions that are asked in a moment: to read a policy takes time, and most calls need none of it.
pub fn conditions(moment: &Moment, state: &State, settings: &Settings) -> Vec<&'static str> {
    let any = |rules: &[Rule]| rules.iter().any(|rule| settings.has(*rule));
    let models = matches!(moment, Moment::Start { .. } | Moment::Prompt { .. } | Moment::Before { .. });
    let files = matches!(moment, Moment::Before { files, .. } if !files.is_empty());
    let stops =
        matches!(moment, Moment::Stop { again: false }) && !state.edited.is_empty() && !state.has_said_any(Rule::Tool);
    let spends = matches!(moment, Moment::Prompt { .. } | Moment::After { .. } | Moment::Stop { .. });
    let asked = [
        ("model-allowlist", models && any(&[Rule::Model])),
        ("sensitive-paths", files && any(&[Rule::Path, Rule::Review])),
        ("required-tool", stops && any(&[Rule::Tool])),
        ("conditional-tool", stops && any(&[Rule::Tool])),
        ("token-budget", spends && any(&[Rule::Budget])),
    ];
    asked.into_iter().filter(|(_, is_asked)| *is_asked).map(|(condition, _)| condition).collect()
}

/// One rule's look at a moment.
type Look = fn(&Moment, &State, &Known<'_>) -> Option<Nudge>;

/// What is to be said now, if anything is. The state has taken in the moment already.
pub fn decide(moment: &Moment, state: &State, known: &Known<'_>) -> Option<Nudge> {
    let rules: [Look; 9] = [secret, model, path, review, tool, repeat, budget, cache, others];
    let said = |nudge: &Nudge| match nudge.rule.kind() {
        Kind::Block => true,
        Kind::Hint => state.may_hint() && !state.has_said(nudge.rule, &nudge.about),
    };
    let speaks = |nudge: &Nudge| known.settings.has(nudge.rule) && said(nudge);
    rules.into_iter().filter_map(|rule| rule(moment, state, known)).find(speaks)
}

fn secret(moment: &Moment, _: &State, _: &Known<'_>) -> Option<Nudge> {
    let Moment::Prompt { secret: Some(rule) } = moment else { return None };
    let text = format!(
        "git-tracevault did not send this prompt: it holds a secret ({rule}). Take it out, and name a variable or a file \
         that holds it instead. If it has left this machine before, replace it. \
         (no such check: git config tracevault.nudge block,-secret)"
    );
    Some(Nudge { rule: Rule::Secret, way: Way::Refuse, about: Vec::new(), text })
}

/// A call is refused where it is known which model asks for it. A prompt is, once for each model: what was chosen since is
/// not known before the model has answered.
fn model(moment: &Moment, state: &State, known: &Known<'_>) -> Option<Nudge> {
    let model = match moment {
        Moment::Before { model, .. } => model.as_ref()?,
        Moment::Prompt { .. } => state.model.as_ref()?,
        _ => return None,
    };
    let rule = known.rule_against(model, state)?;
    let about = vec![model.clone()];
    if matches!(moment, Moment::Prompt { .. }) && state.has_said(Rule::Model, &about) {
        return None;
    }
    let advice = rule.message.as_deref().unwrap_or("choose a model that is allowed, or ask a policy-admin");
    let text = format!(
        "The policy of this repository does not allow the model {model} (rule {}): {advice}. \
         (git tracevault policy show)",
        rule.name
    );
    Some(Nudge { rule: Rule::Model, way: Way::Refuse, about, text })
}

/// The rules about sensitive files, with the first of the call's files that each holds.
fn sensitive<'a>(
    moment: &'a Moment,
    known: &'a Known<'_>,
) -> impl Iterator<Item = (&'a PolicyRule, Option<&'static str>, &'a RepoPath)> {
    let files: &[RepoPath] = match moment {
        Moment::Before { files, .. } => files,
        _ => &[],
    };
    known.rules().filter_map(move |rule| match &rule.condition {
        Condition::SensitivePaths(sensitive) => {
            let file = files.iter().find(|file| sensitive.holds(file))?;
            Some((rule, sensitive.reviewer(), file))
        }
        _ => None,
    })
}

fn path(moment: &Moment, _: &State, known: &Known<'_>) -> Option<Nudge> {
    let (rule, _, file) =
        sensitive(moment, known).find(|(rule, reviewer, _)| rule.level == Level::Block && reviewer.is_none())?;
    let advice = rule.message.as_deref().unwrap_or("leave it to a person, and say what they should change");
    let text = format!(
        "Agents write no lines of {file} in this repository (rule {}): {advice}. Do not change it in another way. \
         (git tracevault policy show)",
        rule.name
    );
    Some(Nudge { rule: Rule::Path, way: Way::Refuse, about: vec![file.to_string()], text })
}

fn review(moment: &Moment, _: &State, known: &Known<'_>) -> Option<Nudge> {
    let (rule, reviewer, file) =
        sensitive(moment, known).find(|(rule, reviewer, _)| rule.level == Level::Warn || reviewer.is_some())?;
    let asks = match reviewer {
        Some(role) => format!("lines of agents need the approval of somebody else with the role {role}"),
        None => "lines of agents are told to whoever pushes".to_owned(),
    };
    let advice = rule.message.as_deref().map(|message| format!(" {message}")).unwrap_or_default();
    let text =
        format!("{file} is a sensitive file (rule {}): {asks}. Change no more than you must.{advice}", rule.name);
    Some(Nudge { rule: Rule::Review, way: Way::TellAgent, about: vec![file.to_string()], text })
}

/// Once in a session, the agent does not stop before it has run what the push will be asked for. Whom a hook holds already, ours or
/// another, is let go.
fn tool(moment: &Moment, state: &State, known: &Known<'_>) -> Option<Nudge> {
    let stops = matches!(moment, Moment::Stop { again: false });
    if !stops || state.edited.is_empty() || state.has_said_any(Rule::Tool) {
        return None;
    }
    let missing = known.rules().find_map(|rule| {
        let (Condition::RequiredTool(calls) | Condition::ConditionalTool(calls)) = &rule.condition else { return None };
        state.edited.iter().find(|file| calls.is_asked_by(file))?;
        let needs = calls.needs().map(|(kind, name)| format!("{kind} {name}"));
        let missing: Vec<_> =
            needs.filter(|need| state.successes(need, calls.is_after_last_edit()) < calls.times()).collect();
        (!missing.is_empty()).then_some((rule, calls, missing))
    });
    let (rule, calls, missing) = missing?;
    let advice = rule.message.as_deref().map(|message| format!(" {message}")).unwrap_or_default();
    let times = if calls.times() > 1 { format!(" {} times", calls.times()) } else { String::new() };
    let when = if calls.is_after_last_edit() { " after the last edit" } else { "" };
    let text = format!(
        "The policy of this repository asks for these to succeed{times}{when} (rule {}), and they have not yet: {}. \
         Run them now, or say why they cannot be run.{advice}",
        rule.name,
        missing.join(", ")
    );
    Some(Nudge { rule: Rule::Tool, way: Way::Refuse, about: missing, text })
}

fn repeat(moment: &Moment, state: &State, _: &Known<'_>) -> Option<Nudge> {
    let Moment::After { call, succeeded: false, .. } = moment else { return None };
    let command = call.command.as_ref().filter(|command| state.failures(command) >= FAILURES)?;
    let text = format!(
        "This very command has now failed {} times in this session. Running it again as it is will not help: read what it \
         said, change something, or ask.",
        state.failures(command)
    );
    Some(Nudge { rule: Rule::Repeat, way: Way::TellAgent, about: vec![command.clone()], text })
}

fn budget(moment: &Moment, state: &State, known: &Known<'_>) -> Option<Nudge> {
    if !matches!(moment, Moment::Prompt { .. } | Moment::After { .. } | Moment::Stop { .. }) {
        return None;
    }
    known.rules().find_map(|rule| {
        let Condition::TokenBudget(budget) = &rule.condition else { return None };
        let (tokens, money) = budget.of_session()?;
        let tokens = tokens.and_then(|max| {
            let used = state.spent.tokens();
            let share = share(used.into(), max.into())?;
            Some((share, format!("{used} of {max} tokens")))
        });
        let money = money.and_then(|max| {
            let used = state.cost()?;
            let share = share(used.nano_dollars(), max.nano_dollars())?;
            Some((share, format!("{used} of {max} USD")))
        });
        let (share, used) = tokens.max(money)?;
        let about = vec![format!("{} {share} %", rule.name)];
        let end = match (share, rule.level) {
            (100, Level::Block) => "what is committed from it may not be pushed",
            (100, Level::Warn) => "whoever pushes what is committed from it is told so",
            _ => "a new session for the next task, or a cheaper model, keeps within it",
        };
        let text = format!("This session has used at least {used} (rule {}): {end}.", rule.name);
        let said = state.has_said(Rule::Budget, &about);
        (!said).then_some(Nudge { rule: Rule::Budget, way: Way::TellPerson, about, text })
    })
}

/// The mark that was reached, in percent: 100 is more than there is, as the policy judges it.
fn share(used: u128, max: u128) -> Option<u8> {
    if used > max { Some(100) } else { (used * 100 >= max * 80).then_some(80) }
}

fn cache(moment: &Moment, state: &State, _: &Known<'_>) -> Option<Nudge> {
    if !matches!(moment, Moment::After { .. } | Moment::Stop { .. }) || state.spent.again == 0 {
        return None;
    }
    let text = format!(
        "The last answer wrote {} tokens to the model's cache that had been there before: the cache lives for minutes, or \
         the model or the tools were changed. After a break, /compact or a new session costs less than going on.",
        state.spent.again
    );
    Some(Nudge { rule: Rule::Cache, way: Way::TellPerson, about: vec![state.spent.message.clone()], text })
}

/// What others used here, at most three, told once in a session with its first calls still to come.
fn others(moment: &Moment, state: &State, known: &Known<'_>) -> Option<Nudge> {
    if !matches!(moment, Moment::Prompt { .. })
        || state.calls >= CALLS_BETWEEN_HINTS
        || state.has_said_any(Rule::Others)
    {
        return None;
    }
    let news: Vec<_> = known.others.iter().filter(|(name, _)| !state.has_used(name)).take(3).collect();
    let (about, told): (Vec<_>, Vec<_>) =
        news.iter().map(|(name, sessions)| (name.clone(), format!("the {name} ({sessions} sessions)"))).unzip();
    let text = format!(
        "Others who worked in this repository used {}. Where you have it and it fits the task, use it.",
        told.join(", ")
    );
    (!about.is_empty()).then_some(Nudge { rule: Rule::Others, way: Way::TellAgent, about, text })
}
