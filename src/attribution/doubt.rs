//! How far labels hold where a file may not have gone on from the state they come from.
//!
//! `#!/bin/sh`, `import os` and `}` stand in many files, and a diff pairs them wherever they stand. They are an agent's
//! only in a file that is known to be the one it wrote.

use super::labels::{Labels, Origin};
use super::lines;

/// How many telling lines together are not written twice by chance.
pub const FIRM_RUN: usize = 3;

/// How doubtful it is that a file went on from a known state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It is known to have.
    None,
    /// Nothing happened in between but editing; yet the file may have been written anew.
    Little,
    /// It may be another file with its name.
    Much,
    /// It has another name, and only looks like the file.
    Guess,
}

impl Doubt {
    /// Whether all agents' lines hold where so many of those with words are still there as were in the state before.
    pub fn lets_all_hold(self, kept: usize, had: usize) -> bool {
        match self {
            Doubt::None => true,
            Doubt::Little => had == 0 || (kept > 0 && (had <= FIRM_RUN || kept * 4 >= had)),
            Doubt::Much => had > 0 && kept * 3 >= had * 2,
            Doubt::Guess => had > 0 && kept * 4 >= had * 3,
        }
    }
}

/// How many lines with words are agents', below those that any file may begin with.
pub fn words_of_agents(labels: &Labels, bytes: &[u8]) -> usize {
    let is_agents = |(line, origin): &(&[u8], Origin)| matches!(origin, Origin::Agent(_)) && lines::has_word(line);
    let head = lines::head(lines::split(bytes));
    lines::split(bytes).zip(labels.iter()).skip(head).filter(is_agents).count()
}

/// The agents' lines that stand in runs with at least so many telling ones, below those that any file may begin with; the
/// others are nobody's.
pub fn in_company(labels: impl Iterator<Item = Origin>, bytes: &[u8], telling: usize) -> Labels {
    let labels: Vec<Origin> = labels.collect();
    let lines: Vec<&[u8]> = lines::split(bytes).collect();
    let head = lines::head(lines.iter().copied());
    let is_agents = |at: &usize| matches!(labels.get(*at), Some(Origin::Agent(_)));
    let mut held = Labels::default();
    let mut at = 0;
    while at < labels.len() {
        let run = (at..).take_while(is_agents).count();
        let told =
            (at.max(head)..at + run).filter(|at| lines.get(*at).is_some_and(|line| lines::is_telling(line))).count();
        for origin in &labels[at..at + run] {
            held.push(if told >= telling { *origin } else { Origin::Unattributed });
        }
        at += run;
        if let Some(origin) = labels.get(at) {
            held.push(*origin);
            at += 1;
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::super::labels::AuthorId;
    use super::*;

    fn labels(letters: &str) -> Labels {
        let origin = |letter| match letter {
            'A' => Origin::Agent(AuthorId(0)),
            'H' => Origin::Human,
            _ => Origin::Unattributed,
        };
        letters.chars().map(origin).collect()
    }

    fn letters(labels: &Labels) -> String {
        let letter = |origin| match origin {
            Origin::Agent(_) => 'A',
            Origin::Human => 'H',
            Origin::Unattributed => '-',
        };
        labels.iter().map(letter).collect()
    }

    const FILE: &[u8] = b"the_begin\nit goes on\n}\nfirst_call\nsecond_call\n\nthird_call\n";

    #[test]
    fn what_any_file_begins_with_is_no_company() {
        let file = b"# Copyright\n# Licence\nimport os\nimport sys\n\nfirst_call\nsecond_call\nthird_call\n";
        for (of, held, words) in [
            ("AAAAA---", "--------", 0),
            ("AAAAAAA-", "--------", 2),
            ("AAAAAAAA", "AAAAAAAA", 3),
            ("AAAA-AAA", "-----AAA", 3),
        ] {
            assert_eq!(letters(&in_company(labels(of).iter(), file, 3)), held, "{of}");
            assert_eq!(words_of_agents(&labels(of), file), words, "{of}");
        }
    }

    #[test]
    fn lines_hold_in_company() {
        for (of, telling, held) in [
            ("AAAHHHH", 3, "---HHHH"),
            ("AAAHHHH", 2, "AAAHHHH"),
            ("HHHAAAA", 3, "HHHAAAA"),
            ("HHHAA-A", 3, "HHH----"),
            ("AAAAAAA", 3, "AAAAAAA"),
            ("", 3, ""),
        ] {
            assert_eq!(letters(&in_company(labels(of).iter(), FILE, telling)), held, "{of}");
        }
    }

    #[test]
    fn a_file_that_kept_what_agents_wrote_is_the_same_one() {
        for (doubt, of, had, held) in [
            (Doubt::None, "--A----", 9, "--A----"),
            (Doubt::Little, "AA--H-A", 3, "AA--H-A"),
            (Doubt::Little, "A------", 4, "A------"),
            (Doubt::Little, "AAA----", 40, "-------"),
            (Doubt::Little, "HHHAAAA", 40, "HHHAAAA"),
            (Doubt::Much, "AAA----", 4, "-------"),
            (Doubt::Much, "AAAA---", 4, "AAAA---"),
            (Doubt::Much, "A------", 1, "A------"),
            (Doubt::Much, "AA-----", 3, "AA-----"),
            (Doubt::Guess, "AA-----", 3, "-------"),
            (Doubt::Guess, "AA-----", 2, "AA-----"),
            // A brace is no sign of having been there before.
            (Doubt::Much, "--A----", 0, "-------"),
            (Doubt::Little, "--A----", 1, "-------"),
            (Doubt::Little, "--A----", 0, "--A----"),
        ] {
            let all = labels(of);
            let holds = match doubt.lets_all_hold(words_of_agents(&all, FILE), had) {
                true => all,
                false => in_company(all.iter(), FILE, FIRM_RUN),
            };
            assert_eq!(letters(&holds), held, "{doubt:?} {of} {had}");
        }
    }
}
