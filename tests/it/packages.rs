//! What packages are made of: pages and completions by the program itself, and the files that say the same thing twice.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::World;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The folder that `packaging/extras` makes.
fn extras(world: &World) -> PathBuf {
    let folder = world.path("extras");
    let program = env!("CARGO_BIN_EXE_git-tracevault");
    let mut command = world.command(root().join("packaging/extras"), &world.path(""));
    assert!(command.arg(program).arg(&folder).status().unwrap().success());
    folder
}

/// What bash offers behind these words, the last of which is being typed.
fn offered(world: &World, completions: &Path, words: &[&str]) -> Vec<String> {
    let script = r#"
        source "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        if [ "$1" = git ]; then __git_cmd_idx=$IDX _git_tracevault
        else
            handler=$(complete -p git-tracevault) && handler=${handler#*-F } && handler=${handler%% *}
            "$handler" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        fi
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let at = words.iter().position(|word| *word == "tracevault").unwrap_or_default();
    let mut command = world.command("bash", &world.path(""));
    let output = command.args(["-c", script, "bash"]).arg(completions).args(words).env("IDX", at.to_string()).output();
    let output = output.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_their_options_also_under_git() {
    let world = World::new();
    let bash = extras(&world).join("completions/git-tracevault.bash");
    for (words, wanted) in [
        (&["git-tracevault", "ver"][..], "verify"),
        (&["git-tracevault", "verify", "--re"], "--require-fresh"),
        (&["git-tracevault", "member", "ad"], "add"),
        (&["git", "tracevault", "ver"], "verify"),
        (&["git", "-C", "shop", "tracevault", "verify", "--re"], "--require-fresh"),
        (&["git", "tracevault", "member", "add", "--ro"], "--role"),
    ] {
        assert_eq!(offered(&world, &bash, words), [wanted], "{words:?}");
    }
}

#[test]
fn every_command_of_the_help_has_a_page_and_stands_in_all_completions() {
    let world = World::new();
    let extras = extras(&world);
    let help = world.run(&world.path(""), ["--help"]).ok();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    assert!(names.contains(&"verify") && names.len() > 20, "{help}");
    for name in names {
        assert!(extras.join(format!("man/git-tracevault-{name}.1")).is_file(), "{name} has no page");
        for file in ["git-tracevault.bash", "git-tracevault.fish", "_git-tracevault"] {
            let completions = fs::read_to_string(extras.join("completions").join(file)).unwrap();
            assert!(completions.contains(name), "{file} does not have {name}");
        }
    }
}

/// The files that `cargo deb` takes are there, or made by the build and by `packaging/extras`.
#[test]
fn the_debian_package_takes_what_there_is() {
    let world = World::new();
    let extras = extras(&world);
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        let file = match source.strip_prefix("target/") {
            Some("release/git-tracevault") => continue,
            Some(made) => extras.join(made.strip_prefix("extras/").unwrap().replace('*', "git-tracevault")),
            None => root().join(source),
        };
        assert!(file.is_file(), "{source}");
    }
}

/// Releases are built by the oldest Rust that will do, so that anybody can build them again.
#[test]
fn all_builds_name_the_same_rust() {
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let rust = manifest["package"]["rust-version"].as_str().unwrap();
    for (file, word) in [
        (".github/workflows/ci.yml", format!("RUSTUP_TOOLCHAIN: {rust}.0\n")),
        (".github/workflows/release.yml", format!("RUST: {rust}.0\n")),
        (".github/workflows/release.yml", format!("rust:{rust}.0-")),
        ("Dockerfile", format!("FROM rust:{rust}-alpine ")),
        ("docs/releasing.md", format!("rust:{rust}.0-")),
        ("README.md", format!("Rust {rust} or newer")),
    ] {
        assert!(text(file).contains(&word), "{file} does not have {word:?}");
    }
}

/// Whose code runs there could change what is released.
#[test]
fn workflows_use_no_actions_of_others() {
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let wrong = text.lines().find(|line| {
            let uses = line.trim_start().trim_start_matches("- ").strip_prefix("uses:");
            uses.is_some_and(|what| !what.trim().starts_with("./"))
        });
        assert_eq!(wrong, None, "{}", path.display());
    }
}

#[test]
fn the_compose_file_serves_as_the_guide_says() {
    let compose: serde_json::Value = serde_yaml_ng::from_str(&text("compose.yml")).unwrap();
    let indexer = &compose["services"]["indexer"];
    // Its command is one that the program understands: it gets as far as the settings, which are not here.
    let world = World::new();
    let work = world.repository("work");
    let command: Vec<&str> = indexer["command"].as_str().unwrap().split(' ').collect();
    let said = world.run(&work, command.clone()).exits(2).stderr;
    assert!(said.contains("cannot read /etc/git-tracevault/indexer.toml"), "{said}");
    let mounted = |to: &str| {
        let volumes = indexer["volumes"].as_array().unwrap().iter();
        volumes.map(|volume| volume.as_str().unwrap()).any(|volume| volume.split(':').nth(1) == Some(to))
    };
    assert!(mounted("/etc/git-tracevault/indexer.toml") && mounted("/data") && command.contains(&"/data"));
    assert!(text("Dockerfile").contains("mkdir /data"));
    // Nobody else's machine reaches it before somebody says so.
    assert_eq!(indexer["ports"], serde_json::json!(["127.0.0.1:8080:8080"]));
    assert!(text("docs/indexer.md").contains("docker compose up"));
}
