//! Merkle trees over records and payloads, as RFC 6962 section 2.1 (Certificate Transparency) hashes them with SHA-256.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The tree over leaves that come one after the other: it keeps the roots of the full subtrees only, one a bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    size: u64,
    /// The largest full subtree first.
    roots: Vec<Digest>,
}

impl Tree {
    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf behind the others.
    pub fn push(&mut self, leaf: &[u8]) {
        self.roots.push(leaf_hash(leaf));
        self.size += 1;
        for _ in 0..self.size.trailing_zeros() {
            let (right, left) = (self.roots.pop(), self.roots.pop());
            self.roots.extend(left.zip(right).map(|(left, right)| node(&left, &right)));
        }
    }

    /// The root; that of no leaves is the hash of nothing.
    pub fn root(&self) -> Digest {
        let joined = self.roots.iter().rev().copied().reduce(|right, left| node(&left, &right));
        joined.unwrap_or_else(|| Digest::of(b""))
    }
}

impl<'a> Extend<&'a [u8]> for Tree {
    fn extend<T: IntoIterator<Item = &'a [u8]>>(&mut self, leaves: T) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], leaf])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root over leaves whose hashes are these.
pub fn root_over(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => Digest::of(b""),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(split(hashes.len()));
            node(&root_over(left), &root_over(right))
        }
    }
}

/// How many of so many leaves (more than one) are in the left subtree: the largest power of two below.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// The inclusion proof (RFC 6962, 2.1.1) of the leaf with this number, among leaves whose hashes are these: from its sibling
/// up to the root's child.
pub fn inclusion(hashes: &[Digest], index: usize) -> Vec<Digest> {
    path(0..hashes.len(), index, &|range| Some(root_over(&hashes[range]))).unwrap_or_default()
}

/// The same among the leaves of a range, by who knows the roots of ranges; `None` where one is not known.
fn path(range: Range<usize>, index: usize, root: &dyn Fn(Range<usize>) -> Option<Digest>) -> Option<Vec<Digest>> {
    let (mut range, mut path) = (range, Vec::new());
    while range.len() > 1 {
        let at = range.start + split(range.len());
        let (left, right) = (range.start..at, at..range.end);
        let (around, beside) = if index < at { (left, right) } else { (right, left) };
        path.push(root(beside)?);
        range = around;
    }
    path.reverse();
    Some(path)
}

/// So many leaves are a block. It is a full subtree, so that any proof is made from the roots of blocks and the leaves of two
/// of them.
pub const BLOCK: usize = 256;

/// A large tree of which the roots of full blocks are kept, and the hashes of leaves where they are needed.
#[derive(Debug, Default)]
pub struct Blocks {
    /// How many leaves the tree has.
    pub size: usize,
    /// The roots of its full blocks, in their order.
    pub roots: Vec<Digest>,
    /// The leaves of blocks, by the number of the block.
    pub leaves: BTreeMap<usize, Vec<Digest>>,
}

impl Blocks {
    /// The numbers of the blocks whose leaves the proof of a leaf needs, in a tree of so many leaves.
    pub fn needed(size: usize, index: usize) -> BTreeSet<usize> {
        let unfinished = Some(size / BLOCK).filter(|_| !size.is_multiple_of(BLOCK));
        [index / BLOCK].into_iter().chain(unfinished).collect()
    }

    /// The inclusion proof of a leaf, as [`inclusion`] makes it; `None` where what it needs is not here.
    pub fn inclusion(&self, index: usize) -> Option<Vec<Digest>> {
        (index < self.size).then(|| path(0..self.size, index, &|range| self.root_of(range)))?
    }

    /// The root over a range of leaves that is a subtree.
    fn root_of(&self, range: Range<usize>) -> Option<Digest> {
        let Range { start, end } = range;
        if start.is_multiple_of(BLOCK) && end.is_multiple_of(BLOCK) {
            return self.roots.get(start / BLOCK..end / BLOCK).map(root_over);
        }
        let block = start / BLOCK;
        if end <= (block + 1) * BLOCK {
            let leaves = self.leaves.get(&block)?;
            return leaves.get(start - block * BLOCK..end - block * BLOCK).map(root_over);
        }
        let at = start + split(range.len());
        Some(node(&self.root_of(start..at)?, &self.root_of(at..end)?))
    }
}

/// Whether the tree of so many leaves with this root has that leaf under that number, by an inclusion proof.
pub fn includes(root: &Digest, size: u64, index: u64, leaf: &[u8], path: &[Digest]) -> bool {
    // RFC 9162, 2.1.3.2: the same proofs, with their verification spelled out.
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf_hash(leaf));
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaves and roots of the Certificate Transparency project's own tests (`merkle_tree_test`), which RFC 6962
    /// implementations share.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let mut tree = Tree::default();
        for (size, root) in ROOTS.iter().enumerate() {
            assert_eq!((tree.size(), tree.root().to_string()), (size as u64, (*root).to_owned()));
            if let Some(leaf) = LEAVES.get(size) {
                tree.push(&hex::decode(leaf).unwrap());
            }
        }
    }

    fn hashes(size: usize) -> Vec<Digest> {
        LEAVES[..size].iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect()
    }

    #[test]
    fn inclusion_proofs_are_those_of_certificate_transparency() {
        for (index, size, path) in [
            (0, 1, &[][..]),
            (
                0,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                8,
                &[
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
            (
                1,
                5,
                &[
                    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ] {
            let made: Vec<String> = inclusion(&hashes(size), index).iter().map(Digest::to_string).collect();
            assert_eq!(made, path, "{index} of {size}");
        }
    }

    #[test]
    fn roots_of_blocks_make_the_same_proofs_as_all_leaves() {
        let all: Vec<Digest> = (0..5 * BLOCK + 9).map(|n| leaf_hash(&n.to_le_bytes())).collect();
        for size in [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK, 3 * BLOCK + 7, 5 * BLOCK + 9] {
            let hashes = &all[..size];
            let roots: Vec<Digest> = hashes.chunks_exact(BLOCK).map(root_over).collect();
            for index in (0..size).step_by(37).chain([size - 1]) {
                let block = |number: usize| (number, hashes.chunks(BLOCK).nth(number).unwrap().to_vec());
                let leaves: BTreeMap<usize, Vec<Digest>> = Blocks::needed(size, index).into_iter().map(block).collect();
                assert!(leaves.len() <= 2);
                let blocks = Blocks { size, roots: roots.clone(), leaves };
                assert_eq!(blocks.inclusion(index).unwrap(), inclusion(hashes, index), "{index} of {size}");
                assert_eq!(blocks.inclusion(size), None);
            }
        }
        let bare = Blocks { size: BLOCK + 1, roots: vec![all[0]], ..Blocks::default() };
        assert_eq!(bare.inclusion(0), None);
    }

    proptest::proptest! {
        #[test]
        fn an_inclusion_proof_holds_for_its_leaf_and_no_other(size in 1usize..70, index in 0usize..70, other in 0u64..80) {
            let index = index % size;
            let leaves: Vec<Vec<u8>> = (0..size).map(|n| n.to_le_bytes().to_vec()).collect();
            let mut tree = Tree::default();
            leaves.iter().for_each(|leaf| tree.push(leaf));
            let hashes: Vec<Digest> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
            let (root, path) = (tree.root(), inclusion(&hashes, index));
            proptest::prop_assert_eq!(root, root_over(&hashes));
            let holds = |size: u64, at: u64, leaf: &[u8], path: &[Digest]| includes(&root, size, at, leaf, path);
            let (size, at) = (size as u64, index as u64);
            proptest::prop_assert!(holds(size, at, &leaves[index], &path));
            proptest::prop_assert!(other == at || !holds(size, other, &leaves[index], &path));
            proptest::prop_assert!(!holds(size, at, b"another", &path));
            proptest::prop_assert!(!holds(size, at, &leaves[index], &[&path[..], &[root]].concat()));
            proptest::prop_assert!(path.is_empty() || !holds(size, at, &leaves[index], &path[1..]));
            proptest::prop_assert!(!holds(0, at, &leaves[index], &path));
        }
    }
}
