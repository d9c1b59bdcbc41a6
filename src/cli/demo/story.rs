//! The story of `keyroll demo` as data: what happens outside, which command is typed next, and how
//! it must end. Playing it is left to `play`, printing it for a person to type to `serve`.

use crate::sandbox::sample::OLD;

/// The repository's name at the simulated forge.
pub(super) const SLUG: &str = "acme/secrets";

/// One command, and what leads to it.
#[derive(Debug)]
pub(super) struct Scene {
    /// Why it is typed, in one sentence.
    pub(super) why: &'static str,
    /// What happens before: an event in the words of `sandbox::Event`, and what it means.
    pub(super) before: &'static [(&'static str, &'static str)],
    /// The command; `{old}` is the access key, `{forge}` the repository's name.
    words: &'static str,
    /// The exit code it must end with.
    pub(super) ends: u8,
}

impl Scene {
    /// The command as a person types it.
    pub(super) fn command(&self) -> String {
        self.words.replace("{old}", OLD).replace("{forge}", SLUG)
    }
}

/// Every scene, in order.
pub(super) const STORY: &[Scene] = &[
    Scene {
        why: "Where this access key is used: sealed values are opened to see.",
        before: &[],
        words: "keyroll find {old}",
        ends: 0,
    },
    Scene {
        why: "What a rotation would change. Nothing is changed yet, here or at AWS.",
        before: &[],
        words: "keyroll rotate {old} --dry-run --github-repository {forge}",
        ends: 0,
    },
    Scene {
        why: "Make the new access key, seal it into every place, open a pull request.",
        before: &[],
        words: "keyroll rotate {old} --yes --github-repository {forge}",
        ends: 0,
    },
    Scene {
        why: "The same command again is no second rotation.",
        before: &[],
        words: "keyroll rotate {old} --yes --github-repository {forge}",
        ends: 0,
    },
    Scene {
        why: "The reviewer sees ciphertext only, and asks what the branch really changes.",
        before: &[],
        words: "git fetch --quiet",
        ends: 0,
    },
    Scene {
        why: "",
        before: &[],
        words: "keyroll check origin/main..origin/keyroll/rotate/uploads/{old}",
        ends: 0,
    },
    Scene {
        why: "Merged is not deployed: the old access key must stay for now.",
        before: &[
            ("advance 2h", "two hours later the pull request has its review"),
            ("merge", "a person merges it"),
        ],
        words: "keyroll verify {old} --github-repository {forge}",
        ends: 4,
    },
    Scene {
        why: "Somebody was forgotten, and it shows who: service and region are named.",
        before: &[
            ("advance 3h", "the site is deployed, and the queue worker is forgotten"),
            ("use new s3", "the site signs with the new access key"),
            ("advance 1d", "a day passes"),
            ("use old sqs", "the queue worker still signs with the old one"),
        ],
        words: "keyroll verify {old} --github-repository {forge}",
        ends: 1,
    },
    Scene {
        why: "A week without any use of the old access key, and the hours IAM may be late.",
        before: &[
            ("use new sqs", "the queue worker is deployed, too"),
            ("advance 8d", "eight days pass"),
        ],
        words: "keyroll verify {old} --github-repository {forge}",
        ends: 0,
    },
    Scene {
        why: "Now it may be switched off. With keyroll reactivate it comes back.",
        before: &[],
        words: "keyroll deactivate {old} --yes --github-repository {forge}",
        ends: 0,
    },
    Scene {
        why: "After two weeks in which nobody missed it, it may go for ever.",
        before: &[
            ("advance 15d", "fifteen days pass"),
            ("use new s3", "the site still signs with the new access key"),
        ],
        words: "keyroll delete {old} --confirm {old} --yes",
        ends: 0,
    },
    Scene {
        why: "Its whole life, as the ledger tells it.",
        before: &[],
        words: "keyroll ledger show {old}",
        ends: 0,
    },
    Scene {
        why: "The repository holds the new pair, and the old ID nowhere: the answer is no.",
        before: &[],
        words: "git pull --quiet",
        ends: 0,
    },
    Scene { why: "", before: &[], words: "keyroll find {old}", ends: 1 },
];

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::STORY;
    use crate::cli::args::Cli;
    use crate::cli::config::Config;
    use crate::model::Endpoint;
    use crate::sandbox::Event;
    use crate::sandbox::sample::SETTINGS;

    #[test]
    fn nobody_waits_for_real_and_only_on_this_machine() {
        let policy = Config::parse(SETTINGS.as_bytes(), "keyroll.yaml").expect("settings").policy;
        assert!(policy.prove.span.is_zero() && policy.recheck.is_zero());
        assert!(policy.check(Endpoint::Loopback).is_ok());
        assert!(policy.check(Endpoint::Remote).is_err());
    }

    #[test]
    fn every_word_of_the_story_is_understood() {
        for scene in STORY {
            let command = scene.command();
            assert!(!command.contains('{'), "{command}");
            if command.starts_with("keyroll ") {
                if let Err(error) = Cli::try_parse_from(command.split(' ')) {
                    panic!("{command}: {error}");
                }
            } else {
                assert!(command.starts_with("git "), "{command}");
            }
            for (event, _) in scene.before {
                assert!(Event::parse(event).is_ok(), "{event}");
            }
        }
    }

    #[test]
    fn it_reads_well_at_80_columns() {
        for scene in STORY {
            assert!(scene.command().len() <= 78, "{}", scene.command());
            assert!(scene.why.len() <= 78, "{}", scene.why);
            for (_, told) in scene.before {
                assert!(told.len() <= 66, "{told}");
            }
        }
    }

    #[test]
    fn a_shell_that_knows_no_comments_stumbles_over_nothing() {
        let told = STORY.iter().flat_map(|scene| scene.before).map(|(_, told)| *told);
        for words in STORY.iter().map(|scene| scene.why).chain(told) {
            assert!(!words.contains(|c| "`'\"$;&|<>()[]?*!".contains(c)), "{words}");
        }
    }
}
