//! Letting a model tell a story: what is sent is redacted again, what comes back is checked, and what fails is said.

use crate::config::StoryModel;
use crate::host::http;
use crate::ledger::again;
use crate::story::model::{NoAnswer, retold};
use crate::story::{About, Story, Teller};

/// The story in the model's words, or as it was composed, with the reason why.
pub fn tell(story: Story, model: &StoryModel) -> Story {
    match ask(&redacted(&story), model) {
        Ok(told) => told,
        Err(why) => Story { teller: Teller::Records { fallback: Some(why) }, ..story },
    }
}

fn ask(story: &Story, model: &StoryModel) -> Result<Story, String> {
    let provider = model.provider;
    let url = format!("{}{}", model.base_url, provider.path());
    let headers = provider.headers(model.key.as_deref());
    let request = provider.request(&model.model, story);
    let answered = http::post_json(&url, &headers, &request, model.patience);
    let (status, body) = answered.map_err(|error| format!("{} cannot be asked: {error}", model.base_url))?;
    let told = provider.read(status, &body).and_then(|answer| retold(story, &answer, &model.model));
    told.map_err(|why: NoAnswer| format!("{} at {}: {why}", model.model, model.base_url))
}

/// The story without what the newest rules find, as it leaves this machine.
fn redacted(story: &Story) -> Story {
    let mut story = story.clone();
    again::forget();
    for source in &mut story.sources {
        again::redact(&mut source.text);
    }
    match &mut story.about {
        About::Line { text, .. } => drop(again::redact(text)),
        About::Commit { subject, .. } => drop(again::redact(subject)),
        About::Symbol { .. } | About::Session { .. } => {}
    }
    story
}
