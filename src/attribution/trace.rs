//! `agent-trace.json`: the lines a commit adds in the form of Agent Trace 0.1.0, for others to read.
//!
//! Written canonically: RFC 8785 (keys sorted, no white space, integers only), files by path, conversations and ranges
//! by line. The same facts make the same bytes. A line that no range covers is nobody's known; so are the ranges whose
//! contributor is `unknown`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::commit::{FileAttribution, LineRange};
use super::labels::Origin;
use crate::digest::Digest;
use crate::id::{CallId, GitId, RepoPath, SessionId};
use crate::record::body::LineAuthor;
use crate::time::Time;

/// The version of the specification that is written; read are all of major version 0 and 1, however short.
pub(super) const VERSION: &str = "0.1.0";
const TOOL: &str = "git-tracevault";
/// What a model id may have, by the specification.
pub const MAX_MODEL: usize = 250;

/// What the trace says beside whose the lines are.
pub struct Facts<'a> {
    pub commit: &'a GitId,
    pub time: Time,
    /// The version of the program that recorded the commit.
    pub tool_version: &'a str,
}

/// The bytes of `agent-trace.json`. `model` names the model of a call, `provider/model`, where it is known.
pub fn write(
    facts: &Facts<'_>,
    files: &[FileAttribution],
    model: impl Fn(&LineAuthor) -> Option<String>,
) -> serde_json::Result<Vec<u8>> {
    let mut files: Vec<&FileAttribution> = files.iter().filter(|file| !file.ranges.is_empty()).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut document = Document {
        files: files.into_iter().map(|file| file_entry(file, &model)).collect(),
        id: Uuid::nil().to_string(),
        timestamp: facts.time,
        tool: Tool { name: TOOL, version: facts.tool_version },
        vcs: Vcs { revision: facts.commit, kind: "git" },
        version: VERSION,
    };
    document.id = id_of(&serde_json::to_vec(&document)?);
    serde_json::to_vec(&document)
}

/// A trace's id is of what it says: a UUIDv5 of the document with the nil id.
pub(super) fn id_of(document: &[u8]) -> String {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"tracevault:agent-trace");
    Uuid::new_v5(&namespace, document).to_string()
}

fn file_entry<'a>(file: &'a FileAttribution, model: &impl Fn(&LineAuthor) -> Option<String>) -> FileEntry<'a> {
    let mut conversations: Vec<(&Origin<LineAuthor>, Vec<RangeEntry>)> = Vec::new();
    for range in &file.ranges {
        let LineRange { start: start_line, end: end_line, content_hash, .. } = *range;
        let entry = RangeEntry { content_hash: content_hash.to_string(), end_line, start_line };
        match conversations.iter_mut().find(|(origin, _)| **origin == range.origin) {
            Some((_, ranges)) => ranges.push(entry),
            None => conversations.push((&range.origin, vec![entry])),
        }
    }
    let conversation = |(origin, ranges): (&Origin<LineAuthor>, _)| {
        let (kind, author) = match origin {
            Origin::Agent(author) => (Contributor::Ai, Some(author)),
            Origin::Human => (Contributor::Human, None),
            Origin::Unattributed => (Contributor::Unknown, None),
        };
        let model_id = author.and_then(model).filter(|model| model.chars().count() <= MAX_MODEL);
        Conversation { contributor: ContributorEntry { model_id, kind }, ranges, url: author.map(call_uri) }
    };
    FileEntry { conversations: conversations.into_iter().map(conversation).collect(), path: &file.path }
}

/// What names a session's call where no web page does: `tracevault:session/<id>#<call>`.
pub fn call_uri(author: &LineAuthor) -> String {
    format!("tracevault:session/{}#{}", author.session, percent(author.call.as_str()))
}

/// The reverse of [`call_uri`].
fn parse_call_uri(uri: &str) -> Option<LineAuthor> {
    let (session, call) = uri.strip_prefix("tracevault:session/")?.split_once('#')?;
    let call = CallId::from_agent(&from_percent(call)?);
    let author = LineAuthor { session: session.parse::<SessionId>().ok()?, call };
    // One call, one spelling.
    (call_uri(&author) == uri).then_some(author)
}

/// Text as a part of a URI: all but letters, digits and `-._~` as `%XX`.
pub(super) fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let mut uri = String::with_capacity(text.len());
    for b in text.bytes() {
        match plain(b) {
            true => uri.push(char::from(b)),
            false => uri.push_str(&format!("%{b:02X}")),
        }
    }
    uri
}

/// The reverse of [`percent`].
pub(super) fn from_percent(uri: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let [b, tail @ ..] = rest {
        rest = match (b, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let mut byte = [0];
                hex::decode_to_slice([*high, *low], &mut byte).ok()?;
                bytes.push(byte[0]);
                tail
            }
            _ => {
                bytes.push(*b);
                tail
            }
        };
    }
    String::from_utf8(bytes).ok()
}

// The document as it is written: fields in the order of their names, as the canonical form wants them.

#[derive(Serialize)]
struct Document<'a> {
    files: Vec<FileEntry<'a>>,
    id: String,
    timestamp: Time,
    tool: Tool<'a>,
    vcs: Vcs<'a>,
    version: &'a str,
}

#[derive(Serialize)]
struct FileEntry<'a> {
    conversations: Vec<Conversation>,
    path: &'a RepoPath,
}

#[derive(Serialize)]
struct Conversation {
    contributor: ContributorEntry,
    ranges: Vec<RangeEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct ContributorEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    model_id: Option<String>,
    #[serde(rename = "type")]
    kind: Contributor,
}

#[derive(Serialize)]
struct RangeEntry {
    content_hash: String,
    end_line: u32,
    start_line: u32,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Vcs<'a> {
    revision: &'a GitId,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// A trace as read, ours or another program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub id: Option<String>,
    pub time: Option<Time>,
    /// The commit it is about, as the writer names it.
    pub revision: Option<String>,
    /// The program that wrote it, and its version.
    pub tool: Option<String>,
    pub tool_version: Option<String>,
    pub files: Vec<TraceFile>,
}

/// The ranges of one file, by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFile {
    pub path: RepoPath,
    pub ranges: Vec<TraceRange>,
}

/// Lines and who made them, as the trace claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRange {
    pub start: u32,
    pub end: u32,
    pub contributor: Contributor,
    pub model: Option<String>,
    pub url: Option<String>,
    pub content_hash: Option<String>,
}

impl TraceRange {
    /// The session and call, where the trace is one of ours.
    pub fn author(&self) -> Option<LineAuthor> {
        self.url.as_deref().and_then(parse_call_uri)
    }

    /// The SHA-256 of the lines' bytes, if the trace names it.
    pub fn content_hash(&self) -> Option<Digest> {
        self.content_hash.as_deref()?.strip_prefix("sha256:")?.parse().ok()
    }

    /// The origin, where the trace is one of ours.
    pub fn origin(&self) -> Origin<LineAuthor> {
        match (self.contributor, self.author()) {
            (Contributor::Ai, Some(author)) => Origin::Agent(author),
            (Contributor::Human, _) => Origin::Human,
            _ => Origin::Unattributed,
        }
    }
}

/// Who made lines, in the words of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contributor {
    Ai,
    Human,
    Mixed,
    #[serde(other)]
    Unknown,
}

/// Why a trace cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    #[error("the trace is not JSON of the form Agent Trace has")]
    Json(#[from] serde_json::Error),
    #[error("the trace is of version {0:?}; versions 0 and 1 can be read")]
    Version(String),
    #[error("the trace names {path:?}")]
    Path { path: String, source: crate::id::ParseIdError },
    #[error("the trace names lines {start} to {end} of {path}")]
    Range { path: RepoPath, start: u32, end: u32 },
}

/// Reads a trace of any program. Unknown fields and contributors are passed over; what is said of lines must make sense.
pub fn read(bytes: &[u8]) -> Result<Trace, TraceError> {
    let raw: RawTrace = serde_json::from_slice(bytes)?;
    let mut numbers = raw.version.split('.');
    let major = numbers.next().unwrap_or_default();
    if !matches!(major, "0" | "1") || numbers.any(|number| number.parse::<u32>().is_err()) {
        return Err(TraceError::Version(raw.version.chars().take(40).collect()));
    }
    let (tool, tool_version) = raw.tool.map_or((None, None), |tool| (tool.name, tool.version));
    Ok(Trace {
        id: raw.id,
        time: raw.timestamp.and_then(|time| Time::from_rfc3339(&time)),
        revision: raw.vcs.and_then(|vcs| vcs.revision),
        tool,
        tool_version,
        files: raw.files.into_iter().map(read_file).collect::<Result<_, _>>()?,
    })
}

fn read_file(raw: RawFile) -> Result<TraceFile, TraceError> {
    let path = raw.path.strip_prefix("./").unwrap_or(&raw.path);
    let path: RepoPath = path.parse().map_err(|source| TraceError::Path { path: raw.path.clone(), source })?;
    let mut ranges = Vec::new();
    for conversation in raw.conversations {
        for range in conversation.ranges {
            let (start, end) = (range.start_line, range.end_line);
            if start == 0 || end < start {
                return Err(TraceError::Range { path, start, end });
            }
            let who = range.contributor.as_ref().or(conversation.contributor.as_ref());
            ranges.push(TraceRange {
                start,
                end,
                contributor: who.map_or(Contributor::Unknown, |who| who.kind),
                model: who.and_then(|who| who.model_id.clone()),
                url: conversation.url.clone(),
                content_hash: range.content_hash,
            });
        }
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    Ok(TraceFile { path, ranges })
}

#[derive(Deserialize)]
struct RawTrace {
    version: String,
    id: Option<String>,
    timestamp: Option<String>,
    vcs: Option<RawVcs>,
    tool: Option<RawTool>,
    files: Vec<RawFile>,
}

#[derive(Deserialize)]
struct RawVcs {
    revision: Option<String>,
}

#[derive(Deserialize)]
struct RawTool {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct RawFile {
    path: String,
    conversations: Vec<RawConversation>,
}

#[derive(Deserialize)]
struct RawConversation {
    url: Option<String>,
    contributor: Option<RawContributor>,
    ranges: Vec<RawRange>,
}

#[derive(Deserialize)]
struct RawContributor {
    #[serde(rename = "type")]
    kind: Contributor,
    model_id: Option<String>,
}

#[derive(Deserialize)]
struct RawRange {
    start_line: u32,
    end_line: u32,
    content_hash: Option<String>,
    contributor: Option<RawContributor>,
}

#[cfg(test)]
mod tests {
    use crate::attribution::schema::{SCHEMA, assert_valid};
    use proptest::prelude::*;

    use super::*;
    use crate::attribution::commit::ContentHash;
    use crate::digest::Digest;
    use crate::record::body::FileLines;

    fn range(start: u32, end: u32, origin: Origin<LineAuthor>) -> LineRange {
        LineRange { start, end, origin, content_hash: ContentHash(Digest::of(&start.to_le_bytes())) }
    }

    fn agent(session: &str, call: &str) -> Origin<LineAuthor> {
        Origin::Agent(LineAuthor { session: SessionId::from_agent(session), call: CallId::from_agent(call) })
    }

    fn file(path: &str, ranges: Vec<LineRange>) -> FileAttribution {
        let path = RepoPath::from_bytes(path.as_bytes()).unwrap();
        let lines = FileLines { path: path.clone(), added: 0, agent: 0, human: 0, unattributed: 0 };
        FileAttribution { path, ranges, lines }
    }

    fn text(files: &[FileAttribution]) -> String {
        let commit = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        let facts = Facts { commit: &commit, time: Time::from_unix(1_795_290_800), tool_version: "0.1.0" };
        let model =
            |author: &LineAuthor| (author.call.as_str() != "bare").then(|| "anthropic/claude-opus-5-5".to_owned());
        String::from_utf8(write(&facts, files, model).unwrap()).unwrap()
    }

    #[test]
    fn a_trace_is_these_very_bytes() {
        let ranges = vec![
            range(1, 2, agent("s1", "toolu_1")),
            range(3, 3, Origin::Unattributed),
            range(4, 4, Origin::Human),
            range(9, 12, agent("s1", "toolu_1")),
        ];
        let trace = text(&[
            file("src/b.rs", ranges),
            file("a b\n.rs", vec![range(1, 1, agent("s2", "bare"))]),
            file("x", vec![]),
        ]);
        let hash = |line: u32| ContentHash(Digest::of(&line.to_le_bytes()));
        let expected = format!(
            concat!(
                r#"{{"files":[{{"conversations":[{{"contributor":{{"type":"ai"}},"ranges":[{{"content_hash":"{h1}","end_line":1,"start_line":1}}],"#,
                r#""url":"tracevault:session/s2#bare"}}],"path":"\"a b\\012.rs\""}},"#,
                r#"{{"conversations":[{{"contributor":{{"model_id":"anthropic/claude-opus-5-5","type":"ai"}},"ranges":["#,
                r#"{{"content_hash":"{h1}","end_line":2,"start_line":1}},{{"content_hash":"{h9}","end_line":12,"start_line":9}}],"#,
                r#""url":"tracevault:session/s1#toolu_1"}},"#,
                r#"{{"contributor":{{"type":"unknown"}},"ranges":[{{"content_hash":"{h3}","end_line":3,"start_line":3}}]}},"#,
                r#"{{"contributor":{{"type":"human"}},"ranges":[{{"content_hash":"{h4}","end_line":4,"start_line":4}}]}}],"path":"src/b.rs"}}],"#,
                r#""id":"ID","timestamp":"2026-11-21T19:53:20Z","tool":{{"name":"git-tracevault","version":"0.1.0"}},"#,
                r#""vcs":{{"revision":"0123456789abcdef0123456789abcdef01234567","type":"git"}},"version":"0.1.0"}}"#,
            ),
            h1 = hash(1),
            h3 = hash(3),
            h4 = hash(4),
            h9 = hash(9),
        );
        let id = read(trace.as_bytes()).unwrap().id.unwrap();
        assert_eq!(trace, expected.replace("ID", &id));
        assert_eq!(id.parse::<Uuid>().unwrap().get_version_num(), 5);
        assert_valid(&trace);
    }

    #[test]
    fn the_id_is_of_what_is_said() {
        let one = text(&[file("a", vec![range(1, 1, Origin::Human)])]);
        assert_eq!(one, text(&[file("a", vec![range(1, 1, Origin::Human)])]));
        let other = text(&[file("a", vec![range(1, 2, Origin::Human)])]);
        let id = |trace: &str| read(trace.as_bytes()).unwrap().id;
        assert_ne!(id(&one), id(&other));
    }

    #[test]
    fn a_trace_of_many_lines_is_small() {
        let one = text(&[file("big", vec![range(1, 100_000, Origin::Unattributed)])]);
        assert!(one.len() < 600, "{}", one.len());
        let many: Vec<_> =
            (0..1000).map(|n| file(&format!("dir/file{n}"), vec![range(1, 100, Origin::Unattributed)])).collect();
        assert!(text(&many).len() < 250_000, "{}", text(&many).len());
    }

    #[test]
    fn the_schema_refuses_what_is_wrong() {
        // So that a test that passes says something.
        let schema = serde_json::from_str(SCHEMA).unwrap();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let trace = text(&[file("a", vec![range(1, 1, agent("s", "c"))])]);
        let wrong = [("\"id\":\"", "\"id\":\"x"), ("2026-11-21T", "2026-11-21 at "), ("tracevault:session", "no uri")];
        for (right, wrong) in wrong {
            let instance = serde_json::from_str(&trace.replace(right, wrong)).unwrap();
            assert!(!validator.is_valid(&instance), "{wrong}");
        }
    }

    #[test]
    fn others_traces_are_read() {
        for version in ["0.1", "0.1.0", "1.0", "1.0.0", "0"] {
            let trace = format!(
                r#"{{"version":"{version}","x":1,"files":[{{"path":"./a.rs","conversations":[
                    {{"url":"https://example.com/1","contributor":{{"type":"mixed"}},"ranges":[{{"start_line":5,"end_line":9}},
                    {{"start_line":1,"end_line":1,"content_hash":"murmur3:9f2e8a1b","contributor":{{"type":"ai","model_id":"openai/gpt-5"}}}}]}},
                    {{"ranges":[{{"start_line":3,"end_line":3}}],"contributor":{{"type":"robot"}}}}]}}]}}"#
            );
            let trace = read(trace.as_bytes()).unwrap();
            let ranges = &trace.files[0].ranges;
            assert_eq!((trace.files[0].path.as_str(), trace.time, ranges.len()), ("a.rs", None, 3));
            assert_eq!((ranges[0].contributor, ranges[0].model.as_deref()), (Contributor::Ai, Some("openai/gpt-5")));
            assert_eq!((ranges[1].contributor, ranges[2].contributor), (Contributor::Unknown, Contributor::Mixed));
            // Another program's claim is not one of our calls.
            assert!(ranges.iter().all(|range| range.origin() == Origin::Unattributed));
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let trace = |version: &str, path: &str, start: &str| {
            let range = format!(r#"{{"start_line":{start},"end_line":4}}"#);
            format!(
                r#"{{"version":"{version}","files":[{{"path":"{path}","conversations":[{{"ranges":[{range}]}}]}}]}}"#
            )
        };
        assert!(read(trace("0.1", "a", "4").as_bytes()).is_ok());
        for (version, path, start, error) in [
            ("2.0", "a", "1", "version \"2.0\""),
            ("0.x", "a", "1", "version \"0.x\""),
            ("0.1", "../a", "1", "names \"../a\""),
            ("0.1", "/etc/passwd", "1", "names \"/etc/passwd\""),
            ("0.1", "a", "0", "lines 0 to 4 of a"),
            ("0.1", "a", "5", "lines 5 to 4 of a"),
            ("0.1", "a", "1.5", "not JSON"),
            ("0.1", "a", "-1", "not JSON"),
        ] {
            let found = read(trace(version, path, start).as_bytes()).unwrap_err().to_string();
            assert!(found.contains(error), "{found}");
        }
        assert!(read(b"").is_err() && read(b"[]").is_err() && read(&[b'['; 100_000]).is_err());
    }

    fn origins() -> impl Strategy<Value = Origin<LineAuthor>> {
        prop_oneof![
            ("[a-z0-9-]{1,12}", any::<String>()).prop_map(|(session, call)| agent(&session, &call)),
            Just(Origin::Human),
            Just(Origin::Unattributed),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

        #[test]
        fn what_is_written_is_read(
            files in prop::collection::btree_map("[a-zü\" \n]{1,8}", prop::collection::vec((1..5u32, 1..9u32, origins()), 1..6), 0..4)
        ) {
            let mut written: Vec<FileAttribution> = Vec::new();
            for (path, ranges) in files {
                let mut at = 0;
                let ranges = ranges.into_iter().map(|(gap, len, origin)| {
                    let start = at + gap;
                    at = start + len - 1;
                    range(start, at, origin)
                });
                written.push(file(&path, ranges.collect()));
            }
            let text = text(&written);
            assert_valid(&text);
            let trace = read(text.as_bytes()).unwrap();
            written.sort_by(|a, b| a.path.cmp(&b.path));
            let flat = |range: &LineRange| {
                (range.start, range.end, range.origin.clone(), Some(range.content_hash.to_string()))
            };
            let said: Vec<_> = written.iter().map(|f| (f.path.clone(), f.ranges.iter().map(flat).collect::<Vec<_>>())).collect();
            let flat = |range: &TraceRange| (range.start, range.end, range.origin(), range.content_hash.clone());
            let heard: Vec<_> = trace.files.iter().map(|f| (f.path.clone(), f.ranges.iter().map(flat).collect::<Vec<_>>())).collect();
            prop_assert_eq!(said, heard);
        }
    }
}
