//! Chains as people name them: by the beginning of their name, or by the member who has only one.

use anyhow::{Context as _, bail};

use crate::host::output;
use crate::id::ChainId;
use crate::ledger::verify::{Chain, Report};

/// Fewer characters of a name name nothing, as with git's ids.
const SHORTEST: usize = 4;
/// More candidates than this are not listed.
const LISTED: usize = 8;

/// A chain that can be meant, and whose it is or claims to be.
pub type Candidate<'c> = (ChainId, Option<&'c str>);

/// The chain among these that is meant: by its name, at least four characters of its beginning that fit no other, or its member.
/// `kind` says in errors what sort of chain is looked for.
pub fn find<'c>(who: &str, kind: &str, candidates: impl IntoIterator<Item = Candidate<'c>>) -> anyhow::Result<ChainId> {
    let candidates: Vec<Candidate<'c>> = candidates.into_iter().collect();
    let begins = who.to_ascii_lowercase();
    let fits = |(chain, member): &&Candidate<'_>| {
        (who.len() >= SHORTEST && chain.to_string().starts_with(&begins)) || *member == Some(who)
    };
    let found: Vec<_> = candidates.iter().filter(fits).copied().collect();
    let shown = output::visible(who);
    match found.as_slice() {
        [(chain, _)] => Ok(*chain),
        [] if candidates.is_empty() => bail!("there is no {kind} here (git tracevault fetch)"),
        [] if who.len() < SHORTEST => {
            bail!(
                "{shown} is too short: {SHORTEST} characters of a chain's name or more. There are: {}",
                list(&candidates)
            )
        }
        [] => bail!("no {kind} fits {shown}. There are: {}", list(&candidates)),
        several => bail!("{shown} is not clear; name one by more of its characters: {}", list(several)),
    }
}

fn list(candidates: &[Candidate<'_>]) -> String {
    let whose = |member: Option<&str>| member.map_or(String::new(), |id| format!(" ({})", output::visible(id)));
    let mut shown: Vec<String> =
        candidates.iter().take(LISTED).map(|(chain, member)| format!("{chain}{}", whose(*member))).collect();
    if candidates.len() > LISTED {
        shown.push(format!("and {} more (git tracevault key list)", candidates.len() - LISTED));
    }
    shown.join(", ")
}

/// All writers' chains that are here.
pub fn candidates(report: &Report) -> impl Iterator<Item = Candidate<'_>> {
    report.chains.iter().map(|chain| (chain.id, chain.member.as_deref()))
}

/// The chain that is meant, of all that are here.
pub fn of_anybody<'r>(report: &'r Report, who: &str) -> anyhow::Result<&'r Chain> {
    get(report, find(who, "chain", candidates(report))?)
}

/// The pending chain that is meant.
pub fn pending<'r>(report: &'r Report, who: &str) -> anyhow::Result<&'r Chain> {
    let waiting = report.chains.iter().filter(|chain| chain.pending).map(|chain| (chain.id, chain.member.as_deref()));
    let error = match find(who, "pending chain", waiting) {
        Ok(chain) => return get(report, chain),
        Err(error) => error,
    };
    // Why one that is here does not wait says more than which others do.
    match find(who, "chain", candidates(report)).and_then(|chain| get(report, chain)) {
        Ok(chain) if chain.refused => bail!(
            "the key of chain {} was closed before anybody enrolled it, and cannot be enrolled any more; its writer takes a new one: \
             git tracevault init --new-key",
            chain.id.short()
        ),
        Ok(chain) if !chain.pending => bail!("chain {} is enrolled already", chain.id.short()),
        _ => Err(error),
    }
}

fn get(report: &Report, chain: ChainId) -> anyhow::Result<&Chain> {
    report.chains.iter().find(|here| here.id == chain).with_context(|| format!("chain {chain} is not here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(name: &str) -> ChainId {
        format!("{name:0<32}").parse().unwrap()
    }

    fn asked(who: &str) -> Result<String, String> {
        let chains = [("714e5", Some("ada")), ("714e6", Some("bob")), ("99aa", Some("bob")), ("beef", None)];
        let candidates: Vec<_> = chains.iter().map(|(name, member)| (chain(name), *member)).collect();
        find(who, "chain", candidates).map(|chain| chain.short()).map_err(|error| error.to_string())
    }

    #[test]
    fn four_characters_name_a_chain_that_no_other_begins_with_and_so_does_who_has_one() {
        assert_eq!(asked("99aa").as_deref(), Ok("99aa0000"));
        assert_eq!(asked("714e5").as_deref(), Ok("714e5000"));
        assert_eq!(asked("BEEF").as_deref(), Ok("beef0000"));
        assert_eq!(asked(&chain("714e6").to_string()).as_deref(), Ok("714e6000"));
        assert_eq!(asked("ada").as_deref(), Ok("714e5000"));
    }

    #[test]
    fn what_is_not_clear_or_unknown_is_told_with_those_that_there_are() {
        let told = asked("714e").unwrap_err();
        assert!(told.contains("714e50") && told.contains("714e60") && !told.contains("beef"), "{told}");
        assert!(asked("bob").unwrap_err().contains(&format!("{} (bob)", chain("99aa"))));
        let told = asked("1234").unwrap_err();
        assert!(told.contains("no chain fits 1234") && told.contains("(ada)") && told.contains("beef"), "{told}");
        let told = asked("99a").unwrap_err();
        assert!(told.contains("4 characters") && told.contains("99aa0"), "{told}");
        assert!(find("1234", "pending chain", []).unwrap_err().to_string().contains("no pending chain"));
        let many = (0..9).map(|n| (chain(&format!("0{n}")), None));
        assert!(find("1234", "chain", many).unwrap_err().to_string().contains("and 1 more"));
    }
}
