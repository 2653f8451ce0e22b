//! Tests against recorded sessions of Claude Code, where these are at hand: in the folder that TRACEVAULT_CAPTURES
//! names, or beside the repository.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::agent::Kind;
use crate::record::body::{ModelUsage, PromptClass};
use crate::session::entry::{Line, Outcome};
use crate::session::event::{EventKind, Reach};
use crate::session::shell;
use crate::session::tally::{Facts, Segment, Tally, TallyState};
use crate::session::turns::{Step, Turns};

const ROOTS: [&str; 2] = ["/home/dev/repo", "/home/dev/repo-wt"];

/// The captures' scenarios, none where there are no captures.
fn scenarios() -> Vec<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "only tests look for captures")]
    let named = std::env::var_os("TRACEVAULT_CAPTURES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"));
    let mut scenarios = Vec::new();
    for version in ["claude-code-2.1.197", "claude-code-2.1.330"] {
        let entries = fs::read_dir(folder.join(version)).into_iter().flatten().flatten();
        scenarios.extend(entries.map(|entry| entry.path()).filter(|path| path.is_dir()));
    }
    scenarios.sort();
    scenarios
}

fn scenario(ending: &str) -> Option<PathBuf> {
    scenarios().into_iter().find(|path| path.ends_with(ending))
}

/// A session's transcripts: its own, then its subagents'.
struct Session {
    main: Vec<Line>,
    subagents: Vec<Line>,
}

fn lines(path: &Path) -> Vec<Line> {
    let bytes = fs::read(path).unwrap();
    bytes.split_inclusive(|b| *b == b'\n').map(|line| Kind::ClaudeCode.line(line)).collect()
}

/// The paths of the sessions' own transcripts.
fn mains(scenario: &Path) -> Vec<PathBuf> {
    let mut mains = Vec::new();
    for project in fs::read_dir(scenario.join("transcripts")).unwrap().flatten() {
        mains.extend(fs::read_dir(project.path()).unwrap().flatten().map(|entry| entry.path()));
    }
    mains.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    mains
}

/// The paths of all transcripts, subagents' too.
fn transcripts(scenario: &Path) -> Vec<PathBuf> {
    let mut paths = mains(scenario);
    for main in mains(scenario) {
        paths.extend(Kind::ClaudeCode.subagent_files(&main).unwrap().into_iter().map(|file| file.transcript));
    }
    paths
}

/// The sessions of a scenario in the order in which they began.
fn sessions(scenario: &Path) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for main in mains(scenario) {
        let subagents = Kind::ClaudeCode.subagent_files(&main).unwrap();
        let subagents = subagents.iter().flat_map(|file| lines(&file.transcript)).collect();
        sessions.push(Session { main: lines(&main), subagents });
    }
    // A fork begins with lines of its own, which are younger than the session it copies.
    sessions.sort_by_key(|session| session.main.iter().find_map(|line| line.at));
    sessions
}

/// Facts of several segments in one.
#[derive(Debug, Default, PartialEq)]
struct Sum {
    models: BTreeMap<(String, PromptClass), [u64; 6]>,
    tools: BTreeMap<String, (u64, u64)>,
    programs: BTreeMap<String, u64>,
    files: BTreeMap<String, (u64, u64, u64)>,
    gaps: BTreeMap<String, u64>,
    counts: [u64; 6],
}

impl Sum {
    fn add(&mut self, facts: &Facts) {
        for m in &facts.models {
            let ModelUsage { model, prompt_over, requests, input, output, cache_read, cache_write_5m, cache_write_1h } =
                m;
            let sums = self.models.entry((model.clone(), *prompt_over)).or_default();
            let parts = [requests, input, output, cache_read, cache_write_5m, cache_write_1h];
            sums.iter_mut().zip(parts).for_each(|(sum, n)| *sum += n);
        }
        for tool in &facts.tools {
            let sum = self.tools.entry(tool.name.clone()).or_default();
            *sum = (sum.0 + tool.calls, sum.1 + tool.failed);
        }
        for program in &facts.programs {
            *self.programs.entry(program.name.clone()).or_default() += program.runs;
        }
        for file in &facts.files {
            let sum = self.files.entry(file.path.to_string()).or_default();
            *sum = (sum.0 + file.edits, sum.1 + file.added, sum.2 + file.removed);
        }
        for gap in &facts.gaps {
            *self.gaps.entry(gap.kind.clone()).or_default() += gap.count;
        }
        let Facts { active_seconds, prompts, turns, plans, compactions, subagents, .. } = facts;
        let counts = [active_seconds, prompts, turns, plans, compactions, subagents];
        self.counts.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
    }
}

/// Counts sessions, each in the segments that `cut` makes of it.
fn count(sessions: &[Session], cut: impl Fn(&Session) -> Vec<Vec<Line>>) -> Vec<Sum> {
    let roots = ROOTS.map(str::to_owned);
    let mut known = HashSet::new();
    let mut sums = Vec::new();
    for session in sessions {
        let (mut sum, mut state, mut ids) = (Sum::default(), TallyState::default(), Vec::new());
        let segments = cut(session);
        for (i, segment) in segments.iter().enumerate() {
            let is_known = |id: u64| known.contains(&id);
            let mut tally = Tally::new(state, &roots, &is_known);
            segment.iter().for_each(|line| tally.add(line));
            let counted: Segment = tally.finish(i + 1 == segments.len());
            sum.add(&counted.facts);
            ids.extend(counted.ids);
            // As it is kept on disk.
            state = serde_json::from_str(&serde_json::to_string(&counted.state).unwrap()).unwrap();
        }
        known.extend(ids);
        sums.push(sum);
    }
    sums
}

fn whole(session: &Session) -> Vec<Vec<Line>> {
    vec![[session.main.clone(), session.subagents.clone()].concat()]
}

/// What the model's stand-in served, by model: requests, input, output, cache read, written for 5 m and 1 h.
fn served(scenario: &Path) -> BTreeMap<String, [u64; 6]> {
    let tokens: Value = serde_json::from_slice(&fs::read(scenario.join("tokens.json")).unwrap()).unwrap();
    let n = |value: &Value, key: &str| value[key].as_u64().unwrap();
    let of = |usage: &Value| {
        let keys = ["requests", "input_tokens", "output_tokens", "cache_read_input_tokens"];
        let [requests, input, output, cache_read] = keys.map(|key| n(usage, key));
        let [five, hour] = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"].map(|key| n(usage, key));
        [requests, input, output, cache_read, five, hour]
    };
    tokens["mock"].as_object().unwrap().iter().map(|(model, usage)| (model.clone(), of(usage))).collect()
}

fn models(sums: &[Sum]) -> BTreeMap<String, [u64; 6]> {
    let mut all: BTreeMap<String, [u64; 6]> = BTreeMap::new();
    for ((model, _), usage) in sums.iter().flat_map(|sum| &sum.models) {
        all.entry(model.clone()).or_default().iter_mut().zip(usage).for_each(|(sum, n)| *sum += n);
    }
    all
}

#[test]
fn tokens_are_those_that_were_served() {
    for path in scenarios() {
        let sums = count(&sessions(&path), whole);
        let mut expected = served(&path);
        let gaps: u64 = sums.iter().filter_map(|sum| sum.gaps.get("usage_unlisted")).sum();
        if path.ends_with("claude-code-2.1.197/J-compact") {
            // This version lists the compaction's own request nowhere.
            expected.insert("claude-opus-4-8".into(), [5, 62, 334, 62_000, 512, 5_120]);
            assert_eq!(gaps, 1);
        } else {
            assert_eq!(gaps, 0, "{}", path.display());
        }
        assert_eq!(models(&sums), expected, "{}", path.display());
    }
}

#[test]
fn the_sum_over_segments_is_the_session_wherever_it_is_cut() {
    for path in scenarios() {
        let sessions = sessions(&path);
        let expected = count(&sessions, whole);
        let longest = sessions.iter().map(|session| session.main.len()).max().unwrap_or(0);
        for at in 0..=longest {
            // Subagents' files may be read as far as the main one, or not at all, when the cut is made.
            for subagents_lag in [false, true] {
                let sums = count(&sessions, |session| {
                    let main = session.main.split_at(at.min(session.main.len()));
                    let until = main.0.iter().rev().find_map(|line| line.at).unwrap_or(0);
                    let (early, late): (Vec<Line>, Vec<Line>) = session
                        .subagents
                        .iter()
                        .cloned()
                        .partition(|line| !subagents_lag && line.at.is_some_and(|at| at <= until));
                    vec![[main.0.to_vec(), early].concat(), [main.1.to_vec(), late].concat()]
                });
                assert_eq!(sums, expected, "{} cut at {at}", path.display());
            }
        }
        let each = count(&sessions, |session| {
            session.main.iter().chain(&session.subagents).map(|line| vec![line.clone()]).collect()
        });
        assert_eq!(each, expected, "{} line by line", path.display());
    }
}

/// `calls/failed` by tool, of a scenario's sessions.
fn tools(ending: &str) -> Option<Vec<String>> {
    let sums = count(&sessions(&scenario(ending)?), whole);
    let of = |sum: &Sum| {
        let tools = sum.tools.iter().map(|(name, (calls, failed))| format!("{name} {calls}/{failed}"));
        tools.collect::<Vec<_>>().join(", ")
    };
    Some(sums.iter().map(of).collect())
}

#[test]
fn calls_have_their_outcomes() {
    for (ending, expected) in [
        ("2.1.197/C-failures", vec!["Bash 4/4, Edit 3/2, NoSuchTool 1/1, Read 2/1"]),
        ("2.1.330/C-failures", vec!["Bash 4/4, Edit 3/2, NoSuchTool 1/1, Read 2/1"]),
        ("2.1.330/T-tui", vec!["Bash 1/1, Edit 1/0, Write 1/0", "Bash 1/1"]),
        ("2.1.330/R-interrupted", vec!["Bash 1/1, Write 1/0", "Bash 1/1, Write 1/0"]),
        ("2.1.197/F-plan-mode", vec!["Edit 2/0, ExitPlanMode 1/0, Read 2/0, Write 1/0"]),
        ("2.1.330/F-plan-mode", vec!["Edit 2/0, ExitPlanMode 1/0, Read 2/0, Write 1/1"]),
    ] {
        if let Some(found) = tools(&format!("claude-code-{ending}")) {
            assert_eq!(found, expected, "{ending}");
        }
    }
}

#[test]
fn other_facts_are_found() {
    let sum = |ending: &str| Some(count(&sessions(&scenario(&format!("claude-code-{ending}"))?), whole));
    for (ending, expected) in [
        // prompts, turns, plans, compactions, subagents
        ("2.1.197/B-subagent", vec![[1, 2, 0, 0, 2]]),
        ("2.1.330/B-subagent", vec![[1, 2, 0, 0, 2]]),
        ("2.1.330/D-resume", vec![[2, 2, 0, 0, 0], [1, 1, 0, 0, 0]]),
        ("2.1.197/D-resume", vec![[2, 2, 0, 0, 0], [1, 1, 0, 0, 0]]),
        ("2.1.330/F-plan-mode", vec![[2, 2, 1, 0, 0]]),
        ("2.1.330/G-mcp-skill", vec![[2, 2, 0, 0, 0]]),
        ("2.1.197/J-compact", vec![[2, 2, 0, 1, 0]]),
        ("2.1.330/J-compact", vec![[2, 2, 0, 1, 0]]),
        ("2.1.330/P-image", vec![[1, 1, 0, 0, 0]]),
        ("2.1.330/T-tui", vec![[2, 2, 0, 0, 0], [1, 1, 0, 0, 0]]),
    ] {
        let Some(sums) = sum(ending) else { continue };
        let found: Vec<_> = sums.iter().map(|sum| sum.counts[1..].to_vec()).collect();
        assert_eq!(found, expected, "{ending}");
    }
    let of = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<BTreeMap<_, _>>();
    if let Some(sums) = sum("2.1.330/S-shell-writes") {
        let runs =
            [("cat", 1), ("chmod", 1), ("git", 3), ("ls", 1), ("python3", 1), ("rm", 1), ("sed", 1), ("sleep", 2)];
        assert_eq!(sums[0].programs, of(&runs));
    }
    if let Some(sums) = sum("2.1.330/F-plan-mode") {
        assert_eq!(sums[0].gaps, BTreeMap::new(), "what was denied changed no file outside");
    }
    if let Some(sums) = sum("2.1.197/F-plan-mode") {
        assert_eq!(sums[0].gaps, of(&[("outside_repository", 1)]), "the plan's own file");
    }
}

#[test]
fn files_have_the_lines_of_their_edits() {
    let expected = [
        ("2.1.330/A-write-edit", "README.md", (2, 2, 0)),
        ("2.1.330/A-write-edit", "app.py", (1, 1, 1)),
        ("2.1.330/A-write-edit", "nb.ipynb", (2, 7, 3)),
        ("2.1.330/A-write-edit", "src/fizz.py", (2, 4, 2)),
        ("2.1.330/O-encodings", "big.txt", (1, 3000, 0)),
        ("2.1.330/O-encodings", "empty.txt", (1, 0, 0)),
        ("2.1.330/O-encodings", "nonl.txt", (1, 1, 1)),
        ("2.1.330/O-encodings", "ünï/日本 語🎉.md", (1, 3, 0)),
        ("2.1.330/L-worktree", "wt.txt", (1, 1, 0)),
    ];
    for (ending, file, lines) in expected {
        let Some(path) = scenario(&format!("claude-code-{ending}")) else { continue };
        let sums = count(&sessions(&path), whole);
        assert_eq!(sums[0].files.get(file), Some(&lines), "{ending} {:?}", sums[0].files);
    }
}

#[test]
fn conversations_are_read_back() {
    for path in scenarios() {
        let sums = count(&sessions(&path), whole);
        let (mut asked, mut calls, mut failed, mut open, mut diffs) = (0, 0, 0, 0, 0);
        for file in transcripts(&path) {
            let bytes = fs::read(&file).unwrap();
            let lines = bytes.split(|b| *b == b'\n').map(|line| Kind::ClaudeCode.shown(line));
            for turn in Turns::new(lines) {
                asked += u64::from(turn.asked.is_some_and(|asked| asked.human));
                for step in turn.steps {
                    let Step::Call(call) = step else { continue };
                    assert!(!call.tool.is_empty(), "every result has its call");
                    calls += 1;
                    failed += u64::from(call.outcome.is_some_and(|outcome| outcome != Outcome::Ok));
                    open += u64::from(call.outcome.is_none());
                    diffs += call.diffs.len() as u64;
                }
            }
        }
        if path.ends_with("D-resume") {
            continue; // The fork shows again what it copied.
        }
        let tools = || sums.iter().flat_map(|sum| sum.tools.values());
        assert_eq!(asked, sums.iter().map(|sum| sum.counts[1]).sum::<u64>(), "{}", path.display());
        assert_eq!(calls, tools().map(|tool| tool.0).sum::<u64>(), "{}", path.display());
        assert_eq!(failed + open, tools().map(|tool| tool.1).sum::<u64>(), "{}", path.display());
        let edits = sums.iter().flat_map(|sum| sum.files.values()).map(|file| file.0);
        let outside: u64 = sums.iter().filter_map(|sum| sum.gaps.get("outside_repository")).sum();
        // An edit that changes nothing shows no diff: one wrote what was there, one an empty file.
        let without = ["2.1.330/A-write-edit", "2.1.330/O-encodings"]
            .iter()
            .filter(|ending| path.ends_with(format!("claude-code-{ending}")));
        assert_eq!(diffs + without.count() as u64, edits.sum::<u64>() + outside, "{}", path.display());
    }
}

#[test]
fn every_payload_is_understood() {
    for path in scenarios() {
        let Ok(hooks) = fs::read_to_string(path.join("hooks.jsonl")) else { continue };
        for payload in hooks.lines() {
            let json: Value = serde_json::from_str(payload).unwrap();
            let heard = Kind::ClaudeCode.event(payload.as_bytes(), 0);
            let event = &heard.event;
            assert!(event.gaps.is_empty() && event.raw.as_ref().unwrap().get() == payload);
            assert_eq!(event.session.as_str(), json["session_id"]);
            assert_eq!(event.cwd.as_deref(), json["cwd"].as_str());
            assert_eq!(event.subagent.as_deref(), json["agent_id"].as_str());
            let kind = match json["hook_event_name"].as_str().unwrap() {
                "SessionStart" => EventKind::Start,
                "SessionEnd" => EventKind::End,
                "UserPromptSubmit" => EventKind::Prompt,
                "PreToolUse" => EventKind::ToolBefore,
                "PostToolUse" => EventKind::ToolAfter,
                "PostToolUseFailure" => EventKind::ToolFailed,
                "Stop" => EventKind::Stop,
                _ => EventKind::Other,
            };
            assert_eq!(event.kind, kind);
            assert_eq!(event.call.is_some(), json["tool_name"].is_string());
            let Some(call) = &event.call else { continue };
            assert_eq!(call.tool, json["tool_name"]);
            assert_eq!(call.id.as_str(), json["tool_use_id"].as_str().unwrap_or_default());
            let reach = match call.tool.as_str() {
                "Write" | "Edit" | "NotebookEdit" => Reach::Named,
                "Agent" | "ExitPlanMode" | "Glob" | "Grep" | "Read" | "Skill" => Reach::None,
                "Bash" => shell::reach(json["tool_input"]["command"].as_str().unwrap()),
                _ => Reach::Any,
            };
            assert_eq!(call.reach, reach, "{}", call.tool);
            assert_eq!(heard.paths.len(), usize::from(reach == Reach::Named));
            assert!(heard.paths.iter().all(|path| path.is_absolute()));
        }
    }
}
