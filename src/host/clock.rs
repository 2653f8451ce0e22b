//! The clock: the only place that asks what time it is.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::host::env;
use crate::time::Time;

/// Now, in whole seconds. `TRACEVAULT_NOW` (RFC 3339) stands in for it, so that tests and demos are repeatable.
pub fn now() -> Time {
    Time::from_unix(now_millis().div_euclid(1000))
}

/// Now, in milliseconds since 1970.
pub fn now_millis() -> i64 {
    if let Some(fixed) = env::now().and_then(|text| Time::from_rfc3339(&text)) {
        return fixed.unix() * 1000;
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time that files are stamped with, which nothing stands in for.
pub fn file_time() -> SystemTime {
    SystemTime::now()
}

/// A span of time that is being spent.
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(span: Duration) -> Self {
        Deadline(Instant::now() + span)
    }

    pub fn passed(&self) -> bool {
        Instant::now() >= self.0
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// How long something takes.
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    pub fn milliseconds(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
