//! What of a story is told where there is more than its sources may be: some of each kind, then as much as there is room for.

use std::collections::{BTreeMap, HashSet};

use crate::story::{Cited, Cites, Kind, Place, Section, Sentence, Source, Sources};

/// A sentence that may be told.
#[derive(Debug)]
pub struct Prospect {
    pub kind: Kind,
    pub text: String,
    /// What it rests on: the first, and others.
    pub cited: (Cited, Vec<Cited>),
    /// The lower, the sooner it is told of its kind.
    pub rank: usize,
}

impl Prospect {
    fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.cited.0).chain(&self.cited.1).map(|cited| &cited.place)
    }
}

/// What is told.
pub struct Chosen {
    pub sections: Vec<Section>,
    pub sources: Vec<Source>,
    /// How many sentences of each kind there was no room for.
    pub left: BTreeMap<Kind, usize>,
}

/// Chooses of sentences, which come in the order in which their sources are counted, those that rest on at most so many
/// sources. `share` is how many of a kind come before any more of another.
pub fn choose(prospects: Vec<Prospect>, most: usize, share: impl Fn(Kind) -> usize) -> Chosen {
    let told = within(&prospects, most, share);
    let mut sources = Sources::up_to(most);
    let mut sections: BTreeMap<Kind, Vec<Sentence>> = BTreeMap::new();
    let mut left: BTreeMap<Kind, usize> = BTreeMap::new();
    for (at, Prospect { kind, text, cited: (first, more), .. }) in prospects.into_iter().enumerate() {
        let mut cite = |cited: Cited| sources.cite(cited);
        let first = told.contains(&at).then(|| cite(first)).flatten();
        match first {
            Some(first) => {
                let cites = more.into_iter().filter_map(cite).fold(Cites::one(first), Cites::and);
                sections.entry(kind).or_default().push(Sentence { text, cites });
            }
            None => *left.entry(kind).or_default() += 1,
        }
    }
    let sections = sections.into_iter().map(|(kind, sentences)| Section { kind, sentences });
    Chosen { sections: sections.collect(), sources: sources.finish(), left }
}

/// Which of them are told.
fn within(prospects: &[Prospect], most: usize, share: impl Fn(Kind) -> usize) -> HashSet<usize> {
    let mut order: Vec<usize> = (0..prospects.len()).collect();
    order.sort_by_key(|at| prospects[*at].rank);
    let (mut told, mut places, mut count) = (HashSet::new(), HashSet::new(), BTreeMap::new());
    for limited in [true, false] {
        for at in &order {
            let prospect = &prospects[*at];
            let count: &mut usize = count.entry(prospect.kind).or_default();
            let new = prospect.places().filter(|place| !places.contains(place)).count();
            if (limited && *count >= share(prospect.kind)) || told.contains(at) || places.len() + new > most {
                continue;
            }
            *count += 1;
            told.insert(*at);
            places.extend(prospect.places());
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::By;

    fn prospect(kind: Kind, commit: u8, rank: usize) -> Prospect {
        let place = Place::Commit { commit: format!("{commit:040x}").parse().unwrap() };
        let cited = Cited { place, by: By::default(), time: None, text: String::new() };
        Prospect { kind, text: format!("{commit}"), cited: (cited, Vec::new()), rank }
    }

    fn texts(chosen: &Chosen) -> Vec<&str> {
        chosen.sections.iter().flat_map(|section| &section.sentences).map(|told| told.text.as_str()).collect()
    }

    #[test]
    fn each_kind_has_its_share_and_what_is_left_is_counted() {
        let all = || {
            let needs = (0..9).map(|n| prospect(Kind::Need, n, usize::from(n)));
            needs.chain([prospect(Kind::Open, 20, 1), prospect(Kind::Open, 21, 0)]).collect::<Vec<_>>()
        };
        let chosen = choose(all(), 4, |_| 1);
        assert_eq!(texts(&chosen), ["0", "1", "20", "21"]);
        assert_eq!(chosen.left, BTreeMap::from([(Kind::Need, 7)]));
        let chosen = choose(all(), 20, |_| 1);
        assert_eq!((chosen.left.len(), chosen.sources.len()), (0, 11));
        assert_eq!(chosen.sections[1].sentences[0].text, "20", "they are told in their order");
    }

    #[test]
    fn a_source_takes_its_room_once() {
        let same = vec![prospect(Kind::Need, 1, 0), prospect(Kind::Plan, 1, 0), prospect(Kind::Open, 2, 0)];
        let chosen = choose(same, 1, |_| 9);
        assert_eq!((texts(&chosen), chosen.sources.len()), (vec!["1", "1"], 1));
    }
}
