//! What is handed out for CI servers: `action.yml` and its shell steps, the workflows and templates of `docs/ci`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::ci::{Shop, pushed};
use crate::support::{Output, finish};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap()
}

/// Demands that a value is valid by a published schema.
fn assert_valid(value: &Value, schema: &str) {
    let schema = serde_json::from_str(&read(&format!("tests/fixtures/{schema}"))).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(!validator.is_valid(&json!(["no such thing"])), "the schema can say no");
}

/// A step of the action by its id.
fn step(id: &str) -> Value {
    let action = yaml(&read("action.yml"));
    let steps = action["runs"]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("{id}")).clone()
}

impl Shop {
    /// Runs a step of the action as a runner does, with these inputs over the defaults; what it left behind.
    fn step(
        &self,
        dir: &Path,
        id: &str,
        event: &Value,
        inputs: &[(&str, &str)],
        more: &[(&str, &str)],
    ) -> crate::ci::Done {
        let (action, step) = (yaml(&read("action.yml")), step(id));
        let script = dir.with_extension(id);
        fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        let mut command = self.ci.command("bash", dir);
        self.github_env(&mut command, dir, "push", event);
        for (name, value) in step["env"].as_object().unwrap() {
            let value = value.as_str().unwrap().trim_start_matches("${{ ").trim_end_matches(" }}");
            let value = match value.split_once('.').unwrap() {
                ("inputs", input) => {
                    let given = inputs.iter().find(|(name, _)| *name == input).map(|(_, value)| *value);
                    given.unwrap_or_else(|| action["inputs"][input]["default"].as_str().unwrap()).to_owned()
                }
                ("github", "action_path") => root().display().to_string(),
                ("github", "action_repository") => "shop/git-tracevault".to_owned(),
                ("github", "server_url") => "https://github.example".to_owned(),
                other => panic!("{other:?}"),
            };
            command.env(name, value);
        }
        command.envs(more.iter().copied());
        let output = finish(command.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(&script), b"");
        self.done(output, dir)
    }
}

#[test]
fn the_action_is_valid_and_its_shell_has_no_text_of_anybodys() {
    let action = yaml(&read("action.yml"));
    assert_valid(&action, "github-action.schema.json");
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert!(step.get("uses").is_none(), "no action of others: {step}");
        assert!(!step["run"].as_str().unwrap().contains("${{"), "inputs come in variables: {step}");
    }
    // What the program says of itself, and what the action hands on.
    let outputs: Vec<&str> = action["outputs"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(outputs, ["verdict", "range", "commits", "agent-share", "sessions", "cost-usd", "findings"]);
}

#[test]
fn the_workflows_and_templates_are_valid() {
    let guide = read("docs/ci/github.md");
    let blocks: Vec<&str> = guide.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3);
    // A pass stays with the commit: what is required is asked of nothing but what goes to the protected branch.
    let main = json!({"branches": ["main"]});
    assert_eq!(yaml(blocks[0])["on"], json!({"push": main, "pull_request": main, "merge_group": null}));
    let inputs = yaml(&read("action.yml"))["inputs"].clone();
    for block in blocks {
        let workflow = yaml(block);
        assert_valid(&workflow, "github-workflow.schema.json");
        for job in workflow["jobs"].as_object().unwrap().values() {
            let steps = job["steps"].as_array().unwrap();
            let ours = steps.iter().find(|step| step["uses"] == "OWNER/git-tracevault@COMMIT").unwrap();
            for input in ours["with"].as_object().unwrap().keys() {
                assert!(inputs.get(input).is_some(), "{input}");
            }
        }
    }
    assert_valid(&yaml(&read("docs/ci/gitlab.yml")), "gitlab-ci.schema.json");
    let hooks = yaml(&read(".pre-commit-hooks.yaml"));
    let hook = &hooks[0];
    assert_eq!((&hook["stages"], &hook["pass_filenames"]), (&json!(["pre-push"]), &json!(false)));
    let entry: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
    assert_eq!(entry, ["git-tracevault", "check"]);
}

#[test]
fn the_steps_do_what_the_action_says() {
    let shop = Shop::new();
    let before = shop.ci.git(&shop.team.remote, ["rev-parse", "main"]).ok();
    let after = shop.work("a.rs");
    shop.push(&["main"]);
    let dir = shop.checkout(&after, Some(1));
    let event = pushed("refs/heads/main", &before, &after);
    let folder = dir.file_name().unwrap().to_str().unwrap().to_owned();
    let run = |inputs: &[(&str, &str)]| shop.step(&dir, "run", &event, inputs, &[]);
    let done = run(&[("ledger", &shop.ledger), ("junit", "r.xml"), ("directory", &format!("../{folder}"))]);
    assert_eq!(done.output.code, Some(0), "{:?}", done.output);
    done.has("verdict", "pass").has("commits", "1").has("agent-share", "100%");
    assert!(dir.join("r.xml").exists());
    assert_eq!(run(&[]).output.code, Some(0), "this clone trusts the ledger by now");
    // Inputs are values, whatever is in them.
    for odd in ["$(touch /tmp/x)`touch x`\"; touch x; '", "--help", "\n::set-output name=verdict::pass"] {
        for input in ["ledger", "range", "level", "mode"] {
            let done = run(&[(input, odd), ("ledger", &shop.ledger)]);
            assert_eq!(done.output.code, Some(2), "{input} {odd}: {:?}", done.output);
            assert!(!dir.join("x").exists() && !done.outputs.contains("verdict=pass"));
        }
    }
}

/// A host with one release, as packaging makes them, and programs for the step that know only it.
struct Release<'s> {
    shop: &'s Shop,
    dir: PathBuf,
    host: PathBuf,
    bin: PathBuf,
    archive: String,
}

/// This version's own: what `packaging/sign` says of it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl<'s> Release<'s> {
    fn new(shop: &'s Shop) -> Self {
        let (dir, host, bin) = (shop.ci.repository("job"), shop.ci.path("host"), shop.ci.path("bin"));
        shop.ci.commit_file(&dir, "a", "a\n");
        let name = format!("git-tracevault-{VERSION}-x86_64-unknown-linux-gnu");
        let release = Release { shop, dir, host, bin, archive: format!("{name}.tar.gz") };
        release.program(&release.host.join(&name), "git-tracevault", "echo it is the release");
        release.program(
            &release.bin,
            "curl",
            &format!(
                "while [ $# -gt 1 ]; do [ \"$1\" = -o ] && to=$2; shift; done\n\
                 case $1 in https://github.example/shop/git-tracevault/releases/download/v{VERSION}/*) ;; *) exit 22 ;; esac\n\
                 cp {}/${{1##*/}} $to",
                release.host.display()
            ),
        );
        release.sh(&format!("tar -czf {name}.tar.gz {name} && rm -r {name} && sha256sum -- *.tar.gz >SHA256SUMS"));
        release
    }

    fn program(&self, folder: &Path, name: &str, text: &str) {
        let path = self.shop.ci.write(folder, name, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script where the release's files are.
    fn sh(&self, script: &str) -> String {
        finish(self.shop.ci.command("sh", &self.host).args(["-ec", script]), b"").ok()
    }

    /// What the step did, and what it put on the path.
    fn install(&self, inputs: &[(&str, &str)], more: &[(&str, &str)]) -> (Output, String) {
        let path = format!("{}:{}", self.bin.display(), std::env::var("PATH").unwrap());
        let mut all = vec![("PATH", path.as_str()), ("RUNNER_OS", "Linux"), ("RUNNER_ARCH", "X64")];
        all.extend(more);
        let done = self.shop.step(&self.dir, "install", &json!({}), inputs, &all);
        (done.output, fs::read_to_string(self.dir.with_extension("runner").join("path")).unwrap())
    }

    #[track_caller]
    fn installs(&self, inputs: &[(&str, &str)], more: &[(&str, &str)]) -> Output {
        let (output, added) = self.install(inputs, more);
        assert_eq!(output.code, Some(0), "{output:?}");
        let program = Path::new(added.trim()).join("git-tracevault");
        assert_eq!(finish(&mut self.shop.ci.command(program, &self.dir), b"").ok(), "it is the release");
        output
    }

    #[track_caller]
    fn refuses(&self, inputs: &[(&str, &str)], more: &[(&str, &str)], why: &str) {
        let (output, added) = self.install(inputs, more);
        assert_eq!((output.code, added.as_str()), (Some(2), ""), "{output:?}");
        let told = output.stdout.lines().last().unwrap_or_default();
        assert!(told.starts_with("::error title=git-tracevault::") && told.contains(why), "{output:?}");
    }
}

#[test]
fn a_release_is_installed_only_with_its_checksum() {
    let shop = Shop::new();
    let release = Release::new(&shop);
    let sum = release.sh("sha256sum *.tar.gz").split(' ').next().unwrap().to_owned();
    release.installs(&[("version", VERSION)], &[]);
    release.installs(&[("version", &format!("v{VERSION}")), ("checksum", &sum)], &[]);
    let refuses = |version: &str, more: &[(&str, &str)], why: &str| release.refuses(&[("version", version)], more, why);
    let wrong = "is not the one that its checksum is of";
    release.refuses(&[("version", VERSION), ("checksum", &"0".repeat(64))], &[], wrong);
    refuses("0.2.0", &[], "release 0.2.0 has no");
    refuses("../../evil", &[], "version is no release");
    refuses(VERSION, &[("RUNNER_ARCH", "RISCV")], "there is no release for Linux on RISCV");
    refuses(VERSION, &[("RUNNER_ARCH", "ARM64")], "-aarch64-unknown-linux-gnu.tar.gz");
    refuses("installed", &[("PATH", "/usr/bin:/bin")], "not on the PATH");
    // The archive is another than the release says.
    release.sh(&format!("echo x >>{}", release.archive));
    refuses(VERSION, &[], wrong);
}

#[test]
fn a_release_is_installed_only_with_its_signature_where_that_can_be_checked() {
    let shop = Shop::new();
    let release = Release::new(&shop);
    let archive = &release.archive;
    // As docs/releasing.md says it, but without a password.
    let action = shop.ci.path("action");
    let made = format!(
        "mkdir -p {0}/packaging && cp {1}/Cargo.toml {0} && cp {1}/packaging/sign {0}/packaging && cd {0} && \
         minisign -G -W -p packaging/minisign.pub -s release.key && minisign -G -W -p other.pub -s other.key",
        action.display(),
        root().display()
    );
    release.sh(&made);
    release.sh(&format!("{0}/packaging/sign . {0}/release.key", action.display()));
    let key = |file: &str| fs::read_to_string(action.join(file)).unwrap();
    let (public, other) = (key("packaging/minisign.pub"), key("other.pub"));
    let named = [("version", VERSION)];
    let with = |key| [("version", VERSION), ("public-key", key)];
    let source = [("SOURCE", action.to_str().unwrap())];
    let no_source = [("SOURCE", "/nowhere")];
    release.installs(&named, &source);
    release.installs(&with(&public), &no_source);
    release.installs(&with(public.lines().last().unwrap()), &no_source);
    release.refuses(&with(&other), &source, "is not signed with the key of releases");
    release.refuses(&with("nonsense"), &source, "is not signed with the key of releases");

    // A signature that is good, of another release's archive; and what only has its checksums.
    let sign = |comment: &str| {
        release.sh(&format!("minisign -S -s {}/release.key -t '{comment}' -m {archive}", action.display()));
    };
    sign(&format!("git-tracevault 0.0.9 {archive}"));
    release.refuses(&named, &source, "is of another file");
    sign(&format!("git-tracevault {VERSION} {archive}"));
    release.installs(&named, &source);
    release
        .sh(&format!("gzip -dc {archive} | gzip -9 >other && mv other {archive} && sha256sum -- *.tar.gz >SHA256SUMS"));
    release.refuses(&named, &source, "is not signed with the key of releases");
    release.sh("rm *.minisig");
    release.refuses(&named, &source, "has no git-tracevault");
    release.installs(&named, &no_source);

    // A machine without minisign: GitHub's own get it; elsewhere it is told, or refused if it was asked for.
    for tool in ["sh", "bash", "tar", "gzip", "sha256sum", "awk", "mktemp", "cat", "cp", "ln"] {
        release.sh(&format!("ln -s \"$(command -v {tool})\" {}/{tool}", release.bin.display()));
    }
    let (bare, runner) = (("PATH", release.bin.to_str().unwrap()), ("RUNNER_ENVIRONMENT", "github-hosted"));
    let output = release.installs(&named, &[bare, source[0]]);
    assert!(output.stdout.contains("::notice ") && output.stdout.contains("not its signature"), "{output:?}");
    release.refuses(&with(&public), &[bare, source[0]], "there is no minisign here");
    release.program(&release.bin, "sudo", "exit 1");
    release.refuses(&with(&public), &[bare, runner, source[0]], "there is no minisign here");
    let minisign = release.sh("command -v minisign");
    let install = format!("case $* in *\" install \"*) ln -s {minisign} {}/minisign ;; esac", release.bin.display());
    release.program(&release.bin, "sudo", &install);
    sign(&format!("git-tracevault {VERSION} {archive}"));
    let output = release.installs(&named, &[bare, runner, source[0]]);
    assert!(!output.stdout.contains("::notice "), "{output:?}");
}

/// `rust-toolchain.toml` can name a folder whose `cargo` is run.
#[test]
fn nothing_of_the_checkout_is_run_to_build_the_action() {
    let shop = Shop::new();
    let release = Release::new(&shop);
    release.program(&release.bin, "cargo", "pwd >\"$RUNNER_TEMP/cargo-was-in\"");
    let source = shop.ci.path("source");
    fs::create_dir_all(&source).unwrap();
    let (output, _) = release.install(&[("version", "source")], &[("SOURCE", source.to_str().unwrap())]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let runner = release.dir.with_extension("runner");
    assert_eq!(fs::read_to_string(runner.join("cargo-was-in")).unwrap().trim(), source.to_str().unwrap());
}
