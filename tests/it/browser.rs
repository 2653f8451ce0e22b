//! The demo's audit view as people see it: in Chromium, by keyboard, with the accessibility rules of axe.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::World;

#[test]
fn every_page_of_the_demo_is_a_pleasure_to_read() {
    let Some(modules) = std::env::var_os("TRACEVAULT_BROWSER") else {
        eprintln!("skipped: tests/run installs the browser, and says where (TRACEVAULT_BROWSER)");
        return;
    };
    let world = World::new();
    let home = world.home();
    let mut demo = world.command(env!("CARGO_BIN_EXE_git-tracevault"), &home);
    // Its folder goes with this world's.
    let demo = demo.env("TMPDIR", &home).args(["demo", "--serve", "--listen", "127.0.0.1:0"]);
    let mut demo = demo.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut told = BufReader::new(demo.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    let base =
        line.trim().strip_prefix("serving ").unwrap_or_else(|| panic!("{line}")).trim_end_matches('/').to_owned();
    std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/pages.js");
    let modules = std::path::Path::new(&modules).join("node_modules");
    let mut node = world.command("node", &home);
    let output = node.env("NODE_PATH", modules).arg(script).arg(&base).output().unwrap();
    // Asked to stop it stops, and nothing of it stays.
    let stop = world.command("kill", &home).args(["-INT", &demo.id().to_string()]).status().unwrap();
    assert!(stop.success() && demo.wait().unwrap().success());
    let left = std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.starts_with("git-tracevault-demo-")).collect();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(left.is_empty(), "{left:?}");
}
