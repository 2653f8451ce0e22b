//! Making bodies fit into a record: the longest lists are cut, and say by how much; the payload has them whole.

use crate::record::body::{Commit, Cut, Session};
use crate::record::canonical::MAX_BYTES;

/// What the envelope takes at the most.
const ENVELOPE: usize = 1024;

/// A list that can be cut: its name, its length, how to cut it to a length.
struct List<T> {
    name: &'static str,
    len: fn(&T) -> usize,
    cut: fn(&mut T, usize),
}

macro_rules! list {
    ($body:ty, $field:ident) => {
        List::<$body> {
            name: stringify!($field),
            len: |body| body.$field.len(),
            cut: |body, length| body.$field.truncate(length),
        }
    };
}

/// A session's body that fits. What it counts is never cut, only lists of names.
pub fn session(mut body: Session) -> Session {
    let lists = [
        list!(Session, files),
        list!(Session, programs),
        list!(Session, tools),
        list!(Session, skills),
        list!(Session, mcp_servers),
        list!(Session, redactions),
    ];
    let mut cuts = fit(&mut body, &lists);
    // What was used is cut last of all: only a transcript that names hundreds of models comes to this.
    cuts.extend(fit(&mut body, &[list!(Session, models)]));
    for (name, count) in cuts {
        match body.cut.iter_mut().find(|cut| cut.list == name) {
            Some(cut) => cut.count += count,
            None => body.cut.push(Cut { list: name.to_owned(), count }),
        }
    }
    body
}

/// A commit's body that fits.
pub fn commit(mut body: Commit) -> Commit {
    let cuts = fit(&mut body, &[list!(Commit, files), list!(Commit, sessions)]);
    body.cut.extend(cuts.into_iter().map(|(name, count)| Cut { list: name.to_owned(), count }));
    body
}

/// Halves the longest list until all fits; by how much each list was cut.
fn fit<T: serde::Serialize>(body: &mut T, lists: &[List<T>]) -> Vec<(&'static str, u64)> {
    let before: Vec<usize> = lists.iter().map(|list| (list.len)(body)).collect();
    let fits = |body: &T| serde_json::to_vec(body).is_ok_and(|bytes| bytes.len() + ENVELOPE <= MAX_BYTES);
    while !fits(body) {
        let Some(list) = lists.iter().filter(|list| (list.len)(body) > 0).max_by_key(|list| (list.len)(body)) else {
            break;
        };
        let length = (list.len)(body) / 2;
        (list.cut)(body, length);
    }
    let lengths = lists.iter().zip(before);
    lengths.map(|(list, was)| (list.name, (was - (list.len)(body)) as u64)).filter(|(_, count)| *count > 0).collect()
}
