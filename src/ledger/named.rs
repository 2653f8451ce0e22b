//! The commits that a chain's good records speak of. A ledger may have millions, so each takes no more bytes than its id has, and
//! those of its record's number.

use crate::id::PackedId;

/// Commits of one repository: their ids are of one length, but for what somebody made up.
#[derive(Debug, Default)]
pub struct Named {
    /// The ids of each length, 20 and 32 bytes, and behind each the number of the record in the chain.
    ids: [Vec<u8>; 2],
}

/// A number's bytes: a chain of more records than that has ids which fill no memory that there is.
type Number = u32;
const NUMBER: usize = size_of::<Number>();
const WIDTHS: [usize; 2] = [20, 32];

impl Named {
    /// The record with this number speaks of a commit.
    pub fn push(&mut self, commit: &PackedId, at: usize) {
        let id = commit.as_bytes();
        let number = Number::try_from(at).unwrap_or(Number::MAX);
        let ids = &mut self.ids[usize::from(id.len() == WIDTHS[1])];
        ids.extend_from_slice(id);
        ids.extend_from_slice(&number.to_le_bytes());
    }

    /// Each commit, and the number of the record that speaks of it.
    pub fn iter(&self) -> impl Iterator<Item = (PackedId, usize)> {
        self.ids.iter().zip(WIDTHS).flat_map(|(ids, width)| ids.chunks_exact(width + NUMBER).map(read))
    }

    /// What the record with this number says is not so.
    pub fn forget(&mut self, at: usize) {
        for (ids, width) in self.ids.iter_mut().zip(WIDTHS) {
            let kept: Vec<u8> =
                ids.chunks_exact(width + NUMBER).filter(|one| read(one).1 != at).flatten().copied().collect();
            *ids = kept;
        }
    }

    /// No more will come.
    pub fn finish(&mut self) {
        self.ids.iter_mut().for_each(Vec::shrink_to_fit);
    }
}

fn read(one: &[u8]) -> (PackedId, usize) {
    let (id, number) = one.split_at(one.len() - NUMBER);
    let number = number.try_into().map_or(Number::MAX, Number::from_le_bytes);
    (PackedId::of_bytes(id), number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::GitId;

    #[test]
    fn commits_come_back_with_their_records() {
        let id = |n: usize, length: usize| PackedId::from(&format!("{n:0length$x}").parse::<GitId>().unwrap());
        let mut named = Named::default();
        let all = [(id(1, 40), 7), (id(2, 40), 8), (id(1, 40), 9), (id(3, 64), 70_000)];
        all.iter().for_each(|(commit, at)| named.push(commit, *at));
        named.finish();
        assert_eq!(named.iter().collect::<Vec<_>>(), all);
        named.forget(8);
        named.forget(5);
        assert_eq!(named.iter().collect::<Vec<_>>(), [all[0], all[2], all[3]]);
        named.forget(70_000);
        assert_eq!(named.iter().count(), 2);
        assert_eq!(Named::default().iter().count(), 0);
    }
}
