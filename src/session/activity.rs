//! How long a session was active: the time between its entries, where a pause counts for five minutes at most.

use serde::{Deserialize, Serialize};

/// The longest pause that counts whole, in milliseconds.
const LONGEST_PAUSE: i64 = 5 * 60 * 1000;

/// How many spells are kept apart; older ones are only summed up.
const MAX_SPELLS: usize = 500;

/// The moments at which something happened, in whatever order they come, kept as spells without a long pause.
///
/// The time they make depends on the set of moments alone and only grows: the growth of one segment after the
/// other is the time of the whole, and threads that ran side by side do not count twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// First and last moment of each spell, in order.
    spells: Vec<(i64, i64)>,
    /// Milliseconds of spells that are kept no longer.
    summed_up: i64,
}

impl Activity {
    /// Something happened at `at`, in milliseconds since 1970.
    pub fn add(&mut self, at: i64) {
        // The first spell that does not end long before.
        let from = self.spells.partition_point(|(_, last)| last.saturating_add(LONGEST_PAUSE) < at);
        // The first one after it that begins long after.
        let to = self.spells.partition_point(|(first, _)| *first <= at.saturating_add(LONGEST_PAUSE));
        let (first, last) = match self.spells.get(from..to) {
            Some([first, .., last]) => (first.0, last.1),
            Some([only]) => *only,
            // Before what was summed up nothing is known.
            _ if from == 0 && self.summed_up > 0 => return,
            _ => (at, at),
        };
        self.spells.splice(from..to, [(first.min(at), last.max(at))]);
        if self.spells.len() > MAX_SPELLS {
            let (first, last) = self.spells.remove(0);
            self.summed_up = self.summed_up.saturating_add(last - first).saturating_add(LONGEST_PAUSE);
        }
    }

    /// Whole seconds so far.
    pub fn seconds(&self) -> u64 {
        let pauses = self.spells.len().saturating_sub(1) as i64;
        let within: i64 =
            self.spells.iter().map(|(first, last)| last.saturating_sub(*first)).fold(0, i64::saturating_add);
        let millis = self.summed_up.saturating_add(within).saturating_add(pauses.saturating_mul(LONGEST_PAUSE));
        millis.max(0) as u64 / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(moments: &[i64]) -> u64 {
        let mut activity = Activity::default();
        moments.iter().for_each(|at| activity.add(at * 1000));
        activity.seconds()
    }

    #[test]
    fn a_pause_counts_for_five_minutes_at_most() {
        assert_eq!(seconds(&[]), 0);
        assert_eq!(seconds(&[100]), 0);
        assert_eq!(seconds(&[0, 10, 20]), 20);
        assert_eq!(seconds(&[0, 300]), 300);
        assert_eq!(seconds(&[0, 301]), 300);
        assert_eq!(seconds(&[0, 100_000, 100_010]), 310);
        assert_eq!(seconds(&[0, 600, 300]), 600, "a moment in a pause fills it");
    }

    #[test]
    fn memory_is_bounded() {
        let mut activity = Activity::default();
        (0..2_000).for_each(|hour| activity.add(hour * 3_600_000));
        assert_eq!(activity.spells.len(), MAX_SPELLS);
        assert_eq!(activity.seconds(), 1_999 * 300);
        activity.add(5);
        assert_eq!(activity.seconds(), 1_999 * 300, "too long ago to tell");
        [i64::MIN, i64::MAX, 0].into_iter().for_each(|at| activity.add(at));
        activity.seconds();
    }

    proptest! {
        #[test]
        fn the_order_of_moments_is_of_no_consequence(mut moments in proptest::collection::vec(0..20_000i64, 0..60)) {
            let shuffled = seconds(&moments);
            let mut parts = Activity::default();
            let mut grown = 0;
            for at in &moments {
                let before = parts.seconds();
                parts.add(at * 1000);
                prop_assert!(parts.seconds() >= before);
                grown += parts.seconds() - before;
            }
            moments.sort();
            let sorted: i64 = moments.windows(2).map(|pair| (pair[1] - pair[0]).min(300)).sum();
            prop_assert_eq!(shuffled, sorted as u64);
            prop_assert_eq!(grown, shuffled);
        }
    }
}
