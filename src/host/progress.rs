//! Progress on a terminal; silence elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::host::output;

/// A bar on standard error that goes away when the work is done.
#[derive(Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    /// `total` steps of `what` (a plural: `records`).
    pub fn new(what: &'static str, total: u64) -> Self {
        let target =
            if output::stderr_is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {human_pos}/{human_len} {eta}") {
            bar.set_style(style);
        }
        bar.set_prefix(what);
        Bar(bar)
    }

    pub fn step(&self, steps: u64) {
        self.0.inc(steps);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
