use super::*;
use crate::Error;

const WHOLE: &str = r##"version: 1
base: main
paths: { include: ["puppet*/hieradata/**"], exclude: ["**/test/**"] }
identities: ["~/keys/staging.pem"]
environments:
  staging: { paths: ["**/staging*"], account: "123456789012", profile: staging, role_arn: "arn:aws:iam::123456789012:role/x" }
  other: { paths: ["**"] }
pull_request: { labels: [rotation], reviewers: [alice], team_reviewers: [ops], draft: true, title: "T", template: docs/pr.md }
policy: { max_age: 90d, quiet: 8d, lag: 5h, soak: 15d, assumed_cadence: 32d,
          recheck: 61s, prove: { successes: 4, span: 11s, deadline: 121s } }
users:
  logs-writer: { owner: "#ops", cadence: 30d, consumers: [ { name: "Fastly www logging", how: "https://example.com" } ] }
key_id_pattern: "A(KIA|LIA)[A-Z2-7]{16}"
ledger: none
"##;

#[test]
fn reads_every_setting() {
    let config = Config::parse(WHOLE.as_bytes(), "keyroll.yaml").unwrap();
    assert_eq!(config.base.as_deref(), Some("main"));
    assert!(config.paths.included(&RepoPath::new("puppet_aws/hieradata/a.yaml")));
    assert!(!config.paths.included(&RepoPath::new("puppet/hieradata/test/a.yaml")));
    assert_eq!(config.identities, ["~/keys/staging.pem"]);
    let staging = config.environment("staging").unwrap();
    assert_eq!(staging.account.as_ref().unwrap().as_str(), "123456789012");
    assert_eq!(staging.profile.as_deref(), Some("staging"));
    assert_eq!(staging.role_arn.as_deref(), Some("arn:aws:iam::123456789012:role/x"));
    let request = &config.pull_request;
    assert_eq!((&request.labels[0], &request.reviewers[0]), (&"rotation".into(), &"alice".into()));
    assert_eq!((request.team_reviewers.len(), request.draft), (1, true));
    assert_eq!(request.title.as_deref(), Some("T"));
    assert_eq!(request.template.as_deref(), Some("docs/pr.md"));
    let seconds = [
        config.policy.max_age,
        config.policy.quiet,
        config.policy.lag,
        config.policy.soak,
        config.policy.assumed_cadence,
        config.policy.recheck,
        config.policy.prove.span,
        config.policy.prove.deadline,
    ]
    .map(|window| window.as_secs());
    let day = 86_400;
    assert_eq!(seconds, [90 * day, 8 * day, 5 * 3_600, 15 * day, 32 * day, 61, 11, 121]);
    assert_eq!(config.policy.prove.successes, 4);
    let user = config.user(&UserName::new("logs-writer").unwrap()).unwrap();
    assert_eq!(user.owner.as_deref(), Some("#ops"));
    assert_eq!(user.cadence, Some(Duration::from_secs(30 * day)));
    assert_eq!(user.consumers[0].name, "Fastly www logging");
    assert!(config.key_id_pattern.unwrap().parse("ALIAIOSFODNN7EXAMPLE").is_ok());
    assert_eq!(config.ledger, Ledger::None);
}

#[test]
fn everything_but_the_version_has_a_default() {
    let config = Config::parse(b"version: 1\n", "keyroll.yaml").unwrap();
    assert_eq!(config.policy, Policy::default());
    assert_eq!(config.ledger, Ledger::Branch);
    assert!(config.paths.included(&RepoPath::new("any")));
    let partly = Config::parse(b"version: 1\npolicy:\n  soak: 20d\n", "keyroll.yaml").unwrap();
    assert_eq!(partly.policy.soak, Duration::from_secs(20 * 86_400));
    assert_eq!(partly.policy.quiet, Policy::default().quiet);
}

#[test]
fn the_first_environment_of_the_file_that_matches_rules() {
    let config = Config::parse(WHOLE.as_bytes(), "keyroll.yaml").unwrap();
    let of = |path: &str| config.environment_of(&RepoPath::new(path)).map(str::to_owned);
    assert_eq!(of("a/staging.yaml").as_deref(), Some("staging"));
    assert_eq!(of("a/production.yaml").as_deref(), Some("other"), "no guess beside settings");
    let guess = Config::default();
    assert_eq!(guess.environment_of(&RepoPath::new("a/production.yaml")), Some("production"));
}

fn refusal(text: &str) -> Error {
    Config::parse(text.as_bytes(), "keyroll.yaml").unwrap_err()
}

fn assert_told((text, message, hint): (&str, &str, &str)) {
    let error = refusal(text);
    assert_eq!(error.reason(), "bad-config");
    assert!(error.message().contains(message), "{error}\nis not\n{message}");
    let hints = error.hints().join(" ");
    assert!(hints.contains(hint), "{hints} for {text}");
}

#[test]
fn names_line_and_nearest_word() {
    let rows = [
        (
            "version: 1\nbse: main\n",
            "`keyroll.yaml:2`: unknown field `bse`",
            "did you mean `base`?",
        ),
        (
            "version: 1\npolicy:\n  lag: 4h\n  quite: 7d\n",
            "`keyroll.yaml:4`: unknown field `quite` in `policy`",
            "did you mean `quiet`?",
        ),
        (
            "version: 1\npolicy: { prove: { sucesses: 3 } }\n",
            "`keyroll.yaml:2`: unknown field `sucesses` in `policy.prove`",
            "did you mean `successes`?",
        ),
        (
            "version: 1\nenvironments:\n  staging:\n    paths: []\n    acount: x\n",
            "`keyroll.yaml:5`: unknown field `acount` in `environments.staging`",
            "did you mean `account`?",
        ),
        (
            "version: 1\npaths:\n  elephants: 1\n",
            "`keyroll.yaml:3`: unknown field `elephants` in `paths`",
            "valid are `include`, `exclude`",
        ),
        (
            "version: 1\nledger: branches\n",
            "`keyroll.yaml:2`: unknown word `branches` in `ledger`",
            "did you mean `branch`?",
        ),
        (
            "version: 1\n\"a`, expected `b\\e\": 1\n",
            "`keyroll.yaml:2`: unknown field `a`, expected `b\\u{1b}`",
            "valid are `version`",
        ),
    ];
    for row in rows {
        assert_told(row);
    }
}

#[test]
fn names_what_stands_twice_and_what_is_missing() {
    let rows = [
        (
            "version: 1\nbase: main\n# again\nbase: master\n",
            "`keyroll.yaml:4`: `base` stands twice",
            "keep one",
        ),
        (
            "version: 1\nenvironments:\n  a: { paths: [] }\n  b: { paths: [] }\n  a: { paths: [] }\n",
            "`keyroll.yaml:5`: `a` stands twice in `environments`",
            "keep one",
        ),
        ("version: 2\n", "`keyroll.yaml:1`: `version: 2` is not known", "version 1"),
        ("base: main\n", "missing field `version`", "begin the file with `version: 1`"),
        ("", "`keyroll.yaml:1`: missing field `version`", "begin the file with `version: 1`"),
    ];
    for row in rows {
        assert_told(row);
    }
}

#[test]
fn wrong_values_are_named_where_they_stand() {
    let rows = [
        (
            "version: 1\npolicy:\n  lag: 4h\n  quiet: soon\n",
            ":4`: policy.quiet: `soon` is no length of time",
        ),
        (
            "version: 1\npolicy:\n  quiet: [7d]\n",
            ":3`: policy.quiet: invalid type: sequence, expected a length",
        ),
        (
            "version: 1\nenvironments:\n  a:\n    paths: []\n    account: 12\n",
            ":5`: environments.a.account: `12` is no AWS account",
        ),
        (
            "version: 1\npaths:\n  include:\n    - ok\n    - 'a[b'\n",
            ":5`: paths.include[1]: `a[b` is no glob",
        ),
        ("version: 1\nkey_id_pattern: '('\n", ":2`: key_id_pattern: `(` is no regular expression"),
        ("version: 1\npull_request: { draft: maybe }\n", ":2`: pull_request.draft: invalid type"),
        ("version: 1\nusers:\n  'a b': {}\n", "`a b` is no possible IAM user name"),
        ("version: one\n", ":1`: version: invalid type"),
        ("version: 1\n\tbase: x\n", ":2`: "),
        ("- version\n", "invalid type: sequence"),
    ];
    for (text, message) in rows {
        let error = refusal(text);
        assert_eq!(error.reason(), "bad-config");
        assert!(error.message().contains(message), "{error}\nis not\n{message}");
    }
}

#[test]
fn accounts_may_stand_without_quotes() {
    let text = "version: 1\nenvironments:\n  a: { paths: [], account: 012345678901 }\n";
    let config = Config::parse(text.as_bytes(), "keyroll.yaml").unwrap();
    assert_eq!(config.environments[0].account.as_ref().unwrap().as_str(), "012345678901");
}
