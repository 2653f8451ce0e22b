//! Making bodies fit into a record: the longest lists are cut, and say by how much; the payload has them whole.

use crate::record::body::{Audit, Check, Commit, Cut, Session};
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

/// A check's body that fits.
pub fn check(mut body: Check) -> Check {
    let cuts = fit(&mut body, &[list!(Check, findings)]);
    body.cut.extend(cuts.into_iter().map(|(name, count)| Cut { list: name.to_owned(), count }));
    body
}

/// An audit's body that fits.
pub fn audit(mut body: Audit) -> Audit {
    let cuts = fit(&mut body, &[list!(Audit, heads)]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::body::{ModelUsage, Program};

    fn body() -> Session {
        let json = serde_json::json!({
            "session": "s", "segment": 0, "agent": {"name": "a", "version": ""},
            "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:00Z",
            "active_seconds": 0, "prompts": 0, "turns": 0, "plans": 0, "compactions": 0, "subagents": 0,
            "models": [], "tools": [], "mcp_servers": [], "skills": [], "programs": [], "files": [],
            "redactions": [], "gaps": [], "payloads": []
        });
        serde_json::from_value(json).unwrap()
    }

    fn programs(count: usize) -> Vec<Program> {
        (0..count).map(|n| Program { name: format!("program-{n}-{}", "x".repeat(100)), runs: 1 }).collect()
    }

    #[test]
    fn what_fits_is_left_alone_and_what_is_cut_is_counted() {
        let small = Session { programs: programs(10), ..body() };
        assert_eq!(session(small.clone()), small);
        let large = session(Session { programs: programs(4096), ..body() });
        let cut = Cut { list: "programs".into(), count: 4096 - large.programs.len() as u64 };
        assert_eq!(large.cut, [cut]);
        assert!(serde_json::to_vec(&large).unwrap().len() <= MAX_BYTES - ENVELOPE);
    }

    #[test]
    fn models_are_cut_last_and_a_record_always_fits() {
        let models = (0..4096).map(|n| ModelUsage { model: format!("model-{n}"), ..ModelUsage::default() }).collect();
        let large = session(Session { models, programs: programs(20), ..body() });
        assert!(serde_json::to_vec(&large).unwrap().len() <= MAX_BYTES - ENVELOPE);
        assert!(large.cut.iter().any(|cut| cut.list == "models"));
    }
}
