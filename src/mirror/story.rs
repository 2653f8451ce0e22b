//! Stories from a mirror: only the sessions and commits are read that the index names.

use std::rc::Rc;
use std::time::Duration;

use crate::git::blame::Source;
use crate::git::repo::Repo;
use crate::id::{GitId, RepoPath, SessionId};
use crate::index::Spoken;
use crate::ledger::story::{commits, scenes};
use crate::mirror::{Mirror, MirrorError, Shelves};
use crate::story::Story;
use crate::story::compose::compose;
use crate::story::material::Material;

/// How long git may look for the commits that changed a line.
const GIT_PATIENCE: Duration = Duration::from_secs(5);

/// So many sessions are read for the story of a line.
pub const SESSIONS: usize = 6;

/// What a story is told from, as the index has it.
pub struct AskedStory {
    /// What is known without a look at sessions.
    pub material: Material,
    /// The sessions to be read, and their good records.
    pub sessions: Vec<(SessionId, Spoken)>,
    /// Commits that are told of besides those of the material, as many as are here.
    pub commits: Vec<GitId>,
}

impl Mirror {
    /// The story; `whole` where all of the repository is theirs to read who asks, so that what is encrypted is opened for them.
    pub fn story(&self, asked: AskedStory, whole: bool) -> Result<Story, MirrorError> {
        asked.told(&self.open()?, &if whole { self.shelves()? } else { self.closed_shelves()? })
    }

    /// What is known of a line, with the commits that brought and changed it; it stood there in that commit.
    pub fn with_changes(
        &self,
        mut material: Material,
        (commit, path, line): (GitId, RepoPath, u32),
    ) -> Result<Material, MirrorError> {
        add_changes(&mut material, &self.open()?, &Source { commit, path: Rc::new(path), line });
        Ok(material)
    }
}

/// Adds the commits that brought and changed a line.
pub fn add_changes(material: &mut Material, repo: &Repo, source: &Source) {
    match commits::of_line(repo, source, Some(GIT_PATIENCE)) {
        Ok(commits) => material.commits = commits,
        Err(error) => material.missing.push(format!("the commits that changed it: {error}")),
    }
}

impl AskedStory {
    /// The story, by what was said in its sessions and by the commits around it.
    pub fn told(self, repo: &Repo, shelves: &Shelves) -> Result<Story, MirrorError> {
        let AskedStory { mut material, sessions, commits: others } = self;
        let wanted = material.writers.iter().map(|writer| writer.call.clone()).collect();
        for (session, spoken) in &sessions {
            let read = shelves.scenes(session, spoken, &wanted, &mut material.missing)?;
            material.scenes.extend(read);
        }
        scenes::order(&mut material.scenes);
        let here = others.iter().filter(|commit| repo.contains(commit));
        material.commits.extend(commits::of_session(&repo.home(), here));
        Ok(compose(&material))
    }
}
