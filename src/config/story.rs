//! The model that tells stories, where somebody has named one. Nothing is sent anywhere unless an endpoint is named.

use std::fmt;
use std::time::Duration;

use crate::config::{ConfigError, given_to_git};
use crate::git::repo::Repo;
use crate::host::{env, http};
use crate::story::model::Provider;

/// A model, and how to reach it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoryModel {
    pub provider: Provider,
    pub model: String,
    /// What comes before the provider's paths; without a slash at its end.
    pub base_url: String,
    pub key: Option<String>,
    /// How long it may take to answer.
    pub patience: Duration,
}

/// The key is shown nowhere.
impl fmt::Debug for StoryModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoryModel")
            .field("model", &self.model)
            .field("place", &http::place(&self.base_url))
            .finish_non_exhaustive()
    }
}

/// How long a model may take that nothing is said of, in seconds, and the longest that can be said.
const PATIENCE: u64 = 120;
const LONGEST: u64 = 600;

/// The model that is named for a repository: `TRACEVAULT_STORY_URL`, `_PROVIDER`, `_MODEL`, `_KEY` and `_TIMEOUT`, or
/// `tracevault.story.baseUrl` and so on in git's configuration. `None` where no URL is named, or an empty one.
pub fn story_model(repo: &Repo) -> Result<Option<StoryModel>, ConfigError> {
    let given = given_to_git(repo);
    read(|variable, key| {
        let key = format!("tracevault.story.{key}");
        let configured = given.get(&key.to_ascii_lowercase()).cloned().or_else(|| repo.config(&key));
        env::story(variable).or(configured).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    })
}

/// The same, whatever answers for a variable and a key.
fn read(value: impl Fn(&str, &str) -> Option<String>) -> Result<Option<StoryModel>, ConfigError> {
    let Some(url) = value("URL", "baseUrl") else { return Ok(None) };
    let wrong = |key: &str, value: String, expected| ConfigError::Value {
        name: format!("tracevault.story.{key}"),
        value,
        expected,
    };
    if http::has_secrets(&url) {
        let expected = "a URL without a name, a password or a query: the key has a place of its own";
        return Err(wrong("baseUrl", http::place(&url), expected));
    }
    if !http::is_private(&url) {
        return Err(wrong("baseUrl", http::place(&url), "an https URL, or one of this machine"));
    }
    let provider = value("PROVIDER", "provider").unwrap_or_default();
    let Some(known) = Provider::from_name(&provider) else {
        return Err(wrong("provider", provider, "anthropic or openai"));
    };
    let Some(model) = value("MODEL", "model") else {
        return Err(wrong("model", String::new(), "a model's name"));
    };
    let patience = match value("TIMEOUT", "timeout") {
        None => PATIENCE,
        Some(text) => match text.parse() {
            Ok(seconds @ 1..=LONGEST) => seconds,
            _ => return Err(wrong("timeout", text, "a number of seconds from 1 to 600")),
        },
    };
    Ok(Some(StoryModel {
        provider: known,
        model,
        base_url: url.trim_end_matches('/').to_owned(),
        key: value("KEY", "key"),
        patience: Duration::from_secs(patience),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[(&str, &str)]) -> Result<Option<StoryModel>, String> {
        let find =
            |_: &str, key: &str| values.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
        read(find).map_err(|error| error.to_string())
    }

    #[test]
    fn a_model_is_asked_only_where_all_of_it_is_named() {
        let all =
            [("baseUrl", "https://models.example/v1/"), ("provider", "openai"), ("model", "m"), ("key", "secret")];
        let model = told(&all).unwrap().unwrap();
        assert_eq!((model.base_url.as_str(), model.patience.as_secs()), ("https://models.example/v1", PATIENCE));
        assert!(!format!("{model:?}").contains("secret"));
        assert_eq!(told(&all[1..]), Ok(None), "no endpoint is named");
        for (changed, expected) in [
            (("baseUrl", "http://models.example"), "an https URL"),
            (("baseUrl", "https://ada:s3cret@models.example"), "a URL without a name"),
            (("baseUrl", "https://models.example/v1?key=s3cret"), "a URL without a name"),
            (("provider", "other"), "anthropic or openai"),
            (("timeout", "0"), "number of seconds"),
        ] {
            let values: Vec<_> = [changed].into_iter().chain(all).collect();
            let error = told(&values).unwrap_err();
            assert!(error.contains(expected) && !error.contains("s3cret"), "{changed:?}: {error}");
        }
        assert!(told(&all[..2]).unwrap_err().contains("a model's name"));
    }
}
