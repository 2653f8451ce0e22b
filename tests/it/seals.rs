//! Journeys of a witness: a machine that seals what others pushed, from a clone made for the day, and what it finds.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;
use crate::verify_sh;

/// A team with a witness that is enrolled, in a clone of its own; its key is in a file, as a build machine has it.
pub fn witnessed() -> (Team, World, PathBuf, PathBuf) {
    let team = Team::new();
    let ci = team.ada.other("Ci");
    let clone = ci.clone(&team.remote, "ci");
    ci.run(&clone, ["fetch"]).ok();
    let told = ci.run(&clone, ["seal", "--init", "--name", "build machine"]).ok();
    let chain = told.lines().next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    assert!(told.contains("member add"), "{told}");
    // Nobody has enrolled it yet.
    let refused = ci.run(&clone, ["seal"]).exits(2);
    assert!(refused.stderr.contains("--role witness"), "{refused:?}");
    team.ada.run(&team.work, ["fetch"]).ok();
    team.ada.run(&team.work, ["member", "add", &chain[..8], "--role", "witness"]).ok();
    team.ada.run(&team.work, ["push"]).ok();
    let key = ci.git(&clone, ["config", "tracevault.witnessKey"]).ok();
    (team, ci, clone, PathBuf::from(key))
}

/// One more machine that seals, enrolled by Ada.
fn witness(team: &Team, name: &str) -> (World, PathBuf) {
    let world = team.ada.other(name);
    let clone = world.clone(&team.remote, &name.to_lowercase());
    world.run(&clone, ["fetch"]).ok();
    let told = world.run(&clone, ["seal", "--init", "--name", name]).ok();
    let chain = told.lines().next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    world.run(&clone, ["seal"]).exits(2);
    team.ada.run(&team.work, ["fetch"]).ok();
    team.ada.run(&team.work, ["member", "add", &chain[..8], "--role", "witness"]).ok();
    team.ada.run(&team.work, ["push"]).ok();
    (world, clone)
}

fn verify(world: &World, dir: &Path) -> Value {
    world.run(dir, ["fetch"]);
    world.run(dir, ["verify", "--range", "HEAD", "--json"]).json()
}

#[test]
fn a_machine_seals_from_a_new_clone_each_time_and_records_cite_its_seals() {
    let (team, ci, clone, key) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    ada.pass(60);
    let told = ci.run(&clone, ["seal"]).ok();
    assert!(told.starts_with("sealed "), "{told}");
    assert!(ci.run(&clone, ["seal"]).ok().starts_with("Nothing to seal"));
    let state = |answer: &Value| answer["commits"][0]["state"].as_str().unwrap().to_owned();
    assert_eq!(state(&verify(ada, work)), "sealed");

    // The next record cites the seal, and waits for one of its own.
    ada.pass(60);
    ada.commit_file(work, "a.py", "a = 1\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    let cited = ada.records(work).pop().unwrap()["seal"].clone();
    assert!(cited["n"].as_u64() > Some(3), "{cited}");
    assert_eq!(state(&verify(ada, work)), "signed");

    // A clone that has never seen the chain goes on with it.
    let other = ci.clone(&team.remote, "ci-2");
    ci.run(&other, ["fetch"]).ok();
    ada.pass(60);
    let answer = ci.run(&other, ["seal", "--key", key.to_str().unwrap(), "--json"]).json();
    assert!(answer["pushed"] == true && answer["sealed"][0]["n"].as_u64() > cited["n"].as_u64(), "{answer}");
    let answer = verify(ada, work);
    assert_eq!((state(&answer), answer["verdict"].as_str().unwrap()), ("sealed".into(), "pass"));
    let commit = &answer["commits"][0];
    assert!(commit["after"].as_str().unwrap() < commit["before"].as_str().unwrap(), "{commit}");
    let text = ada.run(work, ["log", "-n", "1", "--json"]).json();
    assert_eq!(text["state"], "sealed");
    ada.passes(work, "HEAD");
}

#[test]
fn a_record_is_sealed_when_as_many_machines_have_sealed_it_as_must() {
    let (team, ci, clone, _) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    let [second, third] = ["Second", "Third"].map(|name| witness(&team, name));
    let told = ada.run(work, ["member", "witnesses", "2"]).ok();
    assert!(told.contains("when 2 of the witnesses have sealed it"), "{told}");
    let none = ada.run(work, ["member", "witnesses", "0"]).exits(2);
    assert!(none.stderr.contains("witness"), "{none:?}");
    ada.run(work, ["push"]).ok();
    let (bob, bobs) = team.join("Bob");
    let refused = bob.run(&bobs, ["member", "witnesses", "1"]).exits(2);
    assert!(refused.stderr.contains("owners"), "{refused:?}");
    ada.commit_file(work, "a.py", "a = 1\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();

    let seal = |(world, clone): (&World, &Path)| {
        ada.pass(60);
        world.run(clone, ["seal"]).ok()
    };
    let state = || verify(ada, work)["commits"][0]["state"].as_str().unwrap().to_owned();
    assert_eq!(state(), "signed");
    assert!(seal((&ci, &clone)).starts_with("sealed "));
    assert_eq!(state(), "signed");
    // The same machine twice is one machine.
    seal((&ci, &clone));
    assert_eq!(state(), "signed");
    assert!(seal((&third.0, &third.1)).starts_with("sealed "));
    assert_eq!(state(), "sealed");
    ada.run(work, ["prove", "HEAD", "-o", ada.path("a.tlog-proof").to_str().unwrap()]).ok();

    // All three: what two had sealed is not enough any more, and is when the last has been there.
    ada.run(work, ["member", "witnesses", "3"]).ok();
    ada.run(work, ["push"]).ok();
    assert_eq!(state(), "signed");
    assert!(seal((&second.0, &second.1)).starts_with("sealed "));
    assert_eq!(state(), "sealed");
    let waiting = verify(ada, work)["chains"].as_array().unwrap().iter().all(|chain| chain["waiting_since"].is_null());
    assert!(waiting, "every writer's chain is sealed by all");
    verify_sh::agree(ada, work, 0, "");
}

#[test]
fn a_server_that_drops_what_was_sealed_is_found_by_whoever_clones() {
    let (team, ci, clone, _) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    let chain = ada.own_chain(work);
    let before = ada.git(&team.remote, ["rev-parse", &chain]).ok();
    ada.commit_file(work, "a.py", "a = 1\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    ci.run(&clone, ["seal"]).ok();
    ada.git(&team.remote, ["update-ref", &chain, &before]).ok();
    let new = ada.other("Cleo");
    let theirs = new.clone(&team.remote, "cleo");
    new.run(&theirs, ["fetch"]);
    let verdict = new.run(&theirs, ["verify"]).exits(1);
    assert!(verdict.stdout.contains("E-ROLLBACK"), "{verdict:?}");
    // The witness signs nothing of the kind.
    let refused = ci.run(&clone, ["seal"]).exits(1);
    assert!(refused.stdout.contains("E-ROLLBACK") && refused.stdout.contains("Not sealed"), "{refused:?}");
}

#[test]
fn a_key_that_was_closed_does_not_stop_the_seals() {
    let (team, ci, clone, _) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    ci.run(&clone, ["seal"]).ok();
    ada.run(work, ["key", "close", "bob@example.com", "--reason", "stolen", "--last", "0", "--yes"]).ok();
    ada.run(work, ["push"]).ok();
    // What goes on to be written with it is a fault of the ledger, and no reason to seal nothing of the others'.
    bob.commit_file(&bobs, "b", "b\n");
    bob.git(&bobs, ["push", "--quiet", "origin", "HEAD:refs/heads/bobs"]).ok();
    ada.commit_file(work, "a", "a\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    assert!(ci.run(&clone, ["seal"]).ok().starts_with("sealed "));
    assert!(ci.run(&clone, ["verify"]).exits(1).stdout.contains("E-UNAUTH"));
    ada.run(work, ["fetch"]);
    let told = ada.run(work, ["verify", "--range", "main", "--json"]).exits(1);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert!(told["commits"].as_array().unwrap().iter().all(|commit| commit["state"] == "sealed"), "{told}");
}

#[test]
fn what_waits_too_long_for_a_seal_is_told() {
    let (team, ci, clone, _) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    ci.run(&clone, ["seal"]).ok();
    ada.commit_file(work, "a.py", "a = 1\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    ada.run(work, ["fetch"]).ok();
    let quiet = ada.run(work, ["verify"]).exits(0);
    assert!(!quiet.stdout.contains("W-STALE") && quiet.stdout.contains("not sealed"), "{quiet:?}");
    ada.pass(3 * 24 * 3600);
    let stale = ada.run(work, ["verify"]).exits(0);
    assert!(stale.stdout.contains("W-STALE"), "{stale:?}");
    ada.run(work, ["verify", "--require-fresh"]).exits(2);
    ada.run(work, ["verify", "--require-fresh", "--max-age", "7d"]).exits(0);
    ci.run(&clone, ["seal"]).ok();
    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["verify", "--require-fresh"]).exits(0);
}

#[test]
fn a_seal_has_a_time_stamp_that_openssl_verifies() {
    let (team, ci, clone, _) = witnessed();
    let folder = team.ada.path("tsa");
    std::fs::create_dir_all(&folder).unwrap();
    let shell = |script: &str| ci.command("sh", &folder).args(["-c", script]).output().unwrap();
    let made = shell(
        "printf '[tsa]\ndefault_tsa=t\n[t]\ndir=.\nserial=serial\ncrypto_device=builtin\nsigner_cert=tsa.pem\ncerts=tsa.pem\nsigner_key=tsa.key\n\
         signer_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\ness_cert_id_alg=sha256\n' >tsa.cnf; echo 01 >serial
         openssl req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -days 3650 -subj /CN=tsa \
         -addext extendedKeyUsage=critical,timeStamping -addext keyUsage=critical,digitalSignature",
    );
    if !made.status.success() {
        // Without openssl there is nothing to compare with.
        return;
    }
    let command =
        format!("cd '{}' && cat >q && openssl ts -reply -config tsa.cnf -section t -queryfile q", folder.display());
    ci.git(&clone, ["config", "tracevault.timestamp", &command]).ok();
    let answer = ci.run(&clone, ["seal", "--json"]).json();
    let record = answer["sealed"][0]["id"].as_str().unwrap();
    let chain = ci.git(&clone, ["for-each-ref", "--format=%(refname)", "refs/tracevault/seal/"]).ok();
    let verified = shell(&format!(
        "git -C '{}' cat-file blob '{chain}:timestamp.tsr' >tsr && openssl ts -verify -digest {record} -in tsr -CAfile tsa.pem",
        clone.display()
    ));
    assert!(verified.status.success(), "{verified:?}");
    ci.run(&clone, ["verify", "--full"]).exits(0);
    // An authority that does not answer seals nothing.
    team.ada.commit_file(&team.work, "a.py", "a = 1\n");
    team.ada.git(&team.work, ["push", "--quiet", "origin", "main"]).ok();
    ci.git(&clone, ["config", "tracevault.timestamp", "exit 7"]).ok();
    let refused = ci.run(&clone, ["seal"]).exits(2);
    assert!(refused.stderr.contains("time stamp"), "{refused:?}");
}

#[test]
fn a_time_stamp_outlives_the_certificate_of_its_authority() {
    let (team, ci, clone, _) = witnessed();
    let folder = team.ada.path("tsa");
    std::fs::create_dir_all(&folder).unwrap();
    let shell = |script: &str| ci.command("sh", &folder).args(["-c", script]).output().unwrap();
    // A certificate that ends in some seconds.
    let made = shell(
        "printf '[ca]\\ndefault_ca=c\\n[c]\\ndir=.\\ndatabase=index\\nserial=number\\nnew_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\n\
         x509_extensions=e\\n[p]\\ncommonName=supplied\\n[e]\\nextendedKeyUsage=critical,timeStamping\\nkeyUsage=critical,digitalSignature\\n' >ca.cnf
         printf '[t]\\ndir=.\\nserial=serial\\ncrypto_device=builtin\\nsigner_cert=tsa.pem\\ncerts=tsa.pem\\nsigner_key=tsa.key\\n\
         signer_digest=sha256\\ndefault_policy=1.2.3.4.1\\ndigests=sha256\\naccuracy=secs:1\\ness_cert_id_alg=sha256\\n' >tsa.cnf
         : >index; echo 01 >number; echo 01 >serial; openssl req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=tsa || exit 1
         now=$(date +%s); echo $((now + 1)) >good; end=$(date -u -d \"@$((now + 6))\" +%Y%m%d%H%M%SZ) || exit 1
         openssl ca -batch -selfsign -config ca.cnf -in tsa.csr -keyfile tsa.key -out tsa.pem -notext -startdate 20200101000000Z -enddate $end",
    );
    if !made.status.success() {
        eprintln!("skipped: no openssl, or no date that reckons: {}", String::from_utf8_lossy(&made.stderr));
        return;
    }
    let command =
        format!("cd '{}' && cat >q && openssl ts -reply -config tsa.cnf -section t -queryfile q", folder.display());
    ci.git(&clone, ["config", "tracevault.timestamp", &command]).ok();
    let answer = ci.run(&clone, ["seal", "--json"]).json();
    let record = answer["sealed"][0]["id"].as_str().unwrap();
    let chain = ci.git(&clone, ["for-each-ref", "--format=%(refname)", "refs/tracevault/seal/"]).ok();
    let verify = |more: &str| {
        shell(&format!(
            "git -C '{}' cat-file blob '{chain}:timestamp.tsr' >tsr && openssl ts -verify -digest {record} -in tsr -CAfile tsa.pem {more}",
            clone.display()
        ))
    };
    while shell("openssl x509 -in tsa.pem -noout -checkend 0").status.success() {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let expired = verify("");
    assert!(String::from_utf8_lossy(&expired.stderr).contains("expired"), "{expired:?}");
    let then = verify("-attime $(cat good)");
    assert!(then.status.success(), "by the time at which it was made: {then:?}");
    // Whom to believe is the reader's to say: the seal holds as it did.
    ci.run(&clone, ["verify", "--full"]).exits(0);
    team.ada.run(&team.work, ["fetch"]).ok();
    verify_sh::agree(&team.ada, &team.work, 0, "");
}

#[test]
fn a_proof_verifies_without_the_repository() {
    let (team, ci, clone, _) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    ada.run(work, ["prove", "HEAD"]).exits(2);
    ci.run(&clone, ["seal"]).ok();
    ada.run(work, ["fetch"]).ok();
    let file = ada.path("commit.tlog-proof");
    let file = file.to_str().unwrap();
    let answer = ada.run(work, ["prove", "HEAD", "-o", file, "--json"]).json();
    let key = answer["key"].as_str().unwrap();
    let empty = ada.path("tmp");
    let check = |args: &[&str]| ada.run(&empty, [&["prove", "--check", file][..], args].concat());
    let good = check(&["--key", key, "--json"]).json();
    assert_eq!((good["verdict"].as_str(), &good["record"]), (Some("pass"), &answer["record"]));
    assert!(check(&["--key", key]).exits(0).stdout.contains("pass"));
    assert!(check(&[]).exits(3).stdout.contains(key));
    let other = "RWQDAwMDAwMDA+1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR";
    check(&["--key", other]).exits(1);
    let mut renumbered = key.to_owned();
    renumbered.replace_range(5..6, if &key[5..6] == "A" { "B" } else { "A" });
    assert!(check(&["--key", &renumbered]).exits(1).stdout.contains("another number"));
    check(&["--key", key, "--ledger", &"0".repeat(64)]).exits(1);
    // Every record of the ledger can be proven, those of the policy chain too.
    let records = ada.records_at(work, "refs/tracevault/policy").len();
    assert_eq!(records, 2);
    let genesis = ada.git(work, ["config", "tracevault.ledger"]).ok();
    ada.run(work, ["prove", &genesis, "-o", file]).ok();
    check(&["--key", key, "--ledger", &genesis]).exits(0);
    // Another byte, another verdict.
    let text = std::fs::read_to_string(file).unwrap();
    for (from, to) in
        [("index 0", "index 1"), ("index 0", "index 00"), ("\n\n", "\n"), ("\n", "\r\n"), ("extra ", "extra A")]
    {
        std::fs::write(file, text.replacen(from, to, 1)).unwrap();
        check(&["--key", key]).exits(1);
    }
}

#[test]
fn what_was_sealed_stays_so_when_payloads_expire_and_keys_change() {
    let (team, ci, clone, _) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    Agent::start(ada, work, "first").prompt("Write it.").write("a.rs", "one\ntwo\n");
    ada.commit(work, "Add a");
    ada.run(work, ["compliance", "set", "pci-dss", "--yes"]).ok();
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    let witness = ci.git(&clone, ["for-each-ref", "--format=%(refname:lstrip=3)", "refs/tracevault/seal/"]).ok();
    let seal = || {
        ada.pass(60);
        assert!(ci.run(&clone, ["seal"]).ok().starts_with("sealed "));
        ada.run(work, ["fetch"]).exits(0);
    };
    // The verdict is the same from what was verified before, anew, and of the other verifier; all chains are sealed.
    let sealed = |finding: &str| {
        for args in [&["verify", "--json"][..], &["verify", "--full", "--json"]] {
            let answer = ada.run(work, args).json();
            assert_eq!(answer["verdict"], "pass", "{answer}");
            for chain in answer["chains"].as_array().unwrap().iter().filter(|chain| chain["chain"] != witness) {
                assert_eq!(chain["sealed"], chain["records"], "{answer}");
            }
        }
        verify_sh::agree(ada, work, 0, finding);
    };
    seal();
    sealed("");
    let record = ada.run(work, ["log", "-n", "1", "--json"]).json()["record"].as_str().unwrap().to_owned();
    let shown = || ada.run(work, ["show", &record, "--json"]).json();
    let (first, before) = (shown(), shown()["before"].clone());
    assert_eq!((&first["state"], first["after"].is_null(), before.is_null()), (&Value::from("sealed"), true, false));
    assert!(
        ada.run(work, ["show", &record]).ok().contains(&format!("before the seal of {}", before.as_str().unwrap()))
    );

    ada.pass((366 + 32) * 24 * 3600);
    ada.run(work, ["prune", "--yes"]).ok();
    ada.run(work, ["push"]).ok();
    seal();
    sealed("W-PRUNED");
    assert_eq!(shown()["before"], before);

    let old = ada.own_chain(work);
    ada.run(work, ["key", "rotate", "--yes"]).ok();
    ada.commit_file(work, "b", "b\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    seal();
    sealed("W-PRUNED");
    assert_ne!(ada.own_chain(work), old);
    let last = ada.records(work).pop().unwrap();
    assert!(last["seal"]["n"].as_u64().is_some(), "{last}");
    let newest = ada.run(work, ["log", "-n", "1", "--json"]).json()["record"].as_str().unwrap().to_owned();
    let text = ada.run(work, ["show", &newest]).ok();
    assert!(text.contains("between the seals of "), "{text}");
    ada.git(&team.remote, ["update-ref", "-d", &old]).ok();
    let cleo = ada.other("Cleo");
    let theirs = cleo.clone(&team.remote, "cleo");
    cleo.run(&theirs, ["fetch"]);
    assert!(cleo.run(&theirs, ["verify"]).exits(1).stdout.contains("E-ROLLBACK"));
}
