//! The guide's pages (`docs/guide`), read as their readers read them: every shell block is run, every output shown is compared.
//!
//! A page is played in a world of its own. ```` ```sh ```` is typed by the page's reader, in the folder where the last block
//! ended; ```` ```text ```` behind it is what it prints, `…` standing for what varies; `<!-- here: WHAT -->` is what others do
//! meanwhile.

mod page;
mod stage;

use std::path::Path;

use page::Page;
use stage::Stage;

/// Plays a page of the guide, or fails with the page and the line.
fn play(name: &str, stage: &mut Stage) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide").join(name);
    let page = Page::parse(&std::fs::read_to_string(file).unwrap()).unwrap_or_else(|error| panic!("{name}:{error}"));
    assert!(page.blocks() > 0, "{name} has no shell block");
    page.play(stage).unwrap_or_else(|error| panic!("docs/guide/{name}:{error}"));
}

#[test]
fn developer() {
    play("developer.md", &mut Stage::developer());
}

#[test]
fn reviewer() {
    play("reviewer.md", &mut Stage::reviewer());
}

#[test]
fn ci() {
    play("ci.md", &mut Stage::ci());
}

#[test]
fn auditor() {
    play("auditor.md", &mut Stage::auditor());
}

#[test]
fn owner() {
    play("owner.md", &mut Stage::owner());
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/owner.md")).unwrap();
    assert!(page.contains(stage::RULES), "the other pages are played by the rules that this one sets");
}

#[test]
fn every_page_is_played_and_in_the_index() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<String> = names.filter(|name| name != "README.md").collect();
    pages.sort();
    assert_eq!(pages, ["auditor.md", "ci.md", "developer.md", "owner.md", "reviewer.md"]);
    for page in pages {
        assert!(index.contains(&format!("({page})")), "the index does not name {page}");
    }
}
