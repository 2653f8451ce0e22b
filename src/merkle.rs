//! Merkle trees over records and payloads, as RFC 6962 section 2.1 (Certificate Transparency) hashes them with SHA-256.

use crate::digest::Digest;

/// The tree over leaves that come one after the other: it keeps the roots of the full subtrees only, one a bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
        self.roots.push(Digest::of_parts(&[&[0], leaf]));
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

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
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
}
