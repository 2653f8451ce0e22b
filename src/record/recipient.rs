//! Recipients: to whom payloads are encrypted, as age writes them (age-encryption.org, X25519).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The public half of an age identity: `age1` and 58 further characters, in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Recipient(String);

/// Why a text is no recipient.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not an age recipient (age1…): {why}")]
pub struct RecipientError {
    text: String,
    why: &'static str,
}

impl Recipient {
    /// The recipient, ready to encrypt to.
    pub fn key(&self) -> Option<age::x25519::Recipient> {
        self.0.parse().ok()
    }
}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let wrong = |why| RecipientError { text: text.chars().take(80).collect(), why };
        let key = text.parse::<age::x25519::Recipient>().map_err(wrong)?;
        if key.to_string() != text {
            return Err(wrong("it is not written in lower case"));
        }
        Ok(Recipient(text.to_owned()))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        crate::digest::by_text(d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recipient in age's own documentation.
    const GOOD: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    #[test]
    fn a_recipient_has_one_spelling_and_a_checksum() {
        let good: Recipient = GOOD.parse().unwrap();
        assert_eq!((good.to_string(), good.key().unwrap().to_string()), (GOOD.to_owned(), GOOD.to_owned()));
        assert_eq!(serde_json::from_str::<Recipient>(&serde_json::to_string(&good).unwrap()).unwrap(), good);
        let flipped = GOOD.replacen("ql3", "ql4", 1);
        let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
        for bad in ["", "age1", &flipped, &GOOD.to_uppercase(), &format!("{GOOD} "), &GOOD[..61], secret] {
            let error = bad.parse::<Recipient>().unwrap_err().to_string();
            assert!(error.contains("is not an age recipient"), "{error}");
        }
    }
}
