//! Reformatting: the lines of a change whose tokens were there before, only spaced or wrapped differently.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use super::labels::Origin;
use super::lines::{is_telling, tokens};

/// Comparisons to make before giving up on a change: it is no reformatting then.
const BUDGET: usize = 1 << 20;
/// New lines among those of one that was wrapped, at most.
const MAX_SKIPPED: usize = 16;

/// Lines that are the same but for white space, each the only one of its kind on both sides, in the order of both: the
/// old one's number and the new one's. Of what changed its place only one side has stayed (the longer, patience diff's
/// choice).
///
/// A diff that counts lines may rather pair two braces than the one line that tells something.
pub(super) fn anchors(old: &[&[u8]], new: &[&[u8]]) -> Vec<(usize, usize)> {
    let hasher = RandomState::new();
    let mut squeezed = Vec::new();
    let mut hash = |line: &[u8]| {
        squeezed.clear();
        squeezed.extend(tokens(line));
        is_telling(&squeezed).then(|| hasher.hash_one(&squeezed))
    };
    // How often, and where last, in the old and in the new.
    let mut places: HashMap<u64, [(usize, usize); 2]> = HashMap::new();
    for (side, lines) in [old, new].into_iter().enumerate() {
        for (i, line) in lines.iter().enumerate() {
            if let Some(hash) = hash(line) {
                let (count, place) = &mut places.entry(hash).or_default()[side];
                (*count, *place) = (*count + 1, i);
            }
        }
    }
    let only = |[old, new]: [(usize, usize); 2]| (old.0 == 1 && new.0 == 1).then_some((old.1, new.1));
    let mut pairs: Vec<(usize, usize)> = places.into_values().filter_map(only).collect();
    pairs.sort_unstable();
    rising(&pairs)
}

/// The longest selection of `pairs`, which rise in their first numbers, that rises in the second too.
fn rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the pair that ends such a selection lowest; for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (i, (_, new)) in pairs.iter().enumerate() {
        let len = ends.partition_point(|end| pairs[*end].1 < *new);
        before.push(len.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(len) {
            Some(end) => *end = i,
            None => ends.push(i),
        }
    }
    let mut selected: Vec<_> = std::iter::successors(ends.last().copied(), |i| before[*i]).map(|i| pairs[i]).collect();
    selected.reverse();
    selected
}

/// Whether two sides of a change differ in white space alone.
pub(super) fn same_tokens(was: &[&[u8]], is: &[&[u8]]) -> bool {
    let all = |side| <[&[u8]]>::iter(side).flat_map(|line| tokens(line));
    all(was).eq(all(is))
}

/// For each line of `is` the origin it keeps, if its tokens stood in `was`, whose lines have the `origins`. `anchors` are
/// those of these lines.
///
/// Looked for in this order: the whole change is the same tokens; a line with its neighbours is; several lines together
/// are. Lines like `}` are recognised by the company they keep, never alone.
pub(super) fn reformatted(
    was: &[&[u8]],
    origins: &[Origin],
    is: &[&[u8]],
    anchors: &[(usize, usize)],
) -> Vec<Option<Origin>> {
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
    for (was_start, is_start, len) in change.respaced(anchors) {
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
    /// Runs of lines that are the same but for white space, around the anchors: start before, start after, length.
    fn respaced(&self, anchors: &[(usize, usize)]) -> Vec<(usize, usize, usize)> {
        let mut runs = Vec::new();
        let (mut was_from, mut is_from) = (0, 0);
        for &(was, is) in anchors.iter() {
            if was < was_from || is < is_from {
                continue;
            }
            let room = (was - was_from).min(is - is_from);
            let back = (1..=room).take_while(|n| self.was[was - n] == self.is[is - n]).count();
            let ahead = self.was[was..].iter().zip(&self.is[is..]).take_while(|(was, is)| was == is).count();
            runs.push((was - back, is - back, back + ahead));
            (was_from, is_from) = (was + ahead, is + ahead);
        }
        runs
    }

    /// Labels groups of lines that are together the tokens of a group of lines from before.
    fn regroup(&self, was: Range<usize>, is: Range<usize>, budget: &mut usize, kept: &mut [Option<Origin>]) {
        let (mut was_at, mut is_from) = (was.start, is.start);
        while was_at < was.end && is_from < is.end && *budget > 0 {
            match (is_from..is.end).find_map(|is_at| self.group(was_at..was.end, is_at..is.end, budget)) {
                Some((was_end, lines)) => {
                    is_from = lines.last().map_or(is_from, |last| last + 1);
                    self.rewrap(was_at..was_end, lines, kept);
                    was_at = was_end;
                }
                None => was_at += 1,
            }
        }
    }

    /// The smallest group of lines from the start of `was` (its end) that has the tokens of a group of lines from the
    /// start of `is` (all of them). Between the latter there may be new lines: an argument more, where a call is wrapped.
    fn group(&self, was: Range<usize>, is: Range<usize>, budget: &mut usize) -> Option<(usize, Vec<usize>)> {
        // Nearly all end here.
        if self.was[was.start].first() != self.is[is.start].first() {
            *budget = budget.checked_sub(1)?;
            return None;
        }
        let mut was_end = was.start;
        let mut lines: Vec<usize> = Vec::new();
        let mut next = is.clone();
        let mut skipped = 0;
        let (mut left, mut right): (&[u8], &[u8]) = (&[], &[]);
        let mut telling = false;
        loop {
            *budget = budget.checked_sub(1)?;
            if left.is_empty() && right.is_empty() && telling {
                return Some((was_end, lines));
            }
            if left.is_empty() {
                left = self.was[..was.end].get(was_end)?;
                telling |= is_telling(left);
                was_end += 1;
            }
            if right.is_empty() {
                let line = next.next()?;
                right = &self.is[line];
                let fits = left.starts_with(right) || right.starts_with(left);
                // No group begins with a blank line: nothing tells where that one was.
                if lines.is_empty() && (!fits || left.is_empty() || right.is_empty()) {
                    return None;
                }
                if !fits {
                    skipped += 1;
                    if skipped > MAX_SKIPPED {
                        return None;
                    }
                    right = &[];
                    continue;
                }
                lines.push(line);
            }
            let both = left.len().min(right.len());
            if left[..both] != right[..both] {
                return None;
            }
            (left, right) = (&left[both..], &right[both..]);
        }
    }

    /// Labels the lines `is`, which are the tokens of the lines `was`: a line is of the origin of its characters. One
    /// put together of several is an agent's if all were agents' (the agent's that has most in it), and otherwise
    /// nobody's. A blank line is the one that stood between the same characters.
    fn rewrap(&self, was: Range<usize>, is: impl IntoIterator<Item = usize>, kept: &mut [Option<Origin>]) {
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
