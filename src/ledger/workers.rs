//! Reading many small objects on all cores: the same is done with each, and the answers come in order.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::git::repo::{Repo, RepoError, SharedRepo};
use crate::host::progress::Bar;

/// What one thread takes at a time, at the most.
const BATCH: usize = 32;
/// How often each thread comes back for more, at the least: none is left with much when the others are done.
const ROUNDS: usize = 8;

/// So many answers are in memory at a time.
const ROUND: usize = 2048;

/// Threads that read one repository.
pub struct Workers {
    repo: SharedRepo,
    threads: usize,
}

impl Workers {
    /// As many `threads`, or 0 for as many as the machine has.
    pub fn new(repo: &Repo, threads: usize) -> Result<Self, RepoError> {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        Ok(Workers { repo: repo.share()?, threads })
    }

    /// The repository, for the thread that asks.
    pub fn repo(&self) -> Repo {
        self.repo.here()
    }

    /// What `each` makes of these numbers, in their order.
    pub fn map<T: Send>(&self, numbers: Range<usize>, bar: &Bar, each: impl Fn(&Repo, usize) -> T + Sync) -> Vec<T> {
        self.map_batches(numbers, bar, |repo, batch| batch.map(|at| each(repo, at)).collect())
    }

    /// The same for so many numbers that not all answers fit into memory, and for work that is faster on a few numbers
    /// together: `of` answers for each of its numbers, in order.
    pub fn in_rounds<T: Send>(
        &self,
        numbers: Range<usize>,
        bar: &Bar,
        of: impl Fn(&Repo, Range<usize>) -> Vec<T> + Sync,
    ) -> impl Iterator<Item = T> {
        let rounds = numbers.clone().step_by(ROUND).map(move |at| at..numbers.end.min(at + ROUND));
        rounds.flat_map(move |round| self.map_batches(round, bar, &of))
    }

    fn map_batches<T: Send>(
        &self,
        numbers: Range<usize>,
        bar: &Bar,
        of: impl Fn(&Repo, Range<usize>) -> Vec<T> + Sync,
    ) -> Vec<T> {
        let size = (numbers.len() / (self.threads * ROUNDS)).clamp(1, BATCH);
        let batches: Vec<Range<usize>> =
            numbers.clone().step_by(size).map(|at| at..numbers.end.min(at + size)).collect();
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Vec<T>)>> = Mutex::new(Vec::new());
        let work = || {
            let repo = self.repo();
            while let Some((index, batch)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                batches.get(index).map(|batch| (index, batch.clone()))
            } {
                let count = batch.len() as u64;
                let answers = of(&repo, batch);
                bar.step(count);
                done.lock().unwrap_or_else(|error| error.into_inner()).push((index, answers));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(batches.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut done = done.into_inner().unwrap_or_else(|error| error.into_inner());
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().flat_map(|(_, answers)| answers).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing;

    #[test]
    fn answers_come_in_order_whatever_the_round() {
        let folder = testing::Repo::new();
        let workers = Workers::new(&Repo::discover(folder.path()).unwrap(), 3).unwrap();
        let (numbers, bar) = (5..5 + 2 * ROUND + 1, Bar::new("numbers", 0));
        let answers = workers.in_rounds(numbers.clone(), &bar, |_, batch| batch.collect());
        assert!(answers.eq(numbers));
    }
}
