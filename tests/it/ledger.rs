//! Looking into a ledger: with git alone where it can be, with `verify` for the verdict.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::World;

/// A team's beginning: a bare remote with one commit, and Ada's clone of it, whose ledger she founded and pushed.
pub struct Team {
    pub ada: World,
    pub remote: std::path::PathBuf,
    pub work: std::path::PathBuf,
}

impl Team {
    pub fn new() -> Team {
        let ada = World::new();
        let remote = ada.bare_remote("remote.git");
        let work = ada.clone(&remote, "ada");
        ada.commit_file(&work, "README.md", "# Shop\n");
        ada.run(&work, ["init"]).ok();
        ada.git(&work, ["add", "-A"]).ok();
        ada.git(&work, ["commit", "--quiet", "-m", "Enrol"]).ok();
        ada.git(&work, ["push", "--quiet", "origin", "main"]).ok();
        Team { ada, remote, work }
    }

    /// Somebody else, with a clone of their own that has joined the ledger and is enrolled by Ada.
    pub fn join(&self, name: &str) -> (World, std::path::PathBuf) {
        let world = self.ada.other(name);
        let work = world.clone(&self.remote, &name.to_lowercase());
        world.run(&work, ["init"]).ok();
        world.run(&work, ["push"]).ok();
        self.ada.run(&self.work, ["fetch"]).ok();
        self.ada.run(&self.work, ["verify"]).exits(2);
        self.ada.run(&self.work, ["member", "add", &format!("{}@example.com", name.to_lowercase())]).ok();
        self.ada.run(&self.work, ["push"]).ok();
        world.run(&work, ["fetch"]).ok();
        (world, work)
    }
}

/// All bytes of all objects of a repository, whatever still leads to them.
pub fn everything(world: &World, dir: &Path) -> Vec<u8> {
    let args = ["cat-file", "--batch-all-objects", "--batch", "--unordered"];
    world.command("git", dir).args(args).output().unwrap().stdout
}

impl World {
    /// Commits all that is there; the new commit's id.
    pub fn commit(&self, dir: &Path, message: &str) -> String {
        self.pass(1);
        self.git(dir, ["add", "-A"]).ok();
        let output = self.git(dir, ["commit", "--quiet", "--allow-empty", "-m", message]).exits(0);
        assert_eq!(output.stderr, "", "a commit is as quiet as ever");
        self.git(dir, ["rev-parse", "HEAD"]).ok()
    }

    /// The refs under a prefix, by name.
    pub fn refs(&self, dir: &Path, prefix: &str) -> BTreeMap<String, String> {
        let text = self.git(dir, ["for-each-ref", "--format=%(refname) %(objectname)", prefix]).ok();
        text.lines().filter_map(|line| line.split_once(' ')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    /// The ref of this clone's own chain.
    pub fn own_chain(&self, dir: &Path) -> String {
        let key = self.git(dir, ["config", "tracevault.key"]).ok();
        format!("refs/tracevault/log/{}", Path::new(&key).file_stem().unwrap().to_str().unwrap())
    }

    /// The records of this clone's own chain, the oldest first.
    pub fn records(&self, dir: &Path) -> Vec<Value> {
        self.records_at(dir, &self.own_chain(dir))
    }

    /// The records of a chain, the oldest first, read with git.
    pub fn records_at(&self, dir: &Path, name: &str) -> Vec<Value> {
        let commits = self.git(dir, ["rev-list", "--reverse", name]).ok();
        let read = |commit: &str| {
            let text = self.git(dir, ["cat-file", "blob", &format!("{commit}:record.json")]).ok();
            serde_json::from_str::<Value>(&text).unwrap()
        };
        commits.lines().map(read).collect()
    }

    /// The bodies of the records of one type of this clone's own chain.
    pub fn records_of(&self, dir: &Path, kind: &str) -> Vec<Value> {
        let records = self.records(dir).into_iter().filter(|record| record["type"] == kind);
        records.map(|mut record| record["body"].take()).collect()
    }

    /// The body of the record of a commit on this clone's own chain; exactly one.
    #[track_caller]
    pub fn record_of(&self, dir: &Path, commit: &str) -> Value {
        let mut found = self.records_of(dir, "commit");
        found.retain(|record| record["commit"] == commit);
        assert_eq!(found.len(), 1, "a commit has one record: {found:#?}");
        found.remove(0)
    }

    /// What `verify --full --json` says, whatever its verdict.
    pub fn verify(&self, dir: &Path) -> Value {
        let output = self.run(dir, ["verify", "--full", "--json"]);
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Demands that the ledger verifies, with a record for each commit of `range`.
    #[track_caller]
    pub fn passes(&self, dir: &Path, range: &str) {
        let output = self.run(dir, ["verify", "--full", "--range", range]).exits(0);
        assert!(output.stdout.contains("pass"), "{output:?}");
    }

    /// The codes that `verify` finds, sorted.
    pub fn codes(&self, dir: &Path) -> Vec<String> {
        let report = self.verify(dir);
        let findings = report["findings"].as_array().unwrap();
        let mut codes: Vec<String> = findings.iter().map(|f| f["code"].as_str().unwrap().to_owned()).collect();
        codes.sort();
        codes.dedup();
        codes
    }

    /// The sum of a number over all models of all session records of this clone.
    pub fn sum(&self, dir: &Path, field: &str) -> u64 {
        let records = self.records_of(dir, "session");
        let models = records.iter().flat_map(|record| record["models"].as_array().unwrap());
        models.map(|model| model[field].as_u64().unwrap()).sum()
    }
}
