//! Keeps the services up and prints the story as a script that can be pasted into a shell. What
//! happens outside is typed here, or sent to the services by the script.

use std::fmt::Write as _;

use super::super::say;
use super::super::session::Session;
use super::ears::{Ears, Heard};
use super::stage::Stage;
use super::story::STORY;
use crate::error::Result;
use crate::sandbox::Event;

/// Serves until Ctrl-C, or until standard input is closed.
pub(super) fn serve(session: &Session, stage: &Stage, ears: &Ears) {
    say::line(&script(session, stage));
    ears.listen();
    loop {
        let Heard::Line(line) = ears.next() else { return };
        if line.trim().is_empty() {
            continue;
        }
        match happen(stage, &line) {
            Ok(done) => say::line(&done),
            Err(error) => {
                let hints: String =
                    error.hints().iter().map(|hint| format!("\nhint: {hint}")).collect();
                say::note(&format!("error: {error}{hints}"));
            }
        }
    }
}

fn happen(stage: &Stage, words: &str) -> Result<String> {
    stage.sandbox.simulate(&Event::parse(words)?)
}

/// The whole story as a script for a shell.
fn script(session: &Session, stage: &Stage) -> String {
    let mut text = "# The services are up. Paste this into another shell, bit by bit:\n".to_owned();
    for (name, value) in &stage.exports {
        let _ = writeln!(text, "export {name}={}", quoted(value));
    }
    text.push_str("unset AWS_PROFILE AWS_ROLE_ARN AWS_SESSION_TOKEN AWS_ENDPOINT_URL_IAM\n");
    text.push_str("unset AWS_ENDPOINT_URL_STS AWS_IGNORE_CONFIGURED_ENDPOINT_URLS\n");
    if let Some(folder) = session.program.parent() {
        let _ = writeln!(text, "export PATH={}:\"$PATH\"", quoted(&folder.to_string_lossy()));
    }
    let _ = writeln!(text, "cd {}", quoted(&stage.sample.clone.to_string_lossy()));
    let address = stage.sandbox.aws_endpoint();
    for scene in STORY {
        text.push('\n');
        for (event, told) in scene.before {
            let path = event.replace(' ', "/");
            let _ = writeln!(text, "# [simulated] {told}");
            let _ = writeln!(text, "curl -sS -X POST {address}/simulate/{path}");
        }
        if !scene.why.is_empty() {
            let _ = writeln!(text, "# {}", scene.why);
        }
        let _ = writeln!(text, "{}", scene.command());
    }
    text.push_str(
        "\n# What happens outside can be typed here, too: `advance 8d`, `use old sqs`,\n",
    );
    text.push_str("# `use new s3`, `merge`. Ctrl-C ends the services.");
    text
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_a_shell() {
        for (word, shown) in [
            ("/tmp/a-b_c.d", "/tmp/a-b_c.d"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
