//! Claims: what another program says of a commit's lines, kept as Agent Trace 0.1.0 and named after where it came from.
//!
//! A claim is never evidence. It is kept apart from all records, and nothing that answers whose a line is may take one for
//! an answer of the ledger's.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::attribution::trace::{self, Contributor, Trace, TraceError, TraceFile, TraceRange};
use crate::id::GitId;
use crate::time::Time;

/// The form that a claim was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    AgentTrace,
    GitAi,
}

impl Form {
    pub fn as_str(self) -> &'static str {
        match self {
            Form::AgentTrace => "agent-trace",
            Form::GitAi => "git-ai",
        }
    }
}

/// What another program says of the lines of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub form: Form,
    pub trace: Trace,
}

impl Claim {
    /// Whose claim it is: one program makes one claim in one form about a commit, and a later one takes its place.
    pub fn source(&self) -> (Form, Option<&str>) {
        (self.form, self.trace.tool.as_deref())
    }

    /// The claim on one line of JSON, a valid trace about `commit`. What the program did not say of when it was made is the
    /// commit's `time`, its id that of its words.
    pub fn write(&self, commit: &GitId, time: Time) -> String {
        let Trace { id, tool, tool_version, files, .. } = &self.trace;
        let file = |file: &TraceFile| json!({"conversations": conversations(&file.ranges), "path": file.path});
        let mut document = json!({
            "files": files.iter().map(file).collect::<Vec<_>>(),
            "id": Uuid::nil().to_string(),
            "metadata": {CLAIM: {"form": self.form}},
            "timestamp": self.trace.time.unwrap_or(time),
        });
        let mut described = serde_json::Map::new();
        described.extend(tool.as_ref().map(|name| ("name".to_owned(), json!(name))));
        described.extend(tool_version.as_ref().map(|version| ("version".to_owned(), json!(version))));
        if !described.is_empty() {
            document["tool"] = described.into();
        }
        document["vcs"] = json!({"revision": commit, "type": "git"});
        document["version"] = trace::VERSION.into();
        let own = id.as_ref().filter(|id| Uuid::try_parse(id).is_ok()).cloned();
        document["id"] = own.unwrap_or_else(|| trace::id_of(document.to_string().as_bytes())).into();
        document.to_string()
    }
}

/// Ranges by who made them, as a trace has it.
fn conversations(ranges: &[TraceRange]) -> Vec<Value> {
    let mut places: HashMap<(Contributor, Option<&str>, Option<&str>), usize> = HashMap::new();
    let mut groups: Vec<(&TraceRange, Vec<Value>)> = Vec::new();
    for range in ranges {
        let mut entry = serde_json::Map::new();
        entry.extend(range.content_hash.as_ref().map(|hash| ("content_hash".to_owned(), json!(hash))));
        entry.insert("end_line".into(), range.end.into());
        entry.insert("start_line".into(), range.start.into());
        let place =
            *places.entry((range.contributor, range.model.as_deref(), range.url.as_deref())).or_insert_with(|| {
                groups.push((range, Vec::new()));
                groups.len() - 1
            });
        groups[place].1.push(entry.into());
    }
    let conversation = |(first, ranges): (&TraceRange, Vec<Value>)| {
        let mut contributor = serde_json::Map::new();
        contributor.extend(first.model.as_ref().map(|model| ("model_id".to_owned(), json!(model))));
        contributor.insert("type".into(), json!(first.contributor));
        let mut conversation = json!({"contributor": contributor, "ranges": ranges});
        if let Some(url) = &first.url {
            conversation["url"] = json!(url);
        }
        conversation
    };
    groups.into_iter().map(conversation).collect()
}

/// The field of a trace's metadata that makes it a claim.
const CLAIM: &str = "tracevault_claim";

#[derive(Deserialize)]
struct Kept {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    tracevault_claim: Marked,
}

#[derive(Deserialize)]
struct Marked {
    form: Form,
}

/// Reads claims as they are kept: what [`Claim::write`] makes of each, on a line of its own.
pub fn read(bytes: &[u8]) -> Result<Vec<Claim>, ReadError> {
    let lines = bytes.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    let claim = |(number, line): (usize, &[u8])| {
        let kept: Kept = serde_json::from_slice(line).map_err(|error| ReadError::json(number + 1, &error))?;
        let trace = trace::read(line).map_err(|error| ReadError::of(number + 1, &error))?;
        Ok(Claim { form: kept.metadata.tracevault_claim.form, trace })
    };
    lines.map(claim).collect()
}

/// Why a trace in a file cannot be read, and on which line of the file.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ReadError {
    /// Counted from 1.
    pub line: usize,
    pub reason: String,
}

impl ReadError {
    /// In a document that begins on a line of the file.
    fn of(begin: usize, error: &TraceError) -> Self {
        match error {
            TraceError::Json(json) => Self::json(begin, json),
            other => ReadError { line: begin, reason: other.to_string() },
        }
    }

    fn json(begin: usize, error: &serde_json::Error) -> Self {
        let line = begin + error.line().saturating_sub(1);
        ReadError { line, reason: format!("not JSON of the form Agent Trace has: {}", super::fault(error)) }
    }
}

/// The traces in a file, each with the line it begins on: one document, or one after the other, as JSON lines are.
pub fn read_traces(bytes: &[u8]) -> Result<Vec<(usize, Trace)>, ReadError> {
    let mut traces = Vec::new();
    let (mut line, mut at) = (1, 0);
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    while let Some(document) = documents.next() {
        // What is no JSON at all has its place in the whole file.
        let document = document.map_err(|error| ReadError::json(1, &error))?.get();
        let begin = documents.byte_offset() - document.len();
        line += bytes[at..begin].iter().filter(|b| **b == b'\n').count();
        at = begin;
        let trace = trace::read(document.as_bytes()).map_err(|error| ReadError::of(line, &error))?;
        traces.push((line, trace));
    }
    Ok(traces)
}

#[cfg(test)]
mod tests {
    use crate::attribution::schema::assert_valid;
    use proptest::prelude::*;

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn commit() -> GitId {
        COMMIT.parse().unwrap()
    }

    #[test]
    fn a_claim_is_a_trace_and_says_that_it_is_a_claim() {
        let source = r#"{"version":"0.1.0","id":"not an id","files":[{"path":"a","conversations":[{"ranges":[{"start_line":1,"end_line":2}],
            "url":"https://example.com/1","contributor":{"type":"ai"}},{"ranges":[{"start_line":3,"end_line":3,"content_hash":"x:1"}]}]}]}"#;
        let claim = Claim { form: Form::AgentTrace, trace: trace::read(source.as_bytes()).unwrap() };
        let text = claim.write(&commit(), Time::from_unix(1_795_290_800));
        assert_valid(&text);
        let id = serde_json::from_str::<Value>(&text).unwrap()["id"].as_str().unwrap().to_owned();
        let expected = concat!(
            r#"{"files":[{"conversations":[{"contributor":{"type":"ai"},"ranges":[{"end_line":2,"start_line":1}],"url":"https://example.com/1"},"#,
            r#"{"contributor":{"type":"unknown"},"ranges":[{"content_hash":"x:1","end_line":3,"start_line":3}]}],"path":"a"}],"id":"ID","#,
            r#""metadata":{"tracevault_claim":{"form":"agent-trace"}},"timestamp":"2026-11-21T19:53:20Z","#,
            r#""vcs":{"revision":"0123456789abcdef0123456789abcdef01234567","type":"git"},"version":"0.1.0"}"#
        );
        assert_eq!(text, expected.replace("ID", &id));
        // The same claim makes the same bytes, also from what was kept.
        let kept = read(text.as_bytes()).unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].write(&commit(), Time::default()), text);
        assert!(read(source.replace('\n', " ").as_bytes()).is_err(), "a trace that is no claim");
    }

    #[test]
    fn many_traces_are_read_and_the_line_of_a_bad_one_is_told() {
        let one = r#"{"version":"0.1.0","files":[{"path":"a","conversations":[{"ranges":[{"start_line":1,"end_line":2}]}]}]}"#;
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(one).unwrap()).unwrap();
        let lines =
            |text: &str| read_traces(text.as_bytes()).map(|found| found.into_iter().map(|(line, _)| line).collect());
        let told = |text: &str| read_traces(text.as_bytes()).unwrap_err().line;
        let all: Vec<usize> = lines(&format!("{one}\n{one}\n\n{pretty}\n{one}")).unwrap();
        assert_eq!(all, [1, 2, 4, 4 + pretty.lines().count()]);
        assert_eq!(lines("").unwrap(), Vec::<usize>::new());
        assert_eq!(told(&format!("{one}\n{one}\n{{\"version\":")), 3);
        assert_eq!(told(&format!("{one}\n{}", one.replace("\"a\"", "\"../a\""))), 2);
        assert_eq!(told(&format!("\n{one}\n{}", pretty.replace("\"end_line\": 2", "\"end_line\": -2"))), 13);
        assert_eq!(told("[]"), 1);
        assert_eq!(told(&format!("{one}\n{}", "[".repeat(1_000_000))), 2);
        assert_eq!(told("\n\n\u{1b}[31m"), 3);
    }

    fn contributors() -> impl Strategy<Value = Contributor> {
        use Contributor::{Ai, Human, Mixed, Unknown};
        prop_oneof![Just(Ai), Just(Human), Just(Mixed), Just(Unknown)]
    }

    fn traces() -> impl Strategy<Value = Trace> {
        let text = || prop::option::of(prop_oneof!["[a-c]", any::<String>()]);
        let url = prop::option::of("(tracevault|https?)://[a-c]/[%]20[a-z]{1,3}#?");
        let range = (1..50u32, 0..9u32, contributors(), prop::option::of("\\PC{1,9}"), url, text());
        let range = range.prop_map(|(start, more, contributor, model, url, content_hash)| TraceRange {
            start,
            end: start + more,
            contributor,
            model,
            url,
            content_hash,
        });
        let files = prop::collection::btree_map("[a-zü\" \n]{1,8}", prop::collection::vec(range, 0..6), 0..4);
        (files, text(), text(), prop::option::of(0..4_000_000_000i64)).prop_map(|(files, tool, tool_version, time)| {
            let file = |(path, mut ranges): (String, Vec<TraceRange>)| {
                sort(&mut ranges);
                TraceFile { path: crate::id::RepoPath::from_bytes(path.as_bytes()).unwrap(), ranges }
            };
            let files = files.into_iter().map(file).collect();
            let revision = Some(COMMIT.into());
            Trace { id: None, time: time.map(Time::from_unix), revision, tool, tool_version, files }
        })
    }

    /// Ranges of the same lines have no order of their own.
    fn sort(ranges: &mut [TraceRange]) {
        ranges.sort_by_key(|r| (r.start, r.end, format!("{r:?}")));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn what_is_written_is_read(traces in prop::collection::vec(traces(), 1..4)) {
            let claims: Vec<Claim> = traces.into_iter().map(|trace| Claim { form: Form::GitAi, trace }).collect();
            let lines: Vec<String> = claims.iter().map(|claim| claim.write(&commit(), Time::from_unix(7))).collect();
            lines.iter().for_each(|line| assert_valid(line));
            let mut read = read(lines.join("\n").as_bytes()).unwrap();
            for (claim, said) in read.iter_mut().zip(&claims) {
                claim.trace.files.iter_mut().for_each(|file| sort(&mut file.ranges));
                prop_assert!(claim.trace.id.take().is_some());
                if said.trace.time.is_none() {
                    prop_assert_eq!(claim.trace.time.take(), Some(Time::from_unix(7)));
                }
            }
            prop_assert_eq!(read, claims);
        }
    }
}
