//! Instants as the records hold them: RFC 3339, whole seconds, UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds since 1970-01-01T00:00:00Z, written `2026-11-21T19:53:20Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Time(i64);

impl Time {
    /// 0001-01-01 to 9999-12-31: what RFC 3339 can write.
    const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

    /// From Unix seconds; what lies outside the years 1 to 9999 is cut to them.
    pub fn from_unix(seconds: i64) -> Self {
        Time(seconds.clamp(*Self::RANGE.start(), *Self::RANGE.end()))
    }

    /// Unix seconds.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// From any RFC 3339 text, with an offset and a fraction (which is cut off), as agents write them.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        Some(Time::from_unix(stamp.as_second()))
    }

    /// `yyyy-mm` in UTC, the unit in which payloads expire.
    pub fn month(self) -> Month {
        Month(self.to_string()[..7].to_owned())
    }

    /// `yyyy-mm-dd` in UTC.
    pub fn day(self) -> String {
        self.to_string()[..10].to_owned()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(stamp) => write!(f, "{}", stamp.strftime("%Y-%m-%dT%H:%M:%SZ")),
            Err(_) => Err(fmt::Error),
        }
    }
}

/// A text that is not exactly `yyyy-mm-ddThh:mm:ssZ`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a time of the form 2026-11-21T19:53:20Z")]
pub struct ParseTimeError(String);

impl FromStr for Time {
    type Err = ParseTimeError;

    /// Accepts only what [`Time`] would print itself: one instant, one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Time::from_rfc3339(text)
            .filter(|time| time.to_string() == text)
            .ok_or_else(|| ParseTimeError(text.chars().take(40).collect()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        crate::digest::by_text(d)
    }
}

/// A calendar month in UTC, `yyyy-mm`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Month(String);

impl Month {
    /// Months since January of the year 0: how far two of them are apart is their difference.
    pub fn index(&self) -> i64 {
        let number = |text: &str| text.parse::<i64>().unwrap_or_default();
        number(&self.0[..4]) * 12 + number(&self.0[5..]) - 1
    }

    /// The month so many months later; the last one there is where that is beyond it.
    pub fn after(&self, months: u32) -> Month {
        let index = (self.index() + i64::from(months)).min(9999 * 12 + 11);
        Month(format!("{:04}-{:02}", index / 12, index % 12 + 1))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not exactly `yyyy-mm`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a month of the form 2026-11")]
pub struct ParseMonthError(String);

impl FromStr for Month {
    type Err = ParseMonthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ok = text.len() == 7 && format!("{text}-01T00:00:00Z").parse::<Time>().is_ok();
        if ok { Ok(Month(text.to_owned())) } else { Err(ParseMonthError(text.chars().take(40).collect())) }
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        crate::digest::by_text(d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_has_one_spelling() {
        let time = Time::from_unix(1_795_290_800);
        assert_eq!(time.to_string(), "2026-11-21T19:53:20Z");
        assert_eq!("2026-11-21T19:53:20Z".parse::<Time>().unwrap(), time);
        for odd in
            ["2026-11-21T19:53:20.0Z", "2026-11-21T19:53:20+00:00", "2026-11-21 19:53:20Z", "2026-02-30T00:00:00Z", ""]
        {
            assert!(odd.parse::<Time>().is_err(), "{odd}");
        }
        assert_eq!(Time::from_rfc3339("2026-11-21T20:53:20.999+01:00"), Some(time));
        assert_eq!(time.month().to_string(), "2026-11");
        assert_eq!(time.day(), "2026-11-21");
    }

    #[test]
    fn months_follow_each_other() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        for (from, by, to) in [
            ("2026-12", 0, "2026-12"),
            ("2026-12", 1, "2027-01"),
            ("2026-01", 84, "2033-01"),
            ("2026-05", u32::MAX, "9999-12"),
        ] {
            assert_eq!(month(from).after(by), month(to), "{from} {by}");
        }
    }

    #[test]
    fn a_month_is_a_real_month() {
        assert!("2026-12".parse::<Month>().is_ok());
        for odd in ["2026-13", "2026-1", "../../x", "2026-00"] {
            let error = odd.parse::<Month>().unwrap_err().to_string();
            assert!(error.contains("a month of the form 2026-11"), "{error}");
        }
    }
}
