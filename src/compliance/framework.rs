//! The frameworks that ask for records to be kept, and the least that each asks for.

use std::fmt;

use crate::record::body::{Chosen, Framework};

impl Framework {
    pub const ALL: [Framework; 4] = [Framework::Sox, Framework::PciDss, Framework::Sr117, Framework::Custom];

    pub fn as_str(self) -> &'static str {
        match self {
            Framework::Sox => "sox",
            Framework::PciDss => "pci-dss",
            Framework::Sr117 => "sr-11-7",
            Framework::Custom => "custom",
        }
    }

    /// What reports call it.
    pub fn title(self) -> &'static str {
        match self {
            Framework::Sox => "Sarbanes-Oxley Act",
            Framework::PciDss => "PCI DSS",
            // The guidance of 2011 was replaced in April 2026; examinations of earlier years go by the old name.
            Framework::Sr117 => "SR 11-7 and SR 26-2 (model risk management)",
            Framework::Custom => "own rules",
        }
    }

    /// The fewest months that payloads are kept for it; an organisation's own rules have no such number.
    pub fn minimum(self) -> Option<u32> {
        match self {
            Framework::Sox => Some(84),
            Framework::PciDss => Some(12),
            Framework::Sr117 => Some(36),
            Framework::Custom => None,
        }
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A choice that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    #[error("no framework is called {0:?} (known: sox, pci-dss, sr-11-7 or mrm, custom)")]
    Unknown(String),
    #[error("{0:?} is no length of time (like 7y or 84m)")]
    Length(String),
    #[error("custom needs a length of time: custom=5y")]
    NoNumber,
    #[error("{framework} keeps payloads for {} at least, not {}", length(*.minimum), length(*.months))]
    TooShort { framework: Framework, minimum: u32, months: u32 },
}

/// Reads `sox`, `sox=10y`, `custom=18m`: without a number the framework's own.
pub fn choice(text: &str) -> Result<Chosen, ChoiceError> {
    let (name, number) = text.split_once('=').map_or((text, None), |(name, number)| (name, Some(number)));
    let named = |framework: &Framework| framework.as_str() == name;
    let framework = match name {
        "mrm" => Framework::Sr117,
        _ => Framework::ALL.into_iter().find(named).ok_or_else(|| ChoiceError::Unknown(name.to_owned()))?,
    };
    let months = match number {
        Some(number) => months(number).ok_or_else(|| ChoiceError::Length(number.to_owned()))?,
        None => framework.minimum().ok_or(ChoiceError::NoNumber)?,
    };
    let chosen = Chosen { framework, months };
    chosen.check().map(|()| chosen)
}

fn months(text: &str) -> Option<u32> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "y" => 12,
        "m" => 1,
        _ => return None,
    };
    let number = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    number.parse::<u32>().ok()?.checked_mul(unit).filter(|months| *months > 0)
}

impl Chosen {
    /// Refuses less than the framework asks for.
    pub fn check(self) -> Result<(), ChoiceError> {
        let Chosen { framework, months } = self;
        match framework.minimum().unwrap_or(1) {
            minimum if months < minimum => Err(ChoiceError::TooShort { framework, minimum, months }),
            _ => Ok(()),
        }
    }
}

/// Months for people.
pub fn length(months: u32) -> String {
    let of = |number: u32, unit: &str| if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") };
    match (months / 12, months % 12) {
        (years, 0) if years > 0 => of(years, "year"),
        (0, months) => of(months, "month"),
        (years, months) => format!("{} and {}", of(years, "year"), of(months, "month")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_takes_the_frameworks_number_and_never_less() {
        let chosen = |text: &str| choice(text).map(|chosen| (chosen.framework.as_str(), chosen.months));
        assert_eq!(chosen("sox"), Ok(("sox", 84)));
        assert_eq!(chosen("pci-dss"), Ok(("pci-dss", 12)));
        assert_eq!(chosen("mrm"), Ok(("sr-11-7", 36)));
        assert_eq!(chosen("sr-11-7=40m"), Ok(("sr-11-7", 40)));
        assert_eq!(chosen("custom=5y"), Ok(("custom", 60)));
        assert_eq!(choice("sox=6y").unwrap_err().to_string(), "sox keeps payloads for 7 years at least, not 6 years");
        assert_eq!(choice("custom"), Err(ChoiceError::NoNumber));
        for odd in ["custom=", "custom=0y", "custom=+1y", "custom=1w", "custom=99999999999m", "custom=\u{fc}"] {
            assert!(matches!(choice(odd), Err(ChoiceError::Length(_))), "{odd}");
        }
        assert!(matches!(choice("hipaa"), Err(ChoiceError::Unknown(_))));
        assert_eq!([length(1), length(12), length(42)], ["1 month", "1 year", "3 years and 6 months"]);
    }
}
