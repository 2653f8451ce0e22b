//! Where a page is played: who reads it, what is prepared for them, and what others do between its blocks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::agent::Agent;
use crate::support::World;

const SESSION: &str = "6f1d2c3a-8b4e-4d5f-9a60-7b8c9d0e1f2a";
/// As docs/guide/owner.md has them.
pub const RULES: &str = r#"[branches]
protect = ["main"]

[[rule]]
name = "every-commit-is-recorded"
condition = "trace-completeness"
level = "block"

[[rule]]
name = "agents-work-is-reviewed"
condition = "sensitive-paths"
level = "block"
paths = ["*.py"]
reviewer = "developer"
"#;
const GREET: &str = "def greet(name):\n    return \"Hello, \" + name\n";

/// A page's world.
pub struct Stage {
    /// Who reads the page.
    pub you: World,
    /// Where they are.
    pub dir: PathBuf,
    /// What the page says that their environment has.
    pub variables: BTreeMap<String, String>,
}

impl Stage {
    /// A reader in an empty folder, alone.
    pub fn empty() -> Stage {
        Stage::of(World::new())
    }

    fn of(you: World) -> Stage {
        let dir = you.path("you");
        fs::create_dir_all(&dir).unwrap();
        Stage { you, dir, variables: BTreeMap::new() }
    }

    /// `shop`, a clone of a repository whose owner keeps a ledger, with rules.
    pub fn developer() -> Stage {
        let stage = Stage::of(World::new().other("Developer"));
        stage.founded();
        stage.cloned();
        stage
    }

    /// The same, with a branch `greeting` that a developer and an agent have pushed.
    pub fn reviewer() -> Stage {
        let stage = Stage::of(World::new().other("Reviewer"));
        stage.founded();
        stage.greeting();
        stage.cloned();
        stage
    }

    /// The same, approved; as CI has it: checked out, and the ledger's id among the settings.
    pub fn ci() -> Stage {
        let mut stage = Stage::of(World::new().other("Ci"));
        stage.founded();
        stage.greeting();
        stage.approved();
        stage.cloned();
        stage.you.git(&stage.you.path("you/shop"), ["checkout", "--quiet", "origin/greeting"]).ok();
        stage.know_the_ledger();
        stage
    }

    /// The same on `main`, sealed by a witness; the ledger's id from its owner; the verifier without the program.
    pub fn auditor() -> Stage {
        let mut stage = Stage::of(World::new().other("Auditor"));
        stage.founded();
        let (developer, dir) = stage.greeting();
        stage.approved();
        developer.run(&dir, ["fetch"]).ok();
        developer.git(&dir, ["push", "--quiet", "origin", "greeting:main"]).ok();
        stage.witness();
        stage.enrol("witness", "witness");
        stage.here("the machine seals").unwrap();
        stage.cloned();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
        fs::copy(script, stage.dir.join("verify.sh")).unwrap();
        stage.know_the_ledger();
        stage
    }

    /// `shop`, a clone of a repository with one commit and no ledger.
    pub fn owner() -> Stage {
        let stage = Stage::of(World::new().other("Owner"));
        stage.begun();
        stage.cloned();
        stage
    }

    /// Others do something, as the page says.
    pub fn here(&self, what: &str) -> Result<(), String> {
        let shop = self.you.path("you/shop");
        match what {
            "the owner enrols the developer" => self.enrol("developer@example.com", "developer"),
            "the owner enrols the auditor" => self.enrol("auditor@example.com", "auditor"),
            "the owner enrols the reviewer" => self.enrol("reviewer@example.com", "developer"),
            "an agent writes greet.py" => drop(agent_writes(&self.you, &shop)),
            "a colleague joins" => {
                self.joins("Developer");
            }
            "an auditor joins" => {
                self.joins("Auditor");
            }
            "a second owner joins" => {
                self.joins("Second");
            }
            "a machine becomes a witness" => self.witness(),
            "the machine seals" => {
                let machine = self.you.other("Machine");
                machine.run(&self.you.path("machine"), ["seal"]).ok();
            }
            _ => return Err(format!("nobody knows how to do this: {what}")),
        }
        Ok(())
    }

    fn owner_world(&self) -> (World, PathBuf) {
        (self.you.other("Owner"), self.you.path("owner"))
    }

    fn remote(&self) -> PathBuf {
        self.you.path("shop.git")
    }

    /// The remote with its first commit.
    fn begun(&self) -> (World, PathBuf) {
        self.you.bare_remote("shop.git");
        let (owner, dir) = self.owner_world();
        owner.clone(&self.remote(), "owner");
        owner.commit_file(&dir, "README.md", "# Shop\n");
        owner.git(&dir, ["push", "--quiet", "origin", "main"]).ok();
        (owner, dir)
    }

    /// The remote with a ledger and rules.
    fn founded(&self) {
        let (owner, dir) = self.begun();
        owner.run(&dir, ["init"]).ok();
        owner.git(&dir, ["add", "-A"]).ok();
        owner.git(&dir, ["commit", "--quiet", "-m", "Keep a record of what agents do"]).ok();
        owner.feed(&dir, ["policy", "set", "-"], RULES.as_bytes()).ok();
        owner.git(&dir, ["push", "--quiet", "origin", "main"]).ok();
    }

    /// The reader's clone.
    fn cloned(&self) {
        let to = self.dir.join("shop");
        self.you.clone(&self.remote(), to.to_str().unwrap());
    }

    fn know_the_ledger(&mut self) {
        let (owner, dir) = self.owner_world();
        let id = owner.git(&dir, ["config", "tracevault.ledger"]).ok();
        self.variables.insert("LEDGER".to_owned(), id);
    }

    /// The owner enrols who is pending.
    fn enrol(&self, who: &str, role: &str) {
        let (owner, dir) = self.owner_world();
        owner.run(&dir, ["fetch"]).ok();
        owner.run(&dir, ["member", "add", who, "--role", role]).ok();
        owner.run(&dir, ["push"]).ok();
    }

    /// Somebody has a clone, and a chain that waits for an owner.
    fn joins(&self, name: &str) -> (World, PathBuf) {
        let world = self.you.other(name);
        let dir = world.clone(&self.remote(), &name.to_lowercase());
        world.run(&dir, ["init"]).ok();
        world.run(&dir, ["push"]).ok();
        (world, dir)
    }

    /// A developer pushes an agent's work, and a line of their own, to a branch.
    fn greeting(&self) -> (World, PathBuf) {
        let (developer, dir) = self.joins("Developer");
        self.enrol("developer@example.com", "developer");
        developer.run(&dir, ["fetch"]).ok();
        developer.git(&dir, ["switch", "--quiet", "-c", "greeting"]).ok();
        agent_writes(&developer, &dir).end();
        developer.write(&dir, "main.py", "import greet\n\nprint(greet.greet(\"you\"))\n");
        developer.commit(&dir, "Greet people by name");
        developer.git(&dir, ["push", "--quiet", "origin", "greeting"]).ok();
        (developer, dir)
    }

    /// A reviewer approves it.
    fn approved(&self) {
        let (reviewer, dir) = self.joins("Reviewer");
        self.enrol("reviewer@example.com", "developer");
        reviewer.run(&dir, ["fetch"]).ok();
        reviewer.run(&dir, ["approve", "main..origin/greeting"]).ok();
        reviewer.run(&dir, ["push"]).ok();
    }

    /// A machine that seals, once an owner has enrolled it.
    fn witness(&self) {
        let machine = self.you.other("Machine");
        let dir = machine.clone(&self.remote(), "machine");
        machine.run(&dir, ["fetch"]).ok();
        machine.run(&dir, ["seal", "--init", "--name", "witness"]).ok();
    }
}

/// A session in which an agent is asked for `greet.py`, reads and writes it.
fn agent_writes<'w>(world: &'w World, dir: &Path) -> Agent<'w> {
    let agent = Agent::start(world, dir, SESSION);
    agent.prompt("Greet people by name.").say("I will write a function for it.");
    agent.call("Read", &json!({"file_path": dir.join("README.md")}), || {});
    agent.write("greet.py", GREET);
    agent
}
