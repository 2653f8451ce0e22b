//! Time stamps of RFC 3161: what a time stamping authority is asked, and what it answered. Only what the token says is read
//! here; who signed it, `openssl ts -verify` tells.

use crate::digest::Digest;
use crate::time::Time;

/// A token with its certificates is never larger.
pub const MAX_BYTES: usize = 64 * 1024;

/// What a token says: when these bytes were there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    pub digest: Digest,
    pub time: Time,
}

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXPLICIT: u8 = 0xa0;
/// 1.2.840.113549.1.7.2, 1.2.840.113549.1.9.16.1.4 and 2.16.840.1.101.3.4.2.1.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// The question: a time stamp for this digest, with the certificates.
pub fn query(digest: &Digest) -> Vec<u8> {
    // TimeStampReq { version 1, messageImprint { sha256, NULL; digest }, certReq TRUE }
    let head = [SEQUENCE, 0x39, INTEGER, 1, 1, SEQUENCE, 0x31, SEQUENCE, 0x0d, OID, 9];
    [&head[..], SHA256, &[0x05, 0, OCTETS, 32], digest.as_bytes(), &[0x01, 1, 0xff]].concat()
}

impl Timestamp {
    /// Reads an answer (TimeStampResp) that grants a token; `None` where it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut all = Der(bytes);
        let mut response = Der(all.next(SEQUENCE)?);
        let status = Der(response.next(SEQUENCE)?).next(INTEGER)?;
        // Granted, or granted with changes.
        let granted = matches!(status, [0 | 1]);
        let mut token = Der(response.next(SEQUENCE)?);
        if !granted || !all.0.is_empty() || !response.0.is_empty() || token.next(OID)? != SIGNED_DATA {
            return None;
        }
        let mut signed = Der(Der(token.next(EXPLICIT)?).next(SEQUENCE)?);
        signed.next(INTEGER)?;
        signed.next(SET)?;
        let mut content = Der(signed.next(SEQUENCE)?);
        if content.next(OID)? != TST_INFO {
            return None;
        }
        let mut info = Der(Der(Der(content.next(EXPLICIT)?).next(OCTETS)?).next(SEQUENCE)?);
        info.next(INTEGER)?;
        info.next(OID)?;
        let mut imprint = Der(info.next(SEQUENCE)?);
        let algorithm = Der(imprint.next(SEQUENCE)?).next(OID)?;
        let digest = imprint.next(OCTETS)?.try_into().ok().filter(|_| algorithm == SHA256)?;
        info.next(INTEGER)?;
        let time = generalized(info.next(GENERALIZED_TIME)?)?;
        Some(Timestamp { digest: Digest::from_bytes(digest), time })
    }
}

/// `yyyymmddhhmmss[.f]Z`.
fn generalized(bytes: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii() && text.len() >= 15)?;
    let (date, rest) = text.split_at(14);
    let part = |from: usize, to: usize| &date[from..to];
    let (day, clock) =
        ([part(0, 4), part(4, 6), part(6, 8)].join("-"), [part(8, 10), part(10, 12), part(12, 14)].join(":"));
    Time::from_rfc3339(&format!("{day}T{clock}{rest}"))
}

/// The rest of some DER.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The contents of the next value, if it is of this kind.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&[found, length], rest) = self.0.split_first_chunk::<2>()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (found == tag).then_some(value)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A value in DER.
    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let value = parts.concat();
        let length = match value.len() {
            n @ 0..=0x7f => vec![n as u8],
            n => vec![0x82, (n >> 8) as u8, n as u8],
        };
        [&[tag][..], &length, &value].concat()
    }

    /// A token that nobody signed, for this digest.
    pub fn token(digest: &Digest) -> Vec<u8> {
        let sha256 = der(SEQUENCE, &[&der(OID, &[SHA256]), &[5, 0]]);
        let imprint = der(SEQUENCE, &[&sha256, &der(OCTETS, &[digest.as_bytes()])]);
        let (one, policy) = (der(INTEGER, &[&[1]]), der(OID, &[&[0x2a, 3]]));
        let info = der(SEQUENCE, &[&one, &policy, &imprint, &one, &der(GENERALIZED_TIME, &[b"20260101000300Z"])]);
        let content = der(SEQUENCE, &[&der(OID, &[TST_INFO]), &der(EXPLICIT, &[&der(OCTETS, &[&info])])]);
        let signed = der(SEQUENCE, &[&der(INTEGER, &[&[3]]), &der(SET, &[&sha256]), &content, &der(SET, &[])]);
        let token = der(SEQUENCE, &[&der(OID, &[SIGNED_DATA]), &der(EXPLICIT, &[&signed])]);
        der(SEQUENCE, &[&der(SEQUENCE, &[&der(INTEGER, &[&[0]])]), &token])
    }

    #[test]
    fn a_token_says_what_was_there_and_when() {
        let digest = Digest::of(b"record");
        let good = token(&digest);
        let time = "2026-01-01T00:03:00Z".parse().unwrap();
        assert_eq!(Timestamp::parse(&good), Some(Timestamp { digest, time }));
        for end in 0..good.len() {
            assert_eq!(Timestamp::parse(&good[..end]), None, "{end}");
        }
        assert_eq!(Timestamp::parse(&[&good[..], &[0]].concat()), None);
        assert_eq!(Timestamp::parse(&[0x30; 5000]), None);
        assert_eq!(generalized(b"20260101000300.75Z"), Some(time));
        for odd in [&b"20261301000300Z"[..], b"2026", b"20260101000300", "2026010100030\u{e9}Z".as_bytes()] {
            assert_eq!(generalized(odd), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(at in 0usize..200, to in proptest::prelude::any::<u8>(), bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            let mut changed = token(&Digest::of(b"record"));
            let at = at % changed.len();
            changed[at] = to;
            let is_there = |said: Timestamp| changed.windows(32).any(|bytes| bytes == said.digest.as_bytes());
            proptest::prop_assert!(Timestamp::parse(&changed).is_none_or(is_there));
            proptest::prop_assert_eq!(Timestamp::parse(&bytes), None);
        }
    }
}
