//! `git tracevault man`: the manual pages, made from the same text as the help.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::Code;
use crate::host::output::Out;

/// Write the manual pages into a folder, for `git tracevault --help`
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where to write git-tracevault.1 and a page for each command
    folder: PathBuf,
}

pub fn run(args: &Args, out: &mut Out) -> anyhow::Result<Code> {
    let failed = || format!("cannot write manual pages to {}", args.folder.display());
    std::fs::create_dir_all(&args.folder).with_context(failed)?;
    clap_mangen::generate_to(super::command(), &args.folder).with_context(failed)?;
    out.line(format_args!("Manual pages are in {}.", args.folder.display()))?;
    Ok(0)
}
