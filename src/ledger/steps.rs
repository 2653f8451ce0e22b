//! The commits of a chain that was walked. A ledger may have millions, so each takes no more bytes than its ids have.

use crate::digest::Digest;
use crate::id::{GitId, PackedId};

/// Commits of one repository: their ids are of one length.
#[derive(Default)]
pub struct Steps {
    /// Each commit's id, and its tree's behind it; zeros for the tree of one that cannot be read.
    ids: Vec<u8>,
    /// Of how many bytes an id is.
    width: usize,
    /// Of the header of each.
    digests: Vec<Digest>,
}

impl Steps {
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Adds a commit, with its tree and the digest of its header, so that no commit is read twice; `None` for one that cannot
    /// be read.
    pub fn push(&mut self, commit: &GitId, header: Option<(&GitId, Digest)>) {
        let commit = PackedId::from(commit);
        self.width = commit.as_bytes().len();
        self.ids.extend_from_slice(commit.as_bytes());
        match header {
            Some((tree, _)) => self.ids.extend_from_slice(PackedId::from(tree).as_bytes()),
            None => self.ids.resize(self.ids.len() + self.width, 0),
        }
        self.digests.push(header.map_or(Digest::ZERO, |(_, digest)| digest));
    }

    /// The other way round, in no more room than they need.
    pub fn reversed(&self) -> Steps {
        let mut ids = Vec::with_capacity(self.ids.len());
        self.ids.rchunks_exact(2 * self.width.max(1)).for_each(|step| ids.extend_from_slice(step));
        Steps { ids, width: self.width, digests: self.digests.iter().rev().copied().collect() }
    }

    fn bytes(&self, at: usize) -> Option<&[u8]> {
        self.ids.get(2 * at * self.width..2 * (at + 1) * self.width).filter(|step| !step.is_empty())
    }

    pub fn commit(&self, at: usize) -> Option<GitId> {
        (at < self.len()).then(|| self.at(at))
    }

    /// The commit at a place that there is.
    pub fn at(&self, at: usize) -> GitId {
        PackedId::of_bytes(&self.ids[2 * at * self.width..][..self.width]).unpacked()
    }

    /// The tree and the digest of the header.
    pub fn header(&self, at: usize) -> Option<(GitId, Digest)> {
        let tree = &self.bytes(at)?[self.width..];
        if tree.iter().all(|byte| *byte == 0) {
            return None;
        }
        Some((PackedId::of_bytes(tree).unpacked(), self.digests[at]))
    }

    pub fn commits(&self) -> impl Iterator<Item = GitId> {
        (0..self.len()).filter_map(|at| self.commit(at))
    }

    /// Where a commit is, the last place first.
    pub fn position(&self, commit: &GitId) -> Option<usize> {
        let commit = PackedId::from(commit);
        (0..self.len()).rev().find(|at| self.bytes(*at).is_some_and(|step| step[..self.width] == *commit.as_bytes()))
    }

    /// How many commits two lines have in common at their beginnings.
    pub fn common(&self, other: &Steps) -> usize {
        let same = |at: &usize| {
            let both = self.bytes(*at).zip(other.bytes(*at));
            both.is_some_and(|(a, b)| a[..self.width] == b[..other.width])
        };
        (0..self.len()).take_while(same).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_back_whichever_way_round() {
        for length in [40, 64] {
            let id = |n: usize| -> GitId { format!("{n:0length$x}").parse().unwrap() };
            let header = |n: usize| (n != 2).then(|| (id(100 + n), Digest::of(&[n as u8])));
            let mut steps = Steps::default();
            for n in 1..5 {
                let known = header(n);
                steps.push(&id(n), known.as_ref().map(|(tree, digest)| (tree, *digest)));
            }
            let back = steps.reversed();
            for (at, n) in (1..5).enumerate() {
                assert_eq!((steps.commit(at), steps.header(at)), (Some(id(n)), header(n)));
                assert_eq!((back.commit(3 - at), back.header(3 - at)), (Some(id(n)), header(n)));
                assert_eq!(steps.position(&id(n)), Some(at));
            }
            assert_eq!((steps.commit(4), steps.header(4), steps.position(&id(7))), (None, None, None));
            assert_eq!(steps.commits().collect::<Vec<_>>(), (1..5).map(id).collect::<Vec<_>>());
            let mut other = Steps::default();
            [1, 2, 9].iter().for_each(|n| other.push(&id(*n), None));
            assert_eq!((steps.common(&other), other.common(&steps), steps.common(&back)), (2, 2, 0));
        }
        assert!(Steps::default().reversed().is_empty());
    }
}
