//! The words of `demo`.

use std::path::PathBuf;

use clap::Args;

/// The whole story, with simulated services on this machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  keyroll demo\n  keyroll demo --keep ./story --serve")]
pub struct DemoArgs {
    /// Leave the sample repository in this new folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Keep the simulated services up, and print what to export
    #[arg(long)]
    pub serve: bool,
}
