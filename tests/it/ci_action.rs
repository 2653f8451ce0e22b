//! What is handed out for CI servers: `action.yml` and its shell steps, the workflows and templates of `docs/ci`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::ci::{Shop, pushed};
use crate::support::finish;

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

#[test]
fn a_release_is_installed_only_with_its_checksum() {
    let shop = Shop::new();
    let dir = shop.ci.repository("job");
    shop.ci.commit_file(&dir, "a", "a\n");
    // A host with one release, as packaging makes them, and a curl that knows only it.
    let (name, host) = ("git-tracevault-0.1.0-x86_64-unknown-linux-gnu", shop.ci.path("host"));
    shop.ci.write(&host.join(name), "git-tracevault", "#!/bin/sh\necho it is the release\n");
    fs::set_permissions(host.join(name).join("git-tracevault"), fs::Permissions::from_mode(0o755)).unwrap();
    let sh = |script: &str| finish(shop.ci.command("sh", &host).args(["-c", script]), b"").ok();
    sh(&format!("tar -czf {name}.tar.gz {name} && sha256sum -- *.tar.gz >SHA256SUMS"));
    let curl = format!(
        "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ \"$1\" = -o ] && to=$2; shift; done\n\
         case $1 in https://github.example/shop/git-tracevault/releases/download/v0.1.0/*) cp {}/${{1##*/}} $to ;; *) exit 22 ;; esac\n",
        host.display()
    );
    let bin = shop.ci.write(&shop.ci.path("bin"), "curl", &curl).parent().unwrap().to_owned();
    fs::set_permissions(bin.join("curl"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let install = |version: &str, checksum: &str, arch: &str| {
        let inputs = [("version", version), ("checksum", checksum)];
        let path = if version == "installed" { "/usr/bin:/bin" } else { &path };
        let more = [("PATH", path), ("RUNNER_OS", "Linux"), ("RUNNER_ARCH", arch)];
        let done = shop.step(&dir, "install", &json!({}), &inputs, &more);
        (done.output, fs::read_to_string(dir.with_extension("runner").join("path")).unwrap())
    };
    let sum = sh("sha256sum *.tar.gz").split(' ').next().unwrap().to_owned();
    for (version, checksum) in [("0.1.0", ""), ("v0.1.0", sum.as_str())] {
        let (output, added) = install(version, checksum, "X64");
        assert_eq!(output.code, Some(0), "{output:?}");
        let program = Path::new(added.trim()).join("git-tracevault");
        assert_eq!(finish(&mut shop.ci.command(program, &dir), b"").ok(), "it is the release");
    }
    let refused = |version: &str, checksum: &str, arch: &str, why: &str| {
        let (output, added) = install(version, checksum, arch);
        assert_eq!((output.code, added.as_str()), (Some(2), ""), "{output:?}");
        assert!(
            output.stdout.starts_with("::error title=git-tracevault::") && output.stdout.contains(why),
            "{output:?}"
        );
    };
    refused("0.1.0", &"0".repeat(64), "X64", "is not the one that its checksum is of");
    refused("0.2.0", "", "X64", "release 0.2.0 has no");
    refused("0.1.0", "", "RISCV", "there is no release for Linux on RISCV");
    refused("../../evil", "", "X64", "version is no release");
    refused("0.1.0", "", "ARM64", "has no git-tracevault-0.1.0-aarch64-unknown-linux-gnu.tar.gz");
    // The archive is another than the release says.
    sh(&format!("echo x >>{name}.tar.gz"));
    refused("0.1.0", "", "X64", "is not the one that its checksum is of");
    refused("installed", "", "X64", "not on the PATH");
}
