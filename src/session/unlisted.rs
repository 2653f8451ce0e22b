//! Tokens of requests that a transcript lists nowhere, such as the one that compacts a conversation.
//!
//! Some agents write now and then what a session has used so far, with everything. The difference to what the
//! messages list is what was never listed. Records are append-only, so a difference is only claimed when it can no
//! longer be a message that is still to be read: after a later prompt, or when the session has ended. Should such a
//! message turn up all the same, it is taken from what was claimed and not counted again.
//!
//! Nobody knows how long the prompts of unlisted requests were: a claim is counted in the size class of its requests'
//! average prompt. A message that turns up after it was claimed does not move what was claimed to its own class.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::body::PromptClass;
use crate::session::entry::Tokens;

/// How many totals are remembered until they are settled.
const MAX_TOTALS: usize = 32;

/// Tokens by model.
type ByModel = BTreeMap<String, Tokens>;

/// What was listed, what was claimed beyond it, and the totals not yet settled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlisted {
    /// All messages in the session's files, also those copied from another session: totals include them.
    listed: ByModel,
    /// Whether there were copies.
    copies: bool,
    /// What totals held beyond the messages when the session began as a copy: the other session's to claim.
    inherited: Option<Tokens>,
    claimed: BTreeMap<String, Claim>,
    /// The totals that were claimed last were written before this moment; unknown until the main thread goes on.
    claimed_until: Option<i64>,
    totals: Vec<Totals>,
    /// Compactions seen, and those among them whose request is accounted for.
    compactions: u64,
    accounted: u64,
}

/// Tokens and requests of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub tokens: Tokens,
    pub requests: u64,
}

impl Claim {
    /// The size class of its requests' prompts, on average.
    pub fn class(&self) -> PromptClass {
        PromptClass::of(self.tokens.sent().div_ceil(self.requests.max(1)))
    }
}

/// What the agent said the session had used at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Totals {
    used: ByModel,
    /// What was listed at that moment, as far as is known: with late messages of before it.
    listed: ByModel,
    /// When the main thread went on: the moment was before.
    until: Option<i64>,
    /// Whether a prompt followed.
    followed: bool,
    compactions: u64,
}

impl Unlisted {
    /// A message lists `tokens` more than before; `new` if it is the first of it. Returns what is to be counted.
    pub fn message(&mut self, model: &str, tokens: Tokens, new: bool, at: Option<i64>) -> Claim {
        self.list(model, tokens, at);
        let late = at.is_some_and(|at| self.claimed_until.is_none_or(|until| at < until));
        let claimed = self.claimed.iter_mut().find(|(name, _)| late && same_model(name, model));
        let Some((_, claim)) = claimed else { return Claim { tokens, requests: u64::from(new) } };
        let counted = tokens.minus(claim.tokens);
        let requests = u64::from(new && claim.requests == 0);
        claim.tokens = claim.tokens.minus(tokens);
        claim.requests = claim.requests.saturating_sub(u64::from(new));
        Claim { tokens: counted, requests }
    }

    /// A message that another session counts.
    pub fn copy(&mut self, model: &str, tokens: Tokens, at: Option<i64>) {
        self.copies = true;
        self.list(model, tokens, at);
    }

    fn list(&mut self, model: &str, tokens: Tokens, at: Option<i64>) {
        let open = self.totals.iter_mut().filter(|totals| match (totals.until, at) {
            (Some(until), Some(at)) => at <= until,
            _ => true,
        });
        for listed in open.map(|totals| &mut totals.listed).chain([&mut self.listed]) {
            let sum = listed.entry(model.to_owned()).or_default();
            *sum = sum.plus(tokens);
        }
    }

    /// The main thread wrote a line at this moment.
    pub fn went_on(&mut self, at: i64) {
        for totals in &mut self.totals {
            totals.until.get_or_insert(at);
        }
        self.claimed_until.get_or_insert(at);
    }

    /// A prompt came: whatever was under way before has been written.
    pub fn prompted(&mut self) {
        for totals in &mut self.totals {
            totals.followed = true;
        }
    }

    /// The conversation was compacted, which takes a request.
    pub fn compacted(&mut self) {
        self.compactions += 1;
    }

    /// The agent said what the session has used so far.
    pub fn total(&mut self, used: &ByModel) {
        if self.totals.len() == MAX_TOTALS {
            self.totals.remove(0);
        }
        self.totals.push(Totals {
            used: used.clone(),
            listed: self.listed.clone(),
            until: None,
            followed: false,
            compactions: self.compactions,
        });
    }

    /// What can be claimed now, by model. To be called when all files were read to their end.
    pub fn settle(&mut self, ended: bool) -> Vec<(String, Claim)> {
        let ready = self.totals.iter().take_while(|totals| ended || totals.followed).count();
        let totals: Vec<Totals> = self.totals.drain(..ready).collect();
        totals.into_iter().flat_map(|totals| self.claim(totals)).collect()
    }

    /// How many compactions' requests nothing accounts for, when the session has ended. They are told once.
    pub fn unaccounted(&mut self) -> u64 {
        let count = self.compactions - self.accounted;
        self.accounted = self.compactions;
        count
    }

    fn claim(&mut self, totals: Totals) -> Vec<(String, Claim)> {
        let sum = |tokens: &mut dyn Iterator<Item = Tokens>| tokens.fold(Tokens::default(), Tokens::plus);
        let used = sum(&mut totals.used.values().copied());
        let known = sum(&mut totals.listed.values().copied().chain(self.claimed.values().map(|claim| claim.tokens)));
        let known = known.plus(self.inherited.unwrap_or_default());
        // Totals that lack what is listed are no totals of this session.
        if !used.covers(known) {
            return Vec::new();
        }
        let mut rest = used.minus(known);
        if self.copies && self.inherited.is_none() {
            self.inherited = Some(rest);
            return Vec::new();
        }
        let mut claims: Vec<(String, Claim)> = Vec::new();
        for (model, used) in &totals.used {
            let listed = totals.listed.iter().filter(|(name, _)| same_model(name, model)).map(|(_, tokens)| *tokens);
            let claimed =
                self.claimed.iter().filter(|(name, _)| same_model(name, model)).map(|(_, claim)| claim.tokens);
            // Names may differ between totals and messages, so the sum over all models is the bound.
            let tokens = used.minus(sum(&mut listed.chain(claimed))).min(rest);
            rest = rest.minus(tokens);
            if !tokens.is_zero() {
                claims.push((model.clone(), Claim { tokens, requests: u64::from(tokens.sent() > 0) }));
            }
        }
        // The largest is the conversation that was compacted.
        let compactions = totals.compactions.saturating_sub(self.accounted);
        if let Some((_, largest)) = claims.iter_mut().max_by_key(|(_, claim)| claim.tokens.sent()) {
            largest.requests = largest.requests.max(compactions);
        }
        self.accounted = self.accounted.max(totals.compactions);
        for (model, claim) in &claims {
            let all = self.claimed.entry(model.clone()).or_default();
            *all = Claim { tokens: all.tokens.plus(claim.tokens), requests: all.requests + claim.requests };
            self.claimed_until = totals.until;
        }
        claims
    }
}

/// Whether two names mean one model: a name may end in the date of the model's release, `-20251001`.
fn same_model(a: &str, b: &str) -> bool {
    fn undated(name: &str) -> &str {
        match name.rsplit_once('-') {
            Some((name, date)) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => name,
        }
    }
    undated(a) == undated(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(input: u64) -> Tokens {
        Tokens { input, ..Tokens::default() }
    }

    fn total(unlisted: &mut Unlisted, used: &[(&str, u64)]) {
        unlisted.total(&used.iter().map(|(model, n)| ((*model).to_owned(), input(*n))).collect());
    }

    fn claims(unlisted: &mut Unlisted, ended: bool) -> Vec<(String, u64, u64)> {
        let claims = unlisted.settle(ended).into_iter();
        claims.map(|(model, claim)| (model, claim.tokens.input, claim.requests)).collect()
    }

    #[test]
    fn nothing_is_claimed_while_it_may_still_be_listed() {
        let mut u = Unlisted::default();
        u.message("m", input(10), true, Some(1));
        u.compacted();
        total(&mut u, &[("m", 30)]);
        assert_eq!(claims(&mut u, false), []);
        // A subagent's message that was read late.
        assert_eq!(u.message("m", input(5), true, Some(2)), Claim { tokens: input(5), requests: 1 });
        u.went_on(100);
        u.prompted();
        u.message("m", input(1000), true, Some(101));
        assert_eq!(claims(&mut u, false), [("m".to_owned(), 15, 1)]);
        assert_eq!(claims(&mut u, true), []);
        assert_eq!(u.unaccounted(), 0);
    }

    #[test]
    fn what_turns_up_after_all_is_not_counted_twice() {
        let mut u = Unlisted::default();
        u.message("m-20260101", input(10), true, Some(1));
        total(&mut u, &[("m", 17)]);
        assert_eq!(claims(&mut u, true), [("m".to_owned(), 7, 1)]);
        assert_eq!(u.message("m-20260101", input(4), true, Some(2)), Claim::default());
        u.went_on(100);
        assert_eq!(u.message("m-20260101", input(4), true, Some(3)), Claim { tokens: input(1), requests: 1 });
        assert_eq!(u.message("m-20260101", input(3), true, Some(100)), Claim { tokens: input(3), requests: 1 });
        total(&mut u, &[("m", 21)]);
        assert_eq!(claims(&mut u, true), []);
    }

    #[test]
    fn totals_are_cumulative() {
        let mut u = Unlisted::default();
        u.compacted();
        total(&mut u, &[("m", 10), ("small", 2)]);
        assert_eq!(claims(&mut u, true), [("m".to_owned(), 10, 1), ("small".to_owned(), 2, 1)]);
        u.compacted();
        u.compacted();
        total(&mut u, &[("m", 40), ("small", 2)]);
        assert_eq!(claims(&mut u, true), [("m".to_owned(), 30, 2)]);
        u.message("m", input(5), true, None);
        total(&mut u, &[("m", 45), ("small", 2)]);
        assert_eq!(claims(&mut u, true), []);
        // Totals that begin anew are not believed.
        u.compacted();
        total(&mut u, &[("m", 9)]);
        assert_eq!(claims(&mut u, true), []);
        assert_eq!((u.unaccounted(), u.unaccounted()), (1, 0));
    }

    #[test]
    fn tokens_without_a_prompt_are_no_request() {
        let mut u = Unlisted::default();
        u.message("m", input(5), true, None);
        let used = Tokens { output: 9, ..input(5) };
        u.total(&[("m".to_owned(), used)].into());
        let claim = u.settle(true).pop().unwrap().1;
        assert_eq!((claim.tokens.output, claim.requests), (9, 0));
    }

    #[test]
    fn a_fork_claims_nothing_of_the_session_it_is_a_copy_of() {
        let mut u = Unlisted::default();
        u.copy("m", input(10), Some(1));
        u.message("m", input(5), true, Some(2));
        // 7 of these were the other session's compaction.
        total(&mut u, &[("m", 22)]);
        assert_eq!(claims(&mut u, true), []);
        u.compacted();
        total(&mut u, &[("m", 30)]);
        assert_eq!(claims(&mut u, true), [("m".to_owned(), 8, 1)]);
    }

    #[test]
    fn names_that_differ_do_not_make_tokens() {
        let mut u = Unlisted::default();
        u.message("provider/m", input(100), true, None);
        total(&mut u, &[("m", 103)]);
        assert_eq!(claims(&mut u, true), [("m".to_owned(), 3, 1)]);
    }
}
