//! Successions: the chains that one writer wrote with one key after the other, in their order.

use std::collections::{HashMap, HashSet};

use crate::id::ChainId;
use crate::ledger::verify::{Chain, Report};
use crate::record::body::{Body, Close};

/// All chains that were read, each behind the one that it goes on from.
pub fn successions(report: &Report) -> Vec<Vec<&Chain>> {
    let next: HashMap<ChainId, &Chain> =
        report.chains.iter().filter_map(|chain| Some((chain.id, successor(report, chain)?))).collect();
    let later: HashSet<ChainId> = next.values().map(|chain| chain.id).collect();
    let (first, rest): (Vec<&Chain>, Vec<&Chain>) = report.chains.iter().partition(|chain| !later.contains(&chain.id));
    let mut taken = HashSet::new();
    let mut successions = Vec::new();
    // Chains that name each other in a circle have no first; they are not left out for it.
    for chain in first.into_iter().chain(rest) {
        let mut line = Vec::new();
        let mut at = Some(chain);
        while let Some(chain) = at.filter(|chain| taken.insert(chain.id)) {
            line.push(chain);
            at = next.get(&chain.id).copied();
        }
        if !line.is_empty() {
            successions.push(line);
        }
    }
    successions
}

/// The chain that goes on from a closed one: of the key that it names, if the same member has it. Anybody can name anybody's.
fn successor<'r>(report: &'r Report, chain: &Chain) -> Option<&'r Chain> {
    let key = chain.entries.iter().filter(|entry| entry.good).find_map(|entry| match &entry.body {
        Body::Close(Close { successor }) => *successor,
        _ => None,
    })?;
    let next = report.chains.iter().find(|next| next.id == key.chain() && next.id != chain.id)?;
    let member = |chain: ChainId| report.history.member(chain).map(|member| &member.id);
    let same = member(chain.id).is_some() && member(chain.id) == member(next.id);
    same.then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::{Fixture, Key, member};
    use crate::record::body::Role;

    /// Who goes on from whom, by the first byte of the keys, where three writers closed their chains naming these.
    fn told(named: [(u8, u8); 3]) -> Vec<Vec<u8>> {
        let fixture = Fixture::with_genesis(1, |people| vec![member("o", "O", &[Role::Owner], &[&people.owner])]);
        let keys = [21, 22, 23, 24].map(Key::new);
        let [one, two, three, other] = &keys;
        let mine = member("m", "M", &[Role::Developer], &[one, two, three]);
        let theirs = member("n", "N", &[Role::Developer], &[other]);
        fixture.roster(&[&fixture.people.owner], vec![mine, theirs]);
        let key = |n: u8| keys.iter().find(|key| key.chain() == Key::new(n).chain()).unwrap();
        for key in &keys {
            fixture.open(key, "m");
        }
        for (from, to) in named.into_iter().filter(|(from, _)| *from > 0) {
            let body = Body::Close(Close { successor: Some(key(to).public()) });
            fixture.append(key(from).chain(), &[key(from)], body, None);
        }
        let report = fixture.ledger.read_all().unwrap();
        let number = |chain: &&Chain| [21, 22, 23, 24].into_iter().find(|n| Key::new(*n).chain() == chain.id).unwrap();
        let mut told: Vec<Vec<u8>> =
            successions(&report).iter().map(|line| line.iter().map(number).collect()).collect();
        told.sort();
        told
    }

    #[test]
    fn a_chain_goes_on_from_the_one_that_names_its_key_if_they_are_the_same_members() {
        assert_eq!(told([(21, 22), (22, 23), (0, 0)]), [vec![21, 22, 23], vec![24]]);
        assert_eq!(told([(21, 24), (0, 0), (0, 0)]), [vec![21], vec![22], vec![23], vec![24]], "another's key");
        let both = told([(21, 23), (22, 23), (0, 0)]);
        assert!(both.contains(&vec![24]) && both.iter().map(Vec::len).sum::<usize>() == 4, "{both:?}");
        let circle = told([(21, 22), (22, 21), (0, 0)]);
        assert_eq!(circle.iter().map(Vec::len).sum::<usize>(), 4, "{circle:?}");
    }
}
