//! Paging long output as git does: only for a person, through the pager git would use.

use crate::git::command::Pager;
use crate::host::env;
use crate::host::output::Out;
use crate::ledger::Ledger;

/// Runs `print` with its output paged where a person is looking, and as it is elsewhere.
pub fn paged<T>(
    ledger: &Ledger,
    out: &mut Out,
    print: impl FnOnce(&mut Out) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let command = env::git_pager()
        .or_else(|| ledger.repo.config("core.pager"))
        .or_else(env::plain_pager)
        .unwrap_or_else(|| "less".into());
    let wanted = out.is_terminal() && !env::pager_in_use() && !matches!(command.as_str(), "" | "cat");
    let pager = if wanted { Pager::start(&command).ok() } else { None };
    let Some(mut pager) = pager else { return print(out) };
    let mut paged = match pager.input() {
        Some(input) => Out::to(input, !env::no_color()).with_width(out.width()),
        None => return print(out),
    };
    let answer = print(&mut paged);
    std::io::Write::flush(&mut paged)?;
    drop(paged);
    pager.wait()?;
    answer
}
