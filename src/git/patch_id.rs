//! Patch ids: what a change does, whatever lines and commits it is applied on.
//!
//! The same numbers as `git patch-id --stable` prints for the same text (git's `builtin/patch-id.c` is the
//! specification), computed while the diff is read instead of by another process.

use gix::hash::{Hasher, Kind};

/// Sums the hashes of a diff's files.
pub struct PatchId {
    kind: Kind,
    context: bool,
    hasher: Hasher,
    sum: Vec<u8>,
    pending: bool,
    any: bool,
}

impl PatchId {
    /// With the lines around each change, or without them (as for a diff made with `-U0`).
    pub fn new(kind: Kind, context: bool) -> Self {
        let hasher = gix::hash::hasher(kind);
        PatchId { kind, context, hasher, sum: vec![0; kind.len_in_bytes()], pending: false, any: false }
    }

    /// Begins the next file of the diff.
    pub fn file(&mut self) {
        if self.pending {
            self.flush();
        }
    }

    /// Takes in a line of a file's header or hunks (not the `index` and `@@` lines).
    pub fn line(&mut self, line: &[u8]) {
        if !self.context && line.first() == Some(&b' ') {
            return;
        }
        // Git reads the line as a C string.
        let end = line.iter().position(|byte| *byte == 0).unwrap_or(line.len());
        let text: Vec<u8> = line[..end].iter().copied().filter(|byte| !is_space(*byte)).collect();
        self.hasher.update(&text);
        self.pending = true;
        self.any = true;
    }

    /// Takes in a binary file's change: the object ids before and after.
    pub fn binary(&mut self, before: &str, after: &str) {
        self.hasher.update(before.as_bytes());
        self.hasher.update(after.as_bytes());
        self.any = true;
        self.flush();
    }

    fn flush(&mut self) {
        let hasher = std::mem::replace(&mut self.hasher, gix::hash::hasher(self.kind));
        self.pending = false;
        // An object id that cannot be computed means a collision attack: such a file counts as nothing.
        let Ok(id) = hasher.try_finalize() else { return };
        let mut carry = 0;
        for (sum, byte) in self.sum.iter_mut().zip(id.as_bytes()) {
            carry += u16::from(*sum) + u16::from(*byte);
            *sum = carry as u8;
            carry >>= 8;
        }
    }

    /// The id in hex; `None` for a diff without any change.
    pub fn finish(mut self) -> Option<String> {
        if self.any {
            // As git does: a last flush even if the last file was binary and nothing is pending.
            self.flush();
        }
        self.any.then(|| hex::encode(self.sum))
    }
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 11 | 12)
}
