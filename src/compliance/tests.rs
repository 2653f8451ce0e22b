//! Tests of keeping: what may be chosen, held, released and pruned.

use super::*;
use crate::digest::Digest;
use crate::id::LedgerId;
use crate::record::body::{Framework, Hold, PayloadClass, Release};
use crate::record::{Envelope, Unverified};

fn record(time: &str, body: Body) -> Record<Unverified> {
    let (ledger, prev) = (LedgerId(Digest::ZERO), Digest::ZERO);
    let time = time.parse().unwrap();
    Record::new(Envelope { ledger, chain: ChainId::Policy, seq: 7, prev, time, policy: None, seal: None }, body)
        .unwrap()
}

fn shelf(month: &str) -> Shelf {
    Shelf { chain: ChainId::Writer([1; 16]), class: PayloadClass::Transcript, month: month.parse().unwrap() }
}

fn choose(choices: &[&str]) -> Body {
    Body::Compliance(Compliance { frameworks: choices.iter().map(|text| choice(text).unwrap()).collect() })
}

fn prune(months: &[&str]) -> Body {
    let pruned = |month: &&str| {
        let Shelf { chain, class, month } = shelf(month);
        PrunedShelf { chain, class, month, pieces: 2, root: Digest::ZERO }
    };
    Body::Prune(Prune { shelves: months.iter().map(pruned).collect() })
}

fn hold(case: &str, month: &str) -> Body {
    let (records, commits, sessions) = Default::default();
    Body::Hold(Hold { case: case.parse().unwrap(), shelves: vec![shelf(month)], records, commits, sessions })
}

const NOW: &str = "2026-01-01T00:00:00Z";

fn extend(keeping: &mut Keeping, record: &Record<Unverified>) -> Result<(), KeepingError> {
    keeping.judge(record).map(|()| keeping.take(record))
}

/// What comes of records of a time, one after the other: how the last of them went.
fn last(records: &[(&str, Body)]) -> Result<(), KeepingError> {
    let mut keeping = Keeping::default();
    let mut last = Ok(());
    for (time, body) in records {
        last?;
        last = extend(&mut keeping, &record(time, body.clone()));
    }
    last
}

#[test]
fn the_longest_holds_and_what_a_framework_asked_for_is_never_lowered() {
    let chosen = |steps: &[&[&str]]| {
        let mut keeping = Keeping::default();
        let steps = steps.iter().map(|step| extend(&mut keeping, &record(NOW, choose(step))));
        let last = steps.last().unwrap();
        last.map(|()| keeping.retention().map(|retention| (retention.months(), retention.floor)).unwrap())
    };
    assert_eq!(chosen(&[&["sox", "pci-dss"]]), Ok((84, 84)));
    assert_eq!(chosen(&[&["pci-dss=2y", "sr-11-7"]]), Ok((36, 36)));
    assert_eq!(chosen(&[&["sox=10y"], &["sox"]]), Ok((84, 84)));
    assert_eq!(chosen(&[&["custom=10y"], &["custom=1m"]]), Ok((1, 0)));
    // Not by leaving the framework, either, nor over a step between.
    let lowered = |months| Err(KeepingError::Lowered { floor: 84, months });
    assert_eq!(chosen(&[&["sox"], &["pci-dss"]]), lowered(12));
    assert_eq!(chosen(&[&["sox"], &["custom=7y"], &["custom=1m"]]), lowered(1));
    assert_eq!(chosen(&[&["pci-dss", "sox"]]), Err(KeepingError::Order));
    assert_eq!(chosen(&[&["sox", "sox"]]), Err(KeepingError::Order));
    assert_eq!(chosen(&[&[]]), Err(KeepingError::Order));
    let short = Body::Compliance(Compliance { frameworks: vec![Chosen { framework: Framework::Sox, months: 83 }] });
    assert!(matches!(last(&[(NOW, short)]), Err(KeepingError::Choice(ChoiceError::TooShort { minimum: 84, .. }))));
}

#[test]
fn who_deletes_looks_at_their_own_clock() {
    let mut keeping = Keeping::default();
    let ahead = "2040-01-01T00:00:00Z";
    for body in [choose(&["pci-dss"]), prune(&["2025-06"])] {
        extend(&mut keeping, &record(ahead, body)).unwrap();
    }
    let lets_go =
        |keeping: &Keeping, month: &str, at: &str| keeping.lets_go(&shelf(month), at.parse().unwrap()).is_some();
    assert!(!lets_go(&keeping, "2025-06", NOW));
    assert!(lets_go(&keeping, "2025-06", "2026-07-01T00:00:00Z"));
    assert!(!lets_go(&keeping, "2025-05", ahead), "nothing says that it was pruned");
    extend(&mut keeping, &record(ahead, hold("c-1", "2025-06"))).unwrap();
    assert!(!lets_go(&keeping, "2025-06", ahead));
}

#[test]
fn nothing_is_pruned_that_is_younger_or_held() {
    let keep = || (NOW, choose(&["pci-dss"]));
    assert_eq!(last(&[(NOW, prune(&["2000-01"]))]), Err(KeepingError::NoRetention));
    assert_eq!(last(&[keep(), (NOW, prune(&["2024-12"]))]), Ok(()));
    let young = KeepingError::TooYoung { shelf: shelf("2025-01"), months: 12 };
    assert_eq!(last(&[keep(), ("2026-01-31T23:59:59Z", prune(&["2025-01"]))]), Err(young.clone()));
    assert_eq!(last(&[keep(), ("2026-02-01T00:00:00Z", prune(&["2025-01"]))]), Ok(()));
    assert_eq!(last(&[keep(), (NOW, prune(&["2024-12", "2025-01"]))]), Err(young));
    for odd in [&[][..], &["2024-02", "2024-01"], &["2024-01", "2024-01"]] {
        assert_eq!(last(&[keep(), (NOW, prune(odd))]), Err(KeepingError::Shelves), "{odd:?}");
    }

    let case: CaseId = "c-1".parse().unwrap();
    let held = Err(KeepingError::Held { shelf: shelf("2024-01"), case: case.clone() });
    let release = || Body::Release(Release { case: case.clone() });
    assert_eq!(last(&[keep(), (NOW, hold("c-1", "2024-01")), (NOW, prune(&["2024-01"]))]), held);
    assert_eq!(last(&[keep(), (NOW, hold("c-1", "2024-01")), (NOW, prune(&["2024-02"]))]), Ok(()));
    // A case may come to hold more; its release lets all of it go, and nothing of another's.
    let more = [keep(), (NOW, hold("c-1", "2024-02")), (NOW, hold("c-1", "2024-01")), (NOW, prune(&["2024-01"]))];
    assert_eq!(last(&more), held);
    let released = [keep(), (NOW, hold("c-1", "2024-01")), (NOW, release()), (NOW, prune(&["2024-01"]))];
    assert_eq!(last(&released), Ok(()));
    let other = [(NOW, hold("d", "2024-01")), keep(), (NOW, hold("c-1", "2024-01")), (NOW, release())];
    let other = other.into_iter().chain([(NOW, prune(&["2024-01"]))]).collect::<Vec<_>>();
    assert!(matches!(last(&other), Err(KeepingError::Held { .. })));
    assert_eq!(last(&[(NOW, release())]), Err(KeepingError::NotHeld(case)));
}

#[test]
fn a_shelf_is_kept_held_expired_or_pruned() {
    let mut keeping = Keeping::default();
    let at = |text: &str| text.parse::<Time>().unwrap();
    let fate = |keeping: &Keeping, month: &str, time: &str| {
        let all = |pruned: &PrunedShelf| pruned.pieces >= 2;
        format!("{:?}", keeping.fate(&shelf(month), at(time), all)).split('(').next().unwrap().to_owned()
    };
    assert_eq!(fate(&keeping, "2001-01", NOW), "Kept", "nobody has chosen");
    extend(&mut keeping, &record(NOW, choose(&["pci-dss"]))).unwrap();
    assert_eq!(keeping.retention().unwrap().expires(&"2024-11".parse().unwrap()).to_string(), "2025-12");
    assert_eq!(fate(&keeping, "2024-11", "2025-11-30T00:00:00Z"), "Kept");
    assert_eq!(fate(&keeping, "2024-11", "2025-12-01T00:00:00Z"), "Expired");
    extend(&mut keeping, &record(NOW, hold("case", "2024-11"))).unwrap();
    assert_eq!(fate(&keeping, "2024-11", NOW), "Held");
    extend(&mut keeping, &record(NOW, prune(&["2024-10"]))).unwrap();
    assert_eq!(fate(&keeping, "2024-10", NOW), "Pruned");
    assert_eq!(format!("{:?}", keeping.fate(&shelf("2024-10"), at(NOW), |pruned| pruned.pieces > 2)), "Expired");
}
