//! In turn: what takes a git and a core is done a little at a time, and nobody waits for it for ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::web::page::NoPage;

/// How long a page waits for what is looked for in a repository.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// One kind of work, of which whoever asks for much shall not have all.
#[derive(Clone)]
pub struct Turns {
    /// How many may be at it.
    at_once: Arc<Semaphore>,
    /// How many may be at it or wait.
    places: Arc<Semaphore>,
    /// How many of them one visitor may have, and has.
    most: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A visitor's place, until it is dropped.
struct Place {
    who: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
    _of_all: OwnedSemaphorePermit,
}

/// What pages look for in repositories.
#[derive(Clone)]
pub struct Looking {
    /// Whose lines are, and how they came to be.
    pub lines: Turns,
    /// Which commit a name stands for. Apart from lines, which may take minutes.
    pub names: Turns,
}

impl Default for Looking {
    fn default() -> Self {
        Looking { lines: Turns::of(2, 64, 16), names: Turns::of(2, 32, 8) }
    }
}

impl Turns {
    /// So many at once, so many with those who wait, and so many of these for the same visitor.
    pub fn of(at_once: usize, places: usize, most: usize) -> Self {
        let (at_once, places) = (Arc::new(Semaphore::new(at_once)), Arc::new(Semaphore::new(places)));
        Turns { at_once, places, most, taken: Arc::default() }
    }

    fn place(&self, who: &str) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(who).copied().unwrap_or_default();
        let of_all = self.places.clone().try_acquire_owned().ok().filter(|_| own < self.most)?;
        taken.insert(who.to_owned(), own + 1);
        Some(Place { who: who.to_owned(), taken: self.taken.clone(), _of_all: of_all })
    }

    /// Runs work in turn with that of others; `None` where too many wait already, or too much of the same visitor, or it takes
    /// longer than a page waits. What was begun goes on all the same, and keeps its place until it is done.
    pub async fn take<T: Send + 'static>(
        &self,
        who: &str,
        patience: Duration,
        work: impl FnOnce() -> Result<T, NoPage> + Send + 'static,
    ) -> Result<Option<T>, NoPage> {
        let Some(place) = self.place(who) else { return Ok(None) };
        let at_once = self.at_once.clone();
        let look = async move {
            let turn = at_once.acquire_owned().await;
            blocking(move || {
                let _until_done = (place, turn);
                work()
            })
            .await
        };
        match tokio::time::timeout(patience, look).await {
            Ok(found) => found.map(Some),
            Err(_) => Ok(None),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.who);
            }
        }
    }
}

/// Runs what reads repositories where it stops no other page.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NoPage> + Send + 'static,
) -> Result<T, NoPage> {
    tokio::task::spawn_blocking(work).await.map_err(|error| NoPage::Failed(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn few_are_at_it_and_not_many_wait() {
        let turns = Turns::of(2, 10, 7);
        let (now, most, open) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let mut all = tokio::task::JoinSet::new();
        for n in 0..50 {
            let (turns, now, most, open) = (turns.clone(), now.clone(), most.clone(), open.clone());
            all.spawn(async move {
                let work = move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    while !open.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(n)
                };
                turns.take(["one", "other"][n % 2], LONG, work).await.unwrap()
            });
        }
        for _ in 0..40 {
            assert_eq!(all.join_next().await.unwrap().unwrap(), None);
        }
        while now.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        open.store(true, Ordering::SeqCst);
        let done = all.join_all().await.into_iter().flatten().count();
        assert_eq!((done, most.load(Ordering::SeqCst)), (10, 2));
        assert_eq!(turns.take("one", LONG, || Ok(1)).await.unwrap(), Some(1), "all places are free again");
        assert!(turns.taken.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn nobody_has_all_places() {
        let turns = Turns::of(2, 10, 3);
        let own: Vec<_> = (0..4).map(|_| turns.place("one")).collect();
        assert_eq!(own.iter().flatten().count(), 3);
        assert_eq!(turns.take("one", LONG, || Ok(1)).await.unwrap(), None);
        assert_eq!(turns.take("other", LONG, || Ok(2)).await.unwrap(), Some(2));
        drop(own);
        assert_eq!(turns.take("one", LONG, || Ok(3)).await.unwrap(), Some(3));
    }

    #[tokio::test]
    async fn what_takes_too_long_keeps_its_turn_until_it_is_done() {
        let turns = Turns::of(1, 2, 2);
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let waits = move || {
            assert!(told.recv().is_err(), "until it is dropped");
            Ok(1)
        };
        let short = Duration::from_millis(20);
        assert_eq!(turns.take("w", short, waits).await.unwrap(), None);
        assert_eq!(turns.take("w", short, || Ok(2)).await.unwrap(), None, "it is not its turn");
        drop(tell);
        assert_eq!(turns.take("w", LONG, || Ok(3)).await.unwrap(), Some(3));
        let failed = || Err::<(), _>(NoPage::NotFound("x".into()));
        assert!(matches!(turns.take("w", LONG, failed).await, Err(NoPage::NotFound(_))));
    }
}
