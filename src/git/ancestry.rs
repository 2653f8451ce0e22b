//! Which commits come before which, however many are asked about: each is read once, and no process is started.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use crate::git::history;
use crate::git::repo::Repo;
use crate::id::GitId;

/// How many commits to look at, at most, for one answer.
const MAX_COMMITS: usize = 100_000;

/// The commits of a repository and their parents, as far as somebody has asked.
pub struct Ancestry<'r> {
    repo: &'r Repo,
    numbers: HashMap<GitId, u32>,
    ids: Vec<GitId>,
    /// `None` for those that were not read yet.
    parents: Vec<Option<Rc<[u32]>>>,
    /// The question for which each was looked at last.
    seen: Vec<u32>,
    question: u32,
}

impl<'r> Ancestry<'r> {
    pub fn new(repo: &'r Repo) -> Self {
        Ancestry { repo, numbers: HashMap::new(), ids: Vec::new(), parents: Vec::new(), seen: Vec::new(), question: 0 }
    }

    /// Whether `old` is `new` or one of its ancestors, as far as these are here.
    pub fn is_ancestor(&mut self, old: &GitId, new: &GitId) -> bool {
        self.question += 1;
        let (old, new) = (self.number(old), self.number(new));
        let mut open = VecDeque::from([new]);
        let mut left = MAX_COMMITS;
        while let Some(at) = open.pop_front() {
            if at == old {
                return true;
            }
            if left > 0 && std::mem::replace(&mut self.seen[at as usize], self.question) != self.question {
                left -= 1;
                open.extend(self.parents(at).iter());
            }
        }
        false
    }

    fn parents(&mut self, at: u32) -> Rc<[u32]> {
        if let Some(known) = &self.parents[at as usize] {
            return known.clone();
        }
        let ids = history::parent_ids(self.repo, &self.ids[at as usize]);
        let numbers: Rc<[u32]> = ids.iter().map(|id| self.number(id)).collect();
        self.parents[at as usize] = Some(numbers.clone());
        numbers
    }

    fn number(&mut self, id: &GitId) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = self.parents.len() as u32;
        self.numbers.insert(id.clone(), number);
        self.ids.push(id.clone());
        self.parents.push(None);
        self.seen.push(0);
        number
    }
}
