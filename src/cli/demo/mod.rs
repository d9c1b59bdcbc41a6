//! `keyroll demo`: the whole story of a rotation on a sample repository, with AWS and the forge
//! simulated on this machine. Needs no account, no network, and git alone beside this program.

mod ears;
mod play;
mod serve;
mod stage;
mod story;

use serde_json::Value;

use self::ears::Ears;
use self::stage::Stage;
use super::args::DemoArgs;
use super::say;
use super::session::Session;
use crate::error::Result;
use crate::model::visible;
use crate::report::{Outcome, plural};

const OPENING: &str = "\
keyroll demo: one rotation from beginning to end.

The repository is a sample. AWS and the forge are simulated on this machine,
and so is the time that passes. The commands are real: they will note that the
clock of AWS runs ahead of this machine's.
";

/// Plays the story, or serves what it plays on.
///
/// # Errors
/// What keeps the stage from being set, and a command that ended otherwise than it must.
pub(super) fn demo(session: &Session, args: &DemoArgs) -> Result<Outcome> {
    let ears = Ears::open();
    let stage = Stage::set(session, args.keep.as_deref())?;
    let mut human = if args.serve {
        serve::serve(session, &stage, &ears);
        String::new()
    } else {
        say::line(OPENING);
        let commands = play::play(session, &stage, &ears)?;
        format!("{} ended as they must\n", plural(commands, "command"))
    };
    if args.keep.is_some() {
        let (clone, remote) = (&stage.sample.clone, &stage.sample.remote);
        let shown = |path: &std::path::Path| visible(&path.to_string_lossy());
        human.push_str(&format!("kept: the clone {}\n", shown(clone)));
        human.push_str(&format!("kept: its remote {}\n", shown(remote)));
    }
    Ok(Outcome { code: 0, human, json: Value::Null, sarif: None })
}
