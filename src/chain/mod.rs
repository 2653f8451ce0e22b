//! Chain: the rules that a writer's records in order must keep.

use crate::finding::{Code, Finding};
use crate::id::{ChainId, LedgerId, RecordId};
use crate::record::body::Body;
use crate::record::{Citation, Envelope, Record};
use crate::time::Time;

/// Seconds by which a record may be dated before its predecessor: clocks are set right now and then.
pub const TIME_TOLERANCE: i64 = 300;

/// What a chain is for. One key writes one chain, and its ref says of which kind it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The policy chain.
    Policy,
    /// A writer's traces.
    Log,
    /// A witness's seals.
    Seal,
}

/// What must be remembered of a chain to judge its next record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    pub seq: u64,
    pub id: RecordId,
    pub time: Time,
    /// The policy record cited, `None` in the genesis record.
    pub policy: Option<Citation>,
    /// The seal cited.
    pub seal: Option<Citation>,
    /// Whether its writer has closed the chain, here or before.
    #[serde(default)]
    pub closed: bool,
}

impl Head {
    /// The head that `record` makes.
    pub fn of<State>(record: &Record<State>) -> Self {
        let envelope = record.envelope();
        let Envelope { seq, time, policy, seal, .. } = *envelope;
        Head { seq, id: record.id(), time, policy, seal, closed: matches!(record.body(), Body::Close(_)) }
    }

    /// The head after `previous`: what is closed stays closed.
    pub fn after(self, previous: Option<&Head>) -> Self {
        Head { closed: self.closed || previous.is_some_and(|head| head.closed), ..self }
    }
}

/// Judges a record's place: after `previous` (`None`: first of its chain) on `chain` of `ledger`, which is of this kind.
///
/// The record's signature is not looked at here.
pub fn follow<State>(
    previous: Option<&Head>,
    record: &Record<State>,
    ledger: LedgerId,
    chain: ChainId,
    kind: Kind,
) -> Vec<Finding> {
    let envelope = record.envelope();
    let mut findings = Vec::new();
    let mut find = |code, message: String| {
        findings.push(Finding::new(code, message).chain(chain).seq(envelope.seq).record(record.id()));
    };
    if record.ledger() != ledger {
        find(Code::Ledger, format!("the record belongs to ledger {}, not {}", record.ledger(), ledger));
    }
    if envelope.chain != chain {
        find(Code::ChainKey, format!("the record says it belongs to chain {}", envelope.chain));
    }
    let expected = previous.map_or(0, |head| head.seq + 1);
    if envelope.seq != expected {
        find(Code::Seq, format!("record {} stands where {expected} should be", envelope.seq));
    }
    let first = if chain == ChainId::Policy { crate::digest::Digest::ZERO } else { ledger.0 };
    let prev = previous.map_or(first, |head| head.id.0);
    if envelope.prev != prev {
        find(Code::Chain, format!("its predecessor is {}, not {prev}", envelope.prev));
    }
    if let Some(head) = previous {
        if envelope.time.unix() + TIME_TOLERANCE < head.time.unix() {
            find(Code::Time, format!("it is dated {}, its predecessor {}", envelope.time, head.time));
        }
        if newest(&envelope.policy) < newest(&head.policy) {
            find(Code::Policy, "it cites an older policy than its predecessor".into());
        }
        if newest(&envelope.seal) < newest(&head.seal) {
            find(Code::Policy, "it cites an older seal than its predecessor".into());
        }
    }
    if kind != Kind::Log && envelope.seal.is_some() {
        find(Code::Seal, "only a writer's records cite a seal".into());
    }
    if previous.is_some_and(|head| head.closed) {
        find(Code::Unauth, "its writer had closed the chain".into());
    }
    if let Some(message) = misplaced(record.body(), kind, previous.is_none()) {
        find(Code::Unauth, message);
    }
    findings
}

fn newest(citation: &Option<Citation>) -> Option<u64> {
    citation.map(|citation| citation.n)
}

/// Whether a record of this type may stand here at all.
fn misplaced(body: &Body, kind: Kind, first: bool) -> Option<String> {
    let allowed = match (kind, first) {
        (Kind::Policy, true) => matches!(body, Body::Genesis(_)),
        (Kind::Policy, false) => {
            matches!(
                body,
                Body::Roster(_) | Body::CloseChain(_) | Body::Policy(_) | Body::Compliance(_) | Body::Hold(_)
            ) || matches!(body, Body::Release(_) | Body::Prune(_) | Body::Audit(_) | Body::Adjudicate(_))
        }
        (Kind::Log | Kind::Seal, true) => matches!(body, Body::Open(_)),
        (Kind::Seal, false) => matches!(body, Body::Seal(_) | Body::Close(_)),
        (Kind::Log, false) => {
            matches!(body, Body::Session(_) | Body::Commit(_) | Body::Link(_) | Body::Close(_))
                || matches!(body, Body::Check(_) | Body::Approve(_) | Body::Amend(_))
                || matches!(body, Body::Access(_) | Body::Export(_))
        }
    };
    let place = if first { "first" } else { "later" };
    let whose = match kind {
        Kind::Policy => "the policy chain",
        Kind::Log => "a writer's chain",
        Kind::Seal => "a witness's chain",
    };
    (!allowed).then(|| format!("a {} record may not stand {place} on {whose}", body.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::id::GitId;
    use crate::record::body::Link;
    use crate::record::{Envelope, Unverified};

    const CHAIN: ChainId = ChainId::Writer([1; 16]);

    fn ledger() -> LedgerId {
        LedgerId(Digest::of(b"ledger"))
    }

    fn link(change: impl FnOnce(&mut Envelope)) -> Record<Unverified> {
        let id: GitId = "a".repeat(40).parse().unwrap();
        let mut envelope = Envelope {
            ledger: ledger(),
            chain: CHAIN,
            seq: 6,
            prev: Digest::of(b"before"),
            time: Time::from_unix(1000),
            policy: Some(Citation { n: 2, id: RecordId(Digest::of(b"policy")) }),
            seal: None,
        };
        change(&mut envelope);
        let body = Link { old: id.clone(), new: id, found_by: "amend".into(), level: 3 };
        Record::new(envelope, Body::Link(body)).unwrap()
    }

    fn codes(change: impl FnOnce(&mut Envelope)) -> Vec<Code> {
        let head = Head {
            seq: 5,
            id: RecordId(Digest::of(b"before")),
            time: Time::from_unix(1000),
            policy: Some(Citation { n: 2, id: RecordId(Digest::of(b"policy")) }),
            seal: None,
            closed: false,
        };
        follow(Some(&head), &link(change), ledger(), CHAIN, Kind::Log).into_iter().map(|f| f.code).collect()
    }

    #[test]
    fn a_record_in_its_place_has_no_findings() {
        assert_eq!(codes(|_| ()), []);
        assert_eq!(codes(|e| e.time = Time::from_unix(1000 - TIME_TOLERANCE)), []);
    }

    #[test]
    fn each_rule_has_its_finding() {
        assert_eq!(codes(|e| e.seq = 7), [Code::Seq]);
        assert_eq!(codes(|e| e.seq = 5), [Code::Seq]);
        assert_eq!(codes(|e| e.prev = Digest::of(b"other")), [Code::Chain]);
        assert_eq!(codes(|e| e.ledger = LedgerId(Digest::of(b"other"))), [Code::Ledger]);
        assert_eq!(codes(|e| e.chain = ChainId::Writer([2; 16])), [Code::ChainKey]);
        assert_eq!(codes(|e| e.time = Time::from_unix(1000 - TIME_TOLERANCE - 1)), [Code::Time]);
        assert_eq!(codes(|e| e.policy = Some(Citation { n: 1, id: RecordId(Digest::of(b"policy")) })), [Code::Policy]);
        assert_eq!(codes(|e| e.policy = None), [Code::Policy]);
    }

    #[test]
    fn only_an_open_record_begins_a_writers_chain() {
        let record = link(|e| {
            e.seq = 0;
            e.prev = ledger().0;
        });
        let codes: Vec<_> = follow(None, &record, ledger(), CHAIN, Kind::Log).into_iter().map(|f| f.code).collect();
        assert_eq!(codes, [Code::Unauth]);
    }
}
