//! The environment: every variable this program reads, by name, and where the user's own files are.
#![allow(clippy::disallowed_methods)]

use std::ffi::OsString;
use std::path::PathBuf;

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `TRACEVAULT_NOW`: an RFC 3339 time that stands in for the clock.
pub fn now() -> Option<String> {
    text("TRACEVAULT_NOW")
}

/// `TRACEVAULT_PUSHING`: set by our own pushes, so that the pre-push hook does not call itself.
pub const PUSHING: &str = "TRACEVAULT_PUSHING";

/// Whether this runs inside one of our own pushes.
pub fn is_pushing() -> bool {
    text(PUSHING).is_some()
}

/// `TRACEVAULT_PUSH_ON_FAILURE`: `block` or `warn`.
pub fn push_on_failure() -> Option<String> {
    text("TRACEVAULT_PUSH_ON_FAILURE")
}

/// `DATABASE_URL`: the index of `serve`, a file or a `postgres://` URL.
pub fn database_url() -> Option<String> {
    text("DATABASE_URL")
}

/// `HOST` and `PORT`: where `serve` listens, 127.0.0.1 and 8080 where only one is there.
pub fn listen() -> Option<String> {
    let (host, port) = (text("HOST"), text("PORT"));
    if host.is_none() && port.is_none() {
        return None;
    }
    let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
    Some(format!("{host}:{}", port.unwrap_or_else(|| "8080".to_owned())))
}

/// `GIT_CONFIG_PARAMETERS`: git was started with `-c key=value`.
pub fn git_has_parameters() -> bool {
    text("GIT_CONFIG_PARAMETERS").is_some()
}

/// `NO_COLOR` (no-color.org).
pub fn no_color() -> bool {
    text("NO_COLOR").is_some()
}

/// `GIT_PAGER`; empty means none is wanted.
pub fn git_pager() -> Option<String> {
    std::env::var("GIT_PAGER").ok()
}

/// `PAGER`; empty means none is wanted.
pub fn plain_pager() -> Option<String> {
    std::env::var("PAGER").ok()
}

/// `GIT_PAGER_IN_USE`: git already pages what we print.
pub fn pager_in_use() -> bool {
    text("GIT_PAGER_IN_USE").is_some()
}

/// `COLUMNS`: how wide the terminal is, where its user or git knows better.
pub fn columns() -> Option<usize> {
    text("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0)
}

/// `HOME` (`USERPROFILE` on Windows).
pub fn home() -> Option<PathBuf> {
    path("HOME").or_else(|| path("USERPROFILE"))
}

/// The user's configuration folder: `$XDG_CONFIG_HOME/git-tracevault`, or `~/.config/git-tracevault`.
pub fn config_dir() -> Option<PathBuf> {
    path("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config"))).map(|dir| dir.join("git-tracevault"))
}

/// The user's state folder: `$XDG_STATE_HOME/git-tracevault`, or `~/.local/state/git-tracevault`.
pub fn state_dir() -> Option<PathBuf> {
    path("XDG_STATE_HOME")
        .or_else(|| home().map(|home| home.join(".local/state")))
        .map(|dir| dir.join("git-tracevault"))
}

/// Where Claude Code keeps the user's settings: `$CLAUDE_CONFIG_DIR`, or `~/.claude`.
pub fn claude_config_dir() -> Option<PathBuf> {
    path("CLAUDE_CONFIG_DIR").or_else(|| home().map(|home| home.join(".claude")))
}

/// `CLAUDE_PROJECT_DIR`: where the agent was started, whatever its working directory is by now.
pub fn project_dir() -> Option<PathBuf> {
    path("CLAUDE_PROJECT_DIR")
}

/// `CLAUDE_CODE_SESSION_ID`: the session of Claude Code in whose shell we run.
pub fn claude_session() -> Option<String> {
    text("CLAUDE_CODE_SESSION_ID")
}

/// Git's own folder of the user: `$XDG_CONFIG_HOME/git`, or `~/.config/git`.
pub fn git_user_dir() -> Option<PathBuf> {
    path("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config"))).map(|dir| dir.join("git"))
}

/// The configuration files git reads that are not a repository's own, least important first.
/// `GIT_CONFIG_NOSYSTEM` and `GIT_CONFIG_GLOBAL` change them as they do for git.
pub fn git_config_files() -> Vec<PathBuf> {
    let system = text("GIT_CONFIG_NOSYSTEM").is_none().then(|| PathBuf::from("/etc/gitconfig"));
    let user = match std::env::var_os("GIT_CONFIG_GLOBAL") {
        Some(file) => vec![PathBuf::from(file)],
        None => git_user_dir()
            .map(|dir| dir.join("config"))
            .into_iter()
            .chain(home().map(|home| home.join(".gitconfig")))
            .collect(),
    };
    system.into_iter().chain(user).collect()
}

/// `GIT_OBJECT_DIRECTORY`, `GIT_ALTERNATE_OBJECT_DIRECTORIES`: where git says its objects are, as in a hook that judges a push.
pub fn git_object_folders() -> Vec<PathBuf> {
    let others = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
    let others = std::env::split_paths(&others).filter(|folder| !folder.as_os_str().is_empty());
    path("GIT_OBJECT_DIRECTORY").into_iter().chain(others).collect()
}

/// What GitHub Actions tells a job.
#[derive(Debug, Clone, Default)]
pub struct GitHub {
    /// `GITHUB_EVENT_NAME`.
    pub event: String,
    /// `GITHUB_EVENT_PATH`: the file with the event's payload.
    pub payload: Option<PathBuf>,
    /// `GITHUB_SHA`.
    pub sha: String,
    /// `GITHUB_SERVER_URL`.
    pub server: String,
    /// `GITHUB_OUTPUT`: the file that takes a step's outputs.
    pub outputs: Option<PathBuf>,
    /// `GITHUB_STEP_SUMMARY`: the file that takes a step's page.
    pub summary: Option<PathBuf>,
}

/// `GITHUB_ACTIONS`: what the job is told, where this runs in one.
pub fn github() -> Option<GitHub> {
    text("GITHUB_ACTIONS")?;
    Some(GitHub {
        event: text("GITHUB_EVENT_NAME").unwrap_or_default(),
        payload: path("GITHUB_EVENT_PATH"),
        sha: text("GITHUB_SHA").unwrap_or_default(),
        server: text("GITHUB_SERVER_URL").unwrap_or_default(),
        outputs: path("GITHUB_OUTPUT"),
        summary: path("GITHUB_STEP_SUMMARY"),
    })
}

/// What GitLab CI tells a job, each field after its variable.
#[derive(Debug, Clone, Default)]
pub struct GitLab {
    pub pipeline_source: String,
    pub commit_sha: String,
    pub commit_before_sha: String,
    pub commit_branch: Option<String>,
    pub commit_tag: Option<String>,
    pub default_branch: String,
    pub server_url: String,
    pub merge_request_iid: String,
    pub merge_request_diff_base_sha: String,
    pub merge_request_source_branch_sha: Option<String>,
    pub merge_request_target_branch_name: String,
    pub merge_request_project_url: String,
    pub merge_request_source_project_url: String,
}

/// `GITLAB_CI`: what the job is told (`CI_PIPELINE_SOURCE` and so on), where this runs in one.
pub fn gitlab() -> Option<GitLab> {
    text("GITLAB_CI")?;
    let told = |name: &str| text(name).unwrap_or_default();
    Some(GitLab {
        pipeline_source: told("CI_PIPELINE_SOURCE"),
        commit_sha: told("CI_COMMIT_SHA"),
        commit_before_sha: told("CI_COMMIT_BEFORE_SHA"),
        commit_branch: text("CI_COMMIT_BRANCH"),
        commit_tag: text("CI_COMMIT_TAG"),
        default_branch: told("CI_DEFAULT_BRANCH"),
        server_url: told("CI_SERVER_URL"),
        merge_request_iid: told("CI_MERGE_REQUEST_IID"),
        merge_request_diff_base_sha: told("CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        merge_request_source_branch_sha: text("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
        merge_request_target_branch_name: told("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        merge_request_project_url: told("CI_MERGE_REQUEST_PROJECT_URL"),
        merge_request_source_project_url: told("CI_MERGE_REQUEST_SOURCE_PROJECT_URL"),
    })
}

/// `TRACEVAULT_CI_KEY`: the text of the secret key with which a machine seals or links.
pub fn ci_key() -> Option<String> {
    text("TRACEVAULT_CI_KEY")
}

/// `TRACEVAULT_STORY_PROVIDER` and so on: the model that tells stories, each as `tracevault.story.*` in git's configuration. An
/// empty one is there: it takes back what is configured.
pub fn story(name: &str) -> Option<String> {
    std::env::var(format!("TRACEVAULT_STORY_{name}")).ok()
}

/// The folder for temporary files.
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}

/// The working directory.
pub fn current_dir() -> std::io::Result<PathBuf> {
    std::env::current_dir()
}

/// This program's own path.
pub fn current_exe() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// The program's arguments, its name first.
pub fn args() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

/// The machine's name, for a device's default name.
pub fn host_name() -> Option<String> {
    text("HOSTNAME").or_else(|| std::fs::read_to_string("/etc/hostname").ok()).map(|name| name.trim().to_owned())
}
