//! Letting a model tell a story: what is sent is redacted again, what comes back is checked, and what fails is said.

use crate::config::StoryModel;
use crate::host::http;
use crate::redaction::Redactor;
use crate::story::model::{Answer, NoAnswer, retold};
use crate::story::{About, Spent, Story, Teller};

/// The story in the model's words, or as it was composed, with the reason why. `redactor` has the rules by which the story's
/// sessions were read.
pub fn tell(story: Story, model: &StoryModel, redactor: &Redactor) -> Story {
    match ask(&redacted(&story, redactor), model) {
        Ok(told) => told,
        Err((why, spent)) => Story { teller: Teller::Records { fallback: Some(why), spent }, ..story },
    }
}

/// The answer, or why there is none and what that cost.
fn ask(story: &Story, model: &StoryModel) -> Result<Story, (String, Option<Spent>)> {
    let (provider, place) = (model.provider, http::place(&model.base_url));
    let (status, body) = sent(story, model).map_err(|why| (format!("{place} cannot be asked: {why}"), None))?;
    let told = provider.read(status, &body).and_then(|answer: Answer| retold(story, &answer, &model.model));
    told.map_err(|why: NoAnswer| (format!("{} at {place}: {why}", model.model), provider.spent(&model.model, &body)))
}

/// The status and the body of the answer; asked a second time where the first was refused for a name.
fn sent(story: &Story, model: &StoryModel) -> Result<(u16, Vec<u8>), String> {
    let provider = model.provider;
    let url = format!("{}{}", model.base_url, provider.path());
    let headers = provider.headers(model.key.as_deref());
    let mut answered = Err("nothing to ask".to_owned());
    for limit in provider.limits() {
        let request = provider.request(&model.model, story, limit);
        answered = http::post_json(&url, &headers, &request, model.patience).map_err(|error| error.to_string());
        if !matches!(&answered, Ok((status, body)) if provider.refuses(limit, *status, body)) {
            break;
        }
    }
    answered
}

/// The story without what the rules find in what is no session's.
fn redacted(story: &Story, redactor: &Redactor) -> Story {
    let mut story = story.clone();
    for source in &mut story.sources {
        redactor.clean(&mut source.text);
        for name in source.by.author.iter_mut().chain(&mut source.by.reviewers) {
            redactor.clean(name);
        }
    }
    if let About::Line { text, .. } | About::Commit { subject: text, .. } = &mut story.about {
        redactor.clean(text);
    }
    story
}
