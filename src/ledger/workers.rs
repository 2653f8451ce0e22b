//! Reading many small objects on all cores: the same is done with each, and the answers come in order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::git::repo::{Repo, RepoError, SharedRepo};
use crate::host::progress::Bar;

/// What one thread takes at a time, at the most.
const BATCH: usize = 32;
/// How often each thread comes back for more, at the least: none is left with much when the others are done.
const ROUNDS: usize = 8;

/// So many batches may be done before those who asked have taken the first of them: not all answers fit into memory.
const AHEAD: usize = 32;

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
        let batches = self.batches(std::iter::once(((), numbers)));
        let all = |repo: &Repo, (_, batch): &((), Range<usize>)| {
            bar.step(batch.len() as u64);
            batch.clone().map(|at| each(repo, at)).collect::<Vec<T>>()
        };
        self.ahead(&batches, all, |answers| answers.flatten().collect())
    }

    /// Numbers of several things, `what` and its `numbers`, in batches that one thread takes at a time.
    pub fn batches<W: Copy>(&self, of: impl Iterator<Item = (W, Range<usize>)> + Clone) -> Vec<(W, Range<usize>)> {
        let numbers: usize = of.clone().map(|(_, numbers)| numbers.len()).sum();
        let size = (numbers / (self.threads * ROUNDS)).clamp(1, BATCH);
        let split = |(what, numbers): (W, Range<usize>)| {
            numbers.clone().step_by(size).map(move |at| (what, at..numbers.end.min(at + size)))
        };
        of.flat_map(split).collect()
    }

    /// Does jobs on all threads, and meanwhile gives their results to `taker`, in their order. The thread that takes does
    /// jobs as well, when there is nothing to take yet.
    pub fn ahead<J: Sync, T: Send, R>(
        &self,
        jobs: &[J],
        each: impl Fn(&Repo, &J) -> T + Sync,
        taker: impl FnOnce(&mut Ahead<'_, T>) -> R,
    ) -> R {
        let queue = Queue { state: Mutex::default(), changed: Condvar::new(), jobs: jobs.len() };
        let work = |repo: &Repo, at: usize| jobs.get(at).map(|job| each(repo, job));
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(jobs.len()) {
                scope.spawn(|| {
                    let repo = self.repo();
                    let _end = End(&queue);
                    while let Some(at) = queue.next_job() {
                        queue.put(at, work(&repo, at));
                    }
                });
            }
            let repo = self.repo();
            let _end = End(&queue);
            taker(&mut Ahead { queue: &queue, work: &|at| work(&repo, at) })
        })
    }
}

/// Jobs that are handed out in their order, and their results that were not taken yet.
struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    jobs: usize,
}

struct State<T> {
    /// The next job to hand out.
    next: usize,
    /// The next result to take.
    taken: usize,
    done: BTreeMap<usize, Option<T>>,
    /// Somebody gave up; nobody is to wait for what does not come.
    ended: bool,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        State { next: 0, taken: 0, done: BTreeMap::new(), ended: false }
    }
}

enum Turn<T> {
    Taken(Option<T>),
    Job(usize),
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_out(&self, state: &mut State<T>) -> Option<usize> {
        let may = state.next < self.jobs.min(state.taken + AHEAD);
        may.then(|| {
            state.next += 1;
            state.next - 1
        })
    }

    /// The next job for a worker, who waits until there is room for its result.
    fn next_job(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.ended || state.next >= self.jobs {
                return None;
            }
            if let Some(at) = self.hand_out(&mut state) {
                return Some(at);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put(&self, at: usize, result: Option<T>) {
        self.lock().done.insert(at, result);
        self.changed.notify_all();
    }

    /// The next result, or else a job to do until it comes.
    fn turn(&self) -> Turn<T> {
        let mut state = self.lock();
        loop {
            let taken = state.taken;
            if let Some(result) = state.done.remove(&taken) {
                state.taken += 1;
                self.changed.notify_all();
                return Turn::Taken(result);
            }
            if state.ended || taken >= self.jobs {
                return Turn::Taken(None);
            }
            if let Some(at) = self.hand_out(&mut state) {
                return Turn::Job(at);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Lets nobody wait for one who is gone.
struct End<'q, T>(&'q Queue<T>);

impl<T> Drop for End<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        // A worker goes when there is no job left, and only then does its work come to its end.
        state.ended |= state.next < self.0.jobs || std::thread::panicking();
        self.0.changed.notify_all();
    }
}

/// The results of jobs, in the order of these.
pub struct Ahead<'w, T> {
    queue: &'w Queue<T>,
    work: &'w dyn Fn(usize) -> Option<T>,
}

impl<T> Iterator for Ahead<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            match self.queue.turn() {
                Turn::Taken(result) => return result,
                Turn::Job(at) => self.queue.put(at, (self.work)(at)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing;

    fn workers(threads: usize) -> (testing::Repo, Workers) {
        let folder = testing::Repo::new();
        let workers = Workers::new(&Repo::discover(folder.path()).unwrap(), threads).unwrap();
        (folder, workers)
    }

    #[test]
    fn results_come_in_order_however_many_and_however_long_they_take() {
        for threads in 1..4 {
            let (_folder, workers) = workers(threads);
            for many in [0, 1, 2, AHEAD, 3 * AHEAD + 1] {
                let jobs: Vec<usize> = (0..many).collect();
                let each = |_: &Repo, job: &usize| {
                    std::thread::sleep(std::time::Duration::from_micros((job % 7) as u64 * 50));
                    job * 2
                };
                let doubled: Vec<usize> = workers.ahead(&jobs, each, |ahead| ahead.collect());
                assert_eq!(doubled, jobs.iter().map(|job| job * 2).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn who_takes_no_more_lets_the_others_go() {
        let (_folder, workers) = workers(3);
        let jobs: Vec<usize> = (0..10 * AHEAD).collect();
        let first: Vec<usize> = workers.ahead(&jobs, |_, job| *job, |ahead| ahead.take(5).collect());
        assert_eq!(first, [0, 1, 2, 3, 4]);
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_job_that_panics_keeps_nobody_waiting() {
        let (_folder, workers) = workers(2);
        let jobs: Vec<usize> = (0..100).collect();
        let main = std::thread::current().id();
        let each = |_: &Repo, _: &usize| assert_eq!(std::thread::current().id(), main, "not here");
        // Slow to take, so that the other has a job.
        workers
            .ahead(&jobs, each, |ahead| ahead.for_each(|()| std::thread::sleep(std::time::Duration::from_millis(1))));
    }

    #[test]
    fn batches_keep_to_what_they_are_of() {
        let (_folder, workers) = workers(2);
        let batches = workers.batches([('a', 3..40), ('b', 0..0), ('c', 7..8)].into_iter());
        let numbers = |of| batches.iter().filter(move |(what, _)| *what == of).flat_map(|(_, numbers)| numbers.clone());
        assert!(numbers('a').eq(3..40) && numbers('b').count() == 0 && numbers('c').eq(7..8));
    }
}
