use clap::CommandFactory as _;
use clap::error::ErrorKind;

use super::*;

const OLD: &str = "AKIAIOSFODNN7EXAMPLE";

fn parse(words: &str) -> Result<Verb, clap::Error> {
    let words = words.split(' ').filter(|word| !word.is_empty());
    Cli::try_parse_from(std::iter::once("keyroll").chain(words)).map(|cli| cli.verb)
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn words_of_the_shape_of_an_id_are_ids_and_never_folders() {
    let Verb::Find(find) = parse(&format!("find {OLD} ./a AKIA https://e.org/x.git ..")).unwrap()
    else {
        panic!("not find");
    };
    assert_eq!(find.targets.ids().collect::<Vec<_>>(), [OLD, "AKIA"]);
    let repositories: Vec<_> = find.targets.repositories().collect();
    assert_eq!(repositories, ["./a", "https://e.org/x.git", ".."]);
}

#[test]
fn words_that_belong_together_are_asked_for_together() {
    let rows = [
        ("rotate X --accept-locked a.yaml", ErrorKind::MissingRequiredArgument),
        ("rotate X --reason why", ErrorKind::MissingRequiredArgument),
        ("deactivate X --unused", ErrorKind::MissingRequiredArgument),
        ("deactivate X --compromised --reason why", ErrorKind::MissingRequiredArgument),
        ("deactivate X --unused --compromised --reason y --confirm X", ErrorKind::ArgumentConflict),
        ("delete X", ErrorKind::MissingRequiredArgument),
        ("verify --old X", ErrorKind::MissingRequiredArgument),
        ("verify --new X", ErrorKind::MissingRequiredArgument),
        ("attest X place", ErrorKind::MissingRequiredArgument),
        ("find --all --text x", ErrorKind::ArgumentConflict),
        ("find --text x --regex y", ErrorKind::ArgumentConflict),
        ("verify --wait soon", ErrorKind::ValueValidation),
        ("verify --deployed-at yesterday", ErrorKind::ValueValidation),
        ("rotate --user a/b", ErrorKind::ValueValidation),
        ("check HEAD", ErrorKind::ValueValidation),
        ("check a...b", ErrorKind::ValueValidation),
        ("rotate X --output sarif", ErrorKind::InvalidValue),
        ("find X --output nagios", ErrorKind::InvalidValue),
        ("status -v -q", ErrorKind::ArgumentConflict),
        ("frobnicate", ErrorKind::InvalidSubcommand),
    ];
    for (words, wanted) in rows {
        let error = parse(words).err().map(|error| (error.kind(), error.exit_code()));
        assert_eq!(error, Some((wanted, 2)), "{words}");
    }
}

#[test]
fn a_flag_of_later_work_is_refused_and_not_ignored() {
    for flag in ["--onto", "--takeover", "--reopen", "--gpg-recipients", "--accept-recipient"] {
        let error = parse(&format!("rotate {OLD} {flag} x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownArgument, "{flag}");
    }
}

#[test]
fn reads_the_words_of_a_rotation() {
    let words = format!(
        "rotate {OLD} ./secrets --pair a=b --pair c=d --accept-locked x.yaml --reason old \
         --label one --label two --title T --forge local --aws-endpoint http://127.0.0.1:1 \
         --exclude **/t --output json -vv"
    );
    let Verb::Rotate(rotate) = parse(&words).unwrap() else { panic!("not rotate") };
    assert_eq!(rotate.targets.ids().collect::<Vec<_>>(), [OLD]);
    assert_eq!(rotate.targets.repositories().collect::<Vec<_>>(), ["./secrets"]);
    assert_eq!(rotate.pair, ["a=b", "c=d"]);
    assert_eq!(rotate.accept_locked, ["x.yaml"]);
    assert_eq!(rotate.request.label, ["one", "two"]);
    assert_eq!(rotate.forge.forge, Some(ForgeName::Local));
    assert_eq!(rotate.aws.aws_endpoint.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(rotate.repository.exclude, ["**/t"]);
    assert_eq!(rotate.output.get(), Output::Json);
    assert!(!rotate.dry_run && !rotate.yes && !rotate.new_pair_stdin && !rotate.signoff);
    assert_eq!(rotate.branch_prefix, "keyroll/rotate");
}

#[test]
fn every_command_has_an_example_that_parses() {
    for verb in Cli::command().get_subcommands() {
        let Some(help) = verb.get_after_help() else {
            assert_eq!(verb.get_name(), "ledger", "no example");
            continue;
        };
        let help = help.to_string().replace("\\\n", "");
        let examples: Vec<_> =
            help.lines().map(str::trim).filter(|line| line.starts_with("keyroll ")).collect();
        assert!(!examples.is_empty(), "{}", verb.get_name());
        for example in examples {
            // What a shell would do with quotes, pipes and redirections is no part of the words.
            let words = example.split(['|', '>']).next().unwrap_or_default();
            let words: Vec<_> = words
                .split('\'')
                .enumerate()
                .flat_map(|(at, part)| match at % 2 {
                    0 => part.split_whitespace().map(str::to_owned).collect(),
                    _ => vec![part.to_owned()],
                })
                .collect();
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{example}: {error}");
            }
        }
    }
}
