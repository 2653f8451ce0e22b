//! A page: its shell blocks, what they print, what others do between them; and how it is played.

use std::path::Path;

use super::stage::Stage;

/// What happens on a page, in order, each with the number of its first line.
pub struct Page {
    steps: Vec<(usize, Step)>,
}

enum Step {
    /// The reader types this.
    Shell(String),
    /// And sees this.
    Shows(String),
    /// Others do something.
    Here(String),
}

/// Runs a block, in bash for the number of the line at which it stops; both outputs are what a terminal shows.
const RUN: &str = r#"
exec 2>&1
set -eE -o pipefail
trap 'printf %s "$LINENO" >"$TMPDIR/stopped"' ERR
trap 'pwd >"$TMPDIR/ended"' EXIT
. "$TMPDIR/block"
"#;

impl Page {
    /// Reads a page; an error begins with the line.
    pub fn parse(text: &str) -> Result<Page, String> {
        let mut steps = Vec::new();
        let mut lines = (1..).zip(text.lines());
        while let Some((number, line)) = lines.next() {
            if let Some(what) = line.strip_prefix("<!-- here: ") {
                let what = what.strip_suffix(" -->").ok_or_else(|| format!("{number}: the comment does not end"))?;
                steps.push((number, Step::Here(what.to_owned())));
            }
            let Some(kind) = line.trim_start().strip_prefix("```") else { continue };
            if line.starts_with(' ') {
                return Err(format!("{number}: a block begins at the start of its line"));
            }
            let mut block = String::new();
            loop {
                let (_, line) = lines.next().ok_or_else(|| format!("{number}: the block does not end"))?;
                if line == "```" {
                    break;
                }
                block += line;
                block.push('\n');
            }
            match (kind, steps.last()) {
                ("sh", _) => steps.push((number + 1, Step::Shell(block))),
                ("text", Some((_, Step::Shell(_)))) => steps.push((number + 1, Step::Shows(block))),
                ("text", _) => return Err(format!("{number}: an output that is nobody's")),
                _ => return Err(format!("{number}: a block of an unknown kind, {kind:?}")),
            }
        }
        Ok(Page { steps })
    }

    /// How many blocks the reader types.
    pub fn blocks(&self) -> usize {
        self.steps.iter().filter(|(_, step)| matches!(step, Step::Shell(_))).count()
    }

    /// Plays the page; an error begins with the line.
    pub fn play(&self, stage: &mut Stage) -> Result<(), String> {
        let mut printed = String::new();
        for (line, step) in &self.steps {
            stage.you.pass(60);
            match step {
                Step::Here(what) => stage.here(what).map_err(|error| format!("{line}: {error}"))?,
                Step::Shell(block) => {
                    printed = type_in(stage, block).map_err(|(at, why)| format!("{}: {why}", line + at - 1))?;
                }
                Step::Shows(shown) => fits(shown, &printed).map_err(|(at, why)| format!("{}: {why}", line + at))?,
            }
        }
        Ok(())
    }
}

/// Types a block where the last one ended; what is printed, or the line of the block that failed, with why.
fn type_in(stage: &mut Stage, block: &str) -> Result<String, (usize, String)> {
    let tmp = stage.you.path("tmp");
    let (stopped, ended) = (tmp.join("stopped"), tmp.join("ended"));
    std::fs::write(tmp.join("block"), block).unwrap();
    drop(std::fs::remove_file(&stopped));
    let mut command = stage.you.command("bash", &stage.dir);
    let output = command.args(["-c", RUN]).envs(stage.variables.clone()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let line = std::fs::read_to_string(stopped).ok().and_then(|line| line.parse().ok()).unwrap_or(1);
        let command = block.lines().nth(line - 1).unwrap_or_default();
        return Err((line, format!("{command}\n{}\n{printed}", output.status)));
    }
    stage.dir = Path::new(std::fs::read_to_string(ended).unwrap().trim_end()).to_owned();
    Ok(printed)
}

/// Whether this was printed; else the first line of it that was not, with why.
fn fits(shown: &str, printed: &str) -> Result<(), (usize, String)> {
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    let (shown, there) = (lines(shown), lines(printed));
    let longest = longest(&shown, &there);
    if longest == shown.len() + 1 {
        return Ok(());
    }
    let expected = shown.get(longest).map_or("the end", String::as_str);
    Err((longest, format!("{expected:?} was not printed; this was:\n{printed}")))
}

/// How many of the patterns can be followed; one more than there are, if that is all that there is.
fn longest(patterns: &[String], lines: &[String]) -> usize {
    let Some((pattern, others)) = patterns.split_first() else { return usize::from(lines.is_empty()) };
    if pattern == "…" {
        return 1 + (0..=lines.len()).map(|from| longest(others, &lines[from..])).max().unwrap_or(0);
    }
    match lines.split_first() {
        Some((line, rest)) if line_fits(pattern, line) => 1 + longest(others, rest),
        _ => 0,
    }
}

/// Whether a line is the pattern, where `…` stands for anything.
fn line_fits(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('…') else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    line.char_indices().map(|(at, _)| at).chain([line.len()]).any(|at| line_fits(rest, &line[at..]))
}

/// What playing a page of this text says.
fn played(text: &str) -> Result<(), String> {
    Page::parse(text)?.play(&mut Stage::empty())
}

#[test]
fn a_page_fails_where_a_command_does() {
    let page = "# A page\n\n```sh\nmkdir a\ncd a\n```\n\nthen\n\n```sh\ntouch b\nls c || true\nls d\n```\n";
    let error = played(page).unwrap_err();
    assert!(error.starts_with("13: ls d\n") && error.contains("'d'") && error.contains("exit status: 2"), "{error}");
    let folder = "```sh\nmkdir a\ncd a\ntrue | false | true\n```\n";
    assert!(played(folder).unwrap_err().starts_with("4: "));
    played("```sh\nmkdir a\ncd a\n```\n```sh\ncd ../a\n```\n").unwrap();
    assert!(played("<!-- here: nobody knows -->\n").unwrap_err().starts_with("1: "));
}

#[test]
fn a_page_fails_where_its_output_is_another() {
    let shows = |text: &str| {
        played(&format!("```sh\nprintf 'one 1\\ntwo 2\\nthree 3\\n'; echo four >&2\n```\n\n```text\n{text}```\n"))
    };
    for good in ["one 1\ntwo 2\nthree 3\nfour\n", "one …\n…\nfour\n", "…\n", "…1\n… 2\nthr… 3\n…our…\n…\n"]
    {
        shows(good).unwrap_or_else(|error| panic!("{good:?}: {error}"));
    }
    for (bad, line) in [("one 1\ntwo 3\n…\n", 7), ("one 1\n", 7), ("…\nfive\n", 7), ("", 6), ("one 1 …\n…\n", 6)]
    {
        let error = shows(bad).unwrap_err();
        assert!(error.starts_with(&format!("{line}: ")), "{bad:?}: {error}");
    }
}

#[test]
fn what_would_not_be_played_is_refused() {
    for (page, line) in [
        ("```sh\ntrue\n", 1),
        ("\n```text\n```\n", 2),
        ("```bash\n```\n", 1),
        ("- a\n  ```sh\n  ls\n  ```\n", 2),
        ("<!-- here: x\n", 1),
    ] {
        let error = played(page).unwrap_err();
        assert!(error.starts_with(&format!("{line}: ")), "{page:?}: {error}");
    }
}
