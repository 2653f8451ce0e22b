//! `git tracevault serve`: proofs and keys for download, which hold where the server is not.

use crate::seals::witnessed;
use crate::server::Server;

#[test]
fn a_proof_and_its_key_are_downloaded_and_checked_elsewhere() {
    let (team, ci, clone, _) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    ci.run(&clone, ["seal"]).ok();
    ada.run(work, ["fetch"]).ok();
    let remote = format!("shop={}", team.remote.display());
    let server = Server::start(ada, work, &["--repo", &remote]);
    server.settle();
    let log = ada.run(work, ["log", "--json", "-n", "1"]).json();
    let record = log["record"].as_str().unwrap();
    let page = server.page(&format!("/records/{record}"));
    assert!(page.contains("Sealed by") && page.contains("The checkpoint that the witness has signed"), "{page}");
    // The same bytes as the command writes, of a writer's record and of one of the policy chain.
    let genesis = ada.git(work, ["config", "tracevault.ledger"]).ok();
    for id in [record, &genesis] {
        let file = ada.path("a.tlog-proof");
        let file = file.to_str().unwrap();
        ada.run(work, ["prove", id, "-o", file]).ok();
        let answer = server.get(&format!("/records/{id}/proof"));
        assert_eq!(answer.body, std::fs::read_to_string(file).unwrap());
        assert!(answer.headers.contains("attachment; filename="), "{}", answer.headers);
    }
    // The witness's key, as minisign reads it, checks it without a repository.
    let witness = server.rows("/r/shop/chains/policy.json").len();
    assert_eq!(witness, 2);
    let keys = server.page("/members");
    let chain = ci.git(&clone, ["config", "tracevault.witnessKey"]).ok();
    assert!(!chain.is_empty());
    let link = keys.split("/keys/").nth(1).unwrap().split('"').next().unwrap();
    assert!(server.page(&format!("/keys/{link}")).starts_with("untrusted comment: minisign public key "));
    let sealed = page.split("/keys/").nth(1).unwrap().split('"').next().unwrap();
    let key = server.page(&format!("/keys/{sealed}"));
    let key = key.lines().nth(1).unwrap();
    let file = ada.write(&ada.path("tmp"), "b.tlog-proof", &server.page(&format!("/records/{record}/proof")));
    ada.run(&ada.path("tmp"), ["prove", "--check", file.to_str().unwrap(), "--key", key]).exits(0);
    // The page says how, and it is so: with git, sha256sum and minisign.
    let text = page.split("How to check it\">").nth(1).unwrap().split("</pre>").next().unwrap();
    let text = text.replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
    let chain = ada.own_chain(work).rsplit('/').next().unwrap().to_owned();
    for name in [&format!("{chain}.pub"), sealed] {
        std::fs::write(work.join(name), server.page(&format!("/keys/{name}"))).unwrap();
    }
    let name = format!("{}.tlog-proof", &record[..10]);
    std::fs::write(work.join(name), server.page(&format!("/records/{record}/proof"))).unwrap();
    let output = ada.command("sh", work).args(["-e", "-c", &text]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains(record) && told.contains("Signature and comment signature verified"), "{told}");
    // A record that came after the seal has none yet.
    ada.commit_file(work, "later", "later\n");
    ada.run(work, ["push"]).ok();
    ada.run(work, ["serve", "--once", "--repo", &remote]).ok();
    let later = ada.run(work, ["log", "--json", "-n", "1"]).json();
    let later = later["record"].as_str().unwrap();
    assert_eq!(server.get(&format!("/records/{later}/proof")).status, 404);
    assert!(server.page(&format!("/records/{later}")).contains("No witness has sealed this record"));
    assert_eq!(server.get("/keys/0123.pub").status, 404);
}
