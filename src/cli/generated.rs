//! `keyroll policy`, `completions` and `man`: texts that follow from the definitions alone.

use clap::CommandFactory as _;
use serde_json::Value;

use super::args::{Cli, CompletionsArgs, PolicyArgs, PolicyCommand};
use crate::error::{Error, Result};
use crate::report::{Outcome, Rights, policies, policy as policy_of};

/// The smallest IAM policy of one command, or the three policies that all of them need.
pub(super) fn policy(args: &PolicyArgs) -> Outcome {
    let json = args.command.map_or_else(policies, |command| policy_of(rights(command)));
    let mut human = serde_json::to_string_pretty(&json).unwrap_or_default();
    human.push('\n');
    Outcome { code: 0, human, json, sarif: None }
}

const fn rights(command: PolicyCommand) -> Rights {
    match command {
        PolicyCommand::Rotate | PolicyCommand::Resume => Rights::Rotate,
        PolicyCommand::Abort => Rights::Abort,
        PolicyCommand::Verify | PolicyCommand::Status | PolicyCommand::Observe => Rights::Look,
        PolicyCommand::Deactivate => Rights::SwitchOff,
        PolicyCommand::Reactivate => Rights::SwitchOn,
        PolicyCommand::Delete => Rights::Delete,
        PolicyCommand::Doctor => Rights::LookAtAll,
    }
}

/// The completions of one shell.
pub(super) fn completions(args: &CompletionsArgs) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keyroll", &mut text);
    said(text)
}

/// The manual page: the whole program, then a section for each command.
///
/// # Errors
/// A defect only: it is written into memory.
pub(super) fn man() -> Result<Outcome> {
    let failed = |source: std::io::Error| Error::bug(format!("no manual page: {source}"));
    let mut program = Cli::command();
    program.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(program.clone()).render(&mut page).map_err(failed)?;
    for verb in program.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let name = format!("keyroll {}", verb.get_name());
        let manual = clap_mangen::Man::new(verb.clone().display_name(&name).bin_name(&name));
        let mut part = Vec::new();
        manual.render_synopsis_section(&mut part).map_err(failed)?;
        manual.render_description_section(&mut part).map_err(failed)?;
        manual.render_options_section(&mut part).map_err(failed)?;
        // A section of the command's own, in which the usual ones come one level lower.
        let part = String::from_utf8_lossy(&part).replace(".SH ", ".SS ");
        page.extend_from_slice(format!(".SH \"{}\"\n{part}", name.to_uppercase()).as_bytes());
    }
    Ok(said(page))
}

fn said(text: Vec<u8>) -> Outcome {
    let human = String::from_utf8_lossy(&text).into_owned();
    Outcome { code: 0, human, json: Value::Null, sarif: None }
}

#[cfg(test)]
mod tests {
    use super::{completions, man, policy};
    use crate::cli::args::{CompletionsArgs, PolicyArgs, PolicyCommand};
    use clap::ValueEnum as _;

    fn actions(command: PolicyCommand) -> Vec<String> {
        let said = policy(&PolicyArgs { command: Some(command) });
        let json: serde_json::Value = serde_json::from_str(&said.human).expect("JSON");
        let statements = json["Statement"].as_array().expect("statements").iter();
        let actions = statements.flat_map(|one| one["Action"].as_array().expect("actions").iter());
        actions.map(|one| one.as_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn only_delete_may_delete_and_only_rotate_may_create() {
        for command in PolicyCommand::value_variants() {
            let has = |action: &str| actions(*command).iter().any(|one| one == action);
            assert_eq!(has("iam:DeleteAccessKey"), *command == PolicyCommand::Delete);
            let makes = matches!(command, PolicyCommand::Rotate | PolicyCommand::Resume);
            assert_eq!(has("iam:CreateAccessKey"), makes, "{command:?}");
            let looks = matches!(
                command,
                PolicyCommand::Verify
                    | PolicyCommand::Status
                    | PolicyCommand::Observe
                    | PolicyCommand::Doctor
                    | PolicyCommand::Delete
            );
            assert_eq!(!has("iam:UpdateAccessKey"), looks, "{command:?}");
        }
    }

    #[test]
    fn all_together_are_three_policies() {
        let said = policy(&PolicyArgs { command: None });
        let names: Vec<_> = said.json.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["deleter", "finder", "rotator"]);
    }

    #[test]
    fn every_command_is_in_the_manual_and_the_completions() {
        let manual = man().expect("a page").human;
        for shell in clap_complete::Shell::value_variants() {
            let text = completions(&CompletionsArgs { shell: *shell }).human;
            assert!(text.contains("deactivate"), "{shell}");
        }
        for verb in ["rotate", "deactivate", "doctor"] {
            let heading = format!(".SH \"KEYROLL {}\"", verb.to_uppercase());
            assert!(manual.contains(&heading), "{verb}");
        }
        assert!(manual.contains("\\-\\-inactive\\-since"));
    }
}
