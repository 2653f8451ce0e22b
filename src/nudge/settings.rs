//! Which rules speak: the words of `tracevault.nudge`.

use std::collections::BTreeSet;

use super::{Kind, Rule};

/// The rules that speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings(BTreeSet<Rule>);

/// A word that names no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no nudge; there are {known}, and the words all, block and off", known = known())]
pub struct UnknownWord(String);

fn known() -> String {
    Rule::ALL.iter().map(|rule| rule.word()).collect::<Vec<_>>().join(", ")
}

impl Default for Settings {
    /// Only those that block.
    fn default() -> Self {
        Settings(Rule::ALL.iter().copied().filter(|rule| rule.kind() == Kind::Block).collect())
    }
}

impl Settings {
    /// Reads words with commas or spaces between them, from left to right, beginning with the rules that block: `all`,
    /// `block` and `off` set the whole list, a rule's name adds it, `-name` takes it out.
    pub fn parse(text: &str) -> Result<Settings, UnknownWord> {
        let mut settings = Settings::default();
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            match word {
                "all" | "true" | "on" => settings.0.extend(Rule::ALL),
                "off" | "false" | "none" => settings.0.clear(),
                "block" => settings = Settings::default(),
                _ => {
                    let (name, out) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
                    let rule = Rule::ALL.iter().copied().find(|rule| rule.word() == name);
                    let rule = rule.ok_or_else(|| UnknownWord(word.to_owned()))?;
                    if out {
                        settings.0.remove(&rule)
                    } else {
                        settings.0.insert(rule)
                    };
                }
            }
        }
        Ok(settings)
    }

    pub fn has(&self, rule: Rule) -> bool {
        self.0.contains(&rule)
    }

    /// Whether no rule speaks.
    pub fn is_silent(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any rule speaks that only hints.
    pub fn has_hints(&self) -> bool {
        self.0.iter().any(|rule| rule.kind() == Kind::Hint)
    }

    /// The names of the rules that speak.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|rule| rule.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_add_and_take_out_from_left_to_right() {
        let told = |text: &str| Settings::parse(text).map(|settings| settings.words().collect::<Vec<_>>().join(" "));
        let all = "secret model path review tool budget cache repeat others";
        for (text, expected) in [
            ("", "secret model path"),
            ("block", "secret model path"),
            ("all", all),
            ("true", all),
            ("off", ""),
            ("false", ""),
            ("repeat, budget", "secret model path budget repeat"),
            ("all,-cache,-others,-review", "secret model path tool budget repeat"),
            ("off budget", "budget"),
            ("all,off,-secret,block,-path", "secret model"),
        ] {
            assert_eq!(told(text).unwrap(), expected, "{text}");
        }
        let error = told("all,-caches").unwrap_err().to_string();
        assert!(error.starts_with("\"-caches\" is no nudge; there are secret, model"), "{error}");
        assert!(!Settings::default().has_hints() && Settings::parse("tool").unwrap().has_hints());
    }
}
