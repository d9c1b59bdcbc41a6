//! Plays the story: each command is this very program in a process of its own, so that what is
//! shown is what a user gets. Its answers go straight to the terminal.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use super::super::say;
use super::super::session::Session;
use super::ears::Ears;
use super::stage::Stage;
use super::story::{STORY, Scene};
use crate::error::{Error, Kind, Result};
use crate::report::{Page, Paint};
use crate::sandbox::Event;

/// Plays every scene, and returns how many commands of keyroll were run.
///
/// # Errors
/// `story-differs` when one ended otherwise than it must; `interrupted`.
pub(super) fn play(session: &Session, stage: &Stage, ears: &Ears) -> Result<usize> {
    let mut commands = 0;
    for scene in STORY {
        events(stage, scene)?;
        let command = scene.command();
        say::line(&announced(scene, &command, session.paint));
        let code = run(session, stage, &command)?;
        if ears.is_over() || code.is_none() {
            let what = "the demo was interrupted; what it made is removed";
            return Err(Error::new(Kind::Io, "interrupted", what));
        }
        ended(scene, &command, code)?;
        commands += usize::from(command.starts_with("keyroll "));
    }
    Ok(commands)
}

fn events(stage: &Stage, scene: &Scene) -> Result<()> {
    for (event, told) in scene.before {
        stage.sandbox.simulate(&Event::parse(event)?)?;
        say::line(&format!("[simulated] {told}"));
    }
    if !scene.before.is_empty() {
        say::line("");
    }
    Ok(())
}

/// The reason as a shell's comment, and the command behind a prompt.
fn announced(scene: &Scene, command: &str, paint: Paint) -> String {
    let mut page = Page::new(80, paint);
    if !scene.why.is_empty() {
        page.line(&format!("# {}", scene.why));
    }
    page.heading(&format!("$ {command}"));
    page.done().trim_end_matches('\n').to_owned()
}

/// Runs one command to its end; `None` when a signal ended it.
fn run(session: &Session, stage: &Stage, command: &str) -> Result<Option<i32>> {
    let mut words = command.split(' ');
    let program = match words.next() {
        Some("git") => "git".into(),
        _ => session.program.clone(),
    };
    let status = Command::new(&program)
        .args(words)
        .env_clear()
        .envs(stage.environment())
        .current_dir(&stage.sample.clone)
        .stdin(Stdio::null())
        .status()
        .map_err(|source| Error::io("run", &program, &source))?;
    Ok(if status.signal().is_some() { None } else { status.code() })
}

/// Says how it ended where that is no plain yes, and refuses another end than the story's.
fn ended(scene: &Scene, command: &str, code: Option<i32>) -> Result<()> {
    if code != Some(i32::from(scene.ends)) {
        let code = code.unwrap_or_default();
        let what = format!("`{command}` ended with {code} and not with {}", scene.ends);
        return Err(Error::new(Kind::Bug, "story-differs", what)
            .hint("this is a defect of keyroll, or of the machine it runs on"));
    }
    let meaning = match scene.ends {
        1 => "exit code 1: no",
        4 => "exit code 4: not yet",
        _ => "",
    };
    if !meaning.is_empty() {
        say::line(meaning);
    }
    say::line("");
    Ok(())
}
