//! Reformatting: the lines of a change whose tokens were there before, only spaced or wrapped differently.

use std::ops::Range;

use gix::diff::blob::{Algorithm, Diff, InternedInput};

use super::labels::Origin;
use super::lines::{is_telling, tokens};

/// Comparisons to make before giving up on a change: it is no reformatting then.
const BUDGET: usize = 1 << 20;

/// Whether two sides of a change differ in white space alone.
pub(super) fn same_tokens(was: &[&[u8]], is: &[&[u8]]) -> bool {
    let all = |side| <[&[u8]]>::iter(side).flat_map(|line| tokens(line));
    all(was).eq(all(is))
}

/// For each line of `is` the origin it keeps, if its tokens stood in `was`, whose lines have the `origins`.
///
/// Looked for in this order: the whole change is the same tokens; a line with its neighbours is; several lines together
/// are. Short lines like `}` are recognised by the company they keep, never alone.
pub(super) fn reformatted(was: &[&[u8]], origins: &[Origin], is: &[&[u8]]) -> Vec<Option<Origin>> {
    if was.is_empty() || is.is_empty() {
        return vec![None; is.len()];
    }
    let squeeze = |lines: &[&[u8]]| lines.iter().map(|line| tokens(line).collect()).collect::<Vec<Vec<u8>>>();
    let change = Change { was: squeeze(was), origins, is: squeeze(is) };
    let mut kept = vec![None; is.len()];
    if same_tokens(was, is) {
        change.rewrap(0..was.len(), 0..is.len(), &mut kept);
        return kept;
    }
    let mut budget = BUDGET;
    let (mut was_at, mut is_at) = (0, 0);
    for (was_start, is_start, len) in change.respaced() {
        change.regroup(was_at..was_start, is_at..is_start, &mut budget, &mut kept);
        for i in 0..len {
            kept[is_start + i] = Some(origins[was_start + i]);
        }
        (was_at, is_at) = (was_start + len, is_start + len);
    }
    change.regroup(was_at..was.len(), is_at..is.len(), &mut budget, &mut kept);
    kept
}

/// The two sides of a change, each line without its white space.
struct Change<'a> {
    was: Vec<Vec<u8>>,
    origins: &'a [Origin],
    is: Vec<Vec<u8>>,
}

impl Change<'_> {
    /// Runs of lines that are the same but for white space: start before, start after, length.
    fn respaced(&self) -> Vec<(usize, usize, usize)> {
        let mut input = InternedInput::default();
        input.update_before(self.was.iter().map(Vec::as_slice));
        input.update_after(self.is.iter().map(Vec::as_slice));
        let diff = Diff::compute(Algorithm::Myers, &input);
        let mut runs = Vec::new();
        let (mut was_at, mut is_at) = (0, 0);
        let hunks = diff.hunks().map(|h| (h.before.start as usize, h.before.end as usize, h.after.end as usize));
        for (start, was_end, is_end) in hunks.chain([(self.was.len(), 0, 0)]) {
            let run = &self.was[was_at..start];
            if run.iter().any(|line| is_telling(line)) {
                runs.push((was_at, is_at, run.len()));
            }
            (was_at, is_at) = (was_end, is_end);
        }
        runs
    }

    /// Labels groups of lines that are together the tokens of a group of lines from before.
    fn regroup(&self, was: Range<usize>, is: Range<usize>, budget: &mut usize, kept: &mut [Option<Origin>]) {
        let (mut was_at, mut is_from) = (was.start, is.start);
        while was_at < was.end && is_from < is.end && *budget > 0 {
            let found = (is_from..is.end).find_map(|is_at| {
                let (was_end, is_end) = self.group(was_at..was.end, is_at..is.end, budget)?;
                Some((is_at, was_end, is_end))
            });
            match found {
                Some((is_at, was_end, is_end)) => {
                    self.rewrap(was_at..was_end, is_at..is_end, kept);
                    (was_at, is_from) = (was_end, is_end);
                }
                None => was_at += 1,
            }
        }
    }

    /// The ends of the smallest groups of lines from the starts of `was` and `is` that are the same tokens.
    fn group(&self, was: Range<usize>, is: Range<usize>, budget: &mut usize) -> Option<(usize, usize)> {
        let (mut was_end, mut is_end) = (was.start, is.start);
        let (mut left, mut right): (&[u8], &[u8]) = (&[], &[]);
        let mut telling = false;
        loop {
            *budget = budget.checked_sub(1)?;
            if left.is_empty() && right.is_empty() && telling {
                return Some((was_end, is_end));
            }
            if left.is_empty() {
                left = self.was[..was.end].get(was_end)?;
                telling |= is_telling(left);
                was_end += 1;
            }
            if right.is_empty() {
                right = self.is[..is.end].get(is_end)?;
                is_end += 1;
            }
            let both = left.len().min(right.len());
            // No group begins with a blank line: nothing tells where that one was.
            if left[..both] != right[..both] || (both == 0 && was_end == was.start + 1 && is_end == is.start + 1) {
                return None;
            }
            (left, right) = (&left[both..], &right[both..]);
        }
    }

    /// Labels the lines `is`, which are the tokens of the lines `was`: a line is of the origin of its characters. One
    /// put together of several is an agent's if all were agents' (the agent's that has most in it), and otherwise
    /// nobody's. A blank line is the one that stood between the same characters.
    fn rewrap(&self, was: Range<usize>, is: Range<usize>, kept: &mut [Option<Origin>]) {
        let mut pieces = was.map(|i| (self.was[i].len(), self.origins[i])).peekable();
        for i in is {
            let mut missing = self.is[i].len();
            if missing == 0 {
                kept[i] = pieces.next_if(|(left, _)| *left == 0).map(|(_, origin)| origin);
                continue;
            }
            let mut shares: Vec<(usize, Origin)> = Vec::new();
            while let (Some((left, origin)), true) = (pieces.peek_mut(), missing > 0) {
                let share = missing.min(*left);
                missing -= share;
                *left -= share;
                let spent = *left == 0;
                match shares.iter_mut().find(|(_, known)| known == origin) {
                    Some((sum, _)) => *sum += share,
                    None if share > 0 => shares.push((share, *origin)),
                    None => {}
                }
                if spent {
                    pieces.next();
                }
            }
            kept[i] = Some(whose(&shares));
        }
    }
}

/// The origin of a line put together of these numbers of characters.
fn whose(shares: &[(usize, Origin)]) -> Origin {
    match shares {
        [(_, origin)] => *origin,
        _ if shares.iter().all(|(_, origin)| matches!(origin, Origin::Agent(_))) => {
            // Of equals the first.
            let most = shares.iter().rev().max_by_key(|(sum, _)| *sum);
            most.map_or(Origin::Unattributed, |(_, origin)| *origin)
        }
        _ => Origin::Unattributed,
    }
}
