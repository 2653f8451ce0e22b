//! `/records/ID/proof`: the proof that a witness has sealed a record, as a file; and what the record's page tells of it.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::id::ChainId;
use crate::index::{Filter, Reach, RecordRow, Repository, SealRow};
use crate::mirror::Sealed;
use crate::record::proof::Proof;
use crate::web::access::Reader;
use crate::web::page::{Block, NoPage, Page, Text};
use crate::web::pages::{integrity, record};
use crate::web::show;
use crate::web::table::Cell;

/// In ledgers with more records than these a proof is only made for those who download it.
const SHOWN: i64 = 20_000;

/// The file that `git tracevault prove` writes.
pub async fn file(reader: Reader, Path(id): Path<String>) -> Result<Response, NoPage> {
    let record = record::named(&reader, &id).await?;
    let repository = reader.repository(&record.repository).await?;
    let Some(seal) = seal(&reader, &repository, &record).await? else {
        return Err(NoPage::NotFound("no witness has sealed this record".to_owned()));
    };
    let proof = prove(&reader, &repository, &record, &seal).await?;
    let name = format!("attachment; filename=\"{}.tlog-proof\"", show::short(&record.record));
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, proof.to_bytes()).into_response())
}

/// What a record's page tells of its seal.
pub async fn told(page: Page, reader: &Reader, record: &RecordRow) -> Result<Page, NoPage> {
    let page = page.heading("proof", "Proof");
    let repository = reader.repository(&record.repository).await?;
    let Some(seal) = seal(reader, &repository, record).await? else {
        return Ok(page.note("warn", "No witness has sealed this record: only its writer's signature speaks for it."));
    };
    let download = format!("/records/{}/proof", record.record);
    let witness = Cell::text(seal.member.as_deref().unwrap_or(&seal.witness));
    let mut facts = vec![
        ("Sealed by", witness.to(integrity::path(&repository.name, &seal.witness))),
        ("Sealed at", Cell::time(seal.time)),
        ("By seal", Cell::id(&seal.record).to(format!("/records/{}", seal.record))),
        ("Proof", Cell::text("download").to(download)),
        ("Witness's key", Cell::text("download").to(format!("/keys/{}.pub", seal.witness))),
    ];
    let proof = match repository.records <= SHOWN && reader.mirror(&repository.name).is_some() {
        true => prove(reader, &repository, record, &seal).await.ok(),
        false => None,
    };
    if let Some(proof) = &proof {
        facts.push(("Number in the tree", Cell::count(i64::try_from(proof.index).unwrap_or(i64::MAX))));
    }
    let mut page = page.facts(facts);
    if let Some(proof) = &proof {
        let hashes: Vec<String> = proof.path.iter().map(ToString::to_string).collect();
        let path = if hashes.is_empty() { "It is the only one.".to_owned() } else { hashes.join("\n") };
        let checkpoint = show::visible(&String::from_utf8_lossy(&proof.checkpoint));
        page = text(page, "path", "Hashes from the record to the root of the tree", path);
        page = text(page, "checkpoint", "The checkpoint that the witness has signed", checkpoint);
    }
    Ok(text(page, "check", "How to check it", commands(record, &seal)))
}

fn text(page: Page, id: &'static str, label: &str, text: String) -> Page {
    page.heading(id, label).block(Block::Text(Text { label: label.to_owned(), text }))
}

/// Ways to check the record and its seal with programs that are not ours, and with ours.
fn commands(record: &RecordRow, seal: &SealRow) -> String {
    let (held, id, witness) = (&record.held, &record.record, &seal.witness);
    let signed = match record.chain.parse() {
        Ok(ChainId::Policy) => format!("# its signatures, one an owner: git ls-tree {held}\n"),
        _ => format!(
            "git cat-file blob {held}:record.json.minisig > record.json.minisig\n\
             minisign -V -H -p {chain}.pub -m record.json     # from /keys/{chain}.pub\n",
            chain = record.chain
        ),
    };
    format!(
        "# In any clone that has the ledger (git tracevault fetch):\n\
         git cat-file blob {held}:record.json > record.json\n\
         sha256sum record.json     # {id}\n{signed}\
         # Without a repository and a network; the key as you know it from elsewhere:\n\
         git tracevault prove --check {short}.tlog-proof --key \"$(tail -n 1 {witness}.pub)\"\n",
        short = show::short(id),
    )
}

async fn seal(reader: &Reader, repository: &Repository, record: &RecordRow) -> Result<Option<SealRow>, NoPage> {
    if record.good == 0 {
        return Ok(None);
    }
    Ok(reader.index().first_seal(repository.id, &record.chain, record.seq).await?)
}

async fn prove(reader: &Reader, repository: &Repository, record: &RecordRow, seal: &SealRow) -> Result<Proof, NoPage> {
    let missing = |what: &str| NoPage::NotFound(format!("the proof cannot be made here: {what}"));
    let mirror = reader
        .mirror(&repository.name)
        .cloned()
        .ok_or_else(|| missing("this server does not mirror the repository"))?;
    // A witness's key is no secret of those whose records it seals.
    let of_it = Filter { reach: Reach::All, repository: Some(repository.id), ..Filter::default() };
    let accounts = reader.index().accounts(&of_it).await?;
    let keys = accounts.values().flat_map(|account| account.keys());
    let key = keys.map(|enrolled| enrolled.key).find(|key| key.chain().to_string() == seal.witness);
    let key = key.ok_or_else(|| missing("the witness's key is not known"))?;
    let place = reader.index().inclusion(repository.id, (&seal.witness, seal.n), (&record.chain, record.seq)).await?;
    let (index, path) = place.ok_or_else(|| missing("not all of what the seal covers is here"))?;
    let commit = seal.commit().ok_or_else(|| missing("the seal is not named"))?;
    let held = record.held.parse().map_err(|_| missing("the record is not named"))?;
    let sealed = Sealed { held, seal: commit, key, index, path };
    let made = tokio::task::spawn_blocking(move || mirror.prove(sealed)).await;
    let proof = made.map_err(|error| NoPage::Failed(error.to_string()))??;
    // Nobody is given what proves nothing.
    proof.verify().map_err(|error| NoPage::Failed(format!("the proof does not hold: {error}")))?;
    Ok(proof)
}
