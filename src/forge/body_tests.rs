use super::*;
use crate::model::{RepoPath, Route, Span, Step};

fn place(path: &str, line: usize, field: &str) -> Place {
    Place {
        path: RepoPath::new(path),
        line,
        route: Route(vec![Step::Field(field.to_owned())]),
        span: Span::new(0, 1),
    }
}

fn change(path: &str, line: usize, role: Role) -> ChangedPlace {
    ChangedPlace { place: place(path, line, "aws_access_key_id"), role }
}

fn summary() -> Summary {
    Summary {
        user: UserName::new("logs-writer").unwrap(),
        old: AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").unwrap(),
        new: AccessKeyId::new("AKIAI44QH8DHBEXAMPLE").unwrap(),
        account: Some(AccountId::new("123456789012").unwrap()),
        branch: "keyroll/rotate/logs-writer/AKIAIOSFODNN7EXAMPLE".to_owned(),
        base: "main".to_owned(),
        environments: vec![EnvironmentChanges {
            name: Some("staging".to_owned()),
            changes: vec![
                change("hieradata/staging.yaml", 12, Role::Id),
                change("hieradata/staging.yaml", 13, Role::Secret),
            ],
            readers: vec!["PKCS#7 certificate of keys/staging.pem".to_owned()],
        }],
        set_aside: Vec::new(),
        indirect: Vec::new(),
        consumers: Vec::new(),
        added_recipients: Vec::new(),
        warnings: Vec::new(),
        policy: Policy::default(),
        title: None,
        template: None,
    }
}

#[test]
fn tells_what_changes_who_reads_it_and_what_comes_next() {
    let text = body(&summary());
    for wanted in [
        "IAM user `logs-writer` in account `123456789012`",
        "| old | `AKIAIOSFODNN7EXAMPLE` |",
        "| new | `AKIAI44QH8DHBEXAMPLE` |",
        "**`staging`**",
        "- `hieradata/staging.yaml:12` `aws_access_key_id`: access key ID\n",
        "- `hieradata/staging.yaml:13` `aws_access_key_id`: secret\n",
        "Who can read it:\n\n- PKCS#\u{200b}7 certificate of keys/staging.pem\n",
        "Merging does not deploy by itself: deploy `staging` afterwards.",
        "`keyroll check main..keyroll/rotate/logs-writer/AKIAIOSFODNN7EXAMPLE`",
        "`keyroll verify AKIAIOSFODNN7EXAMPLE`",
        "After 7d without",
        "`keyroll deactivate AKIAIOSFODNN7EXAMPLE`",
        "After 14d switched off: `keyroll delete AKIAIOSFODNN7EXAMPLE --confirm AKIAIOSFODNN7EXAMPLE`",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    for absent in ["Not looked into", "Indirect uses", "Outside", "New readers", "Notes"] {
        assert!(!text.contains(absent), "empty section {absent}");
    }
    assert_eq!(text, body(&summary()), "the same facts give the same text");
}

#[test]
fn names_what_is_uncertain() {
    let mut told = summary();
    told.set_aside = vec![
        SetAside { path: "test/**".into(), how: LeftOut::Excluded, reason: None },
        SetAside {
            path: "hieradata/old.yaml".into(),
            how: LeftOut::AcceptedLocked,
            reason: Some("retired in May".into()),
        },
    ];
    told.indirect = vec![IndirectUse {
        place: place("hieradata/common.yaml", 3, "backup::id"),
        through: "s3_aws_access_key_id".into(),
    }];
    told.consumers = vec![Consumer {
        name: "Fastly www logging".into(),
        how: Some("https://example.com/runbook".into()),
        cadence: Some(Duration::from_secs(30 * 86_400)),
    }];
    told.added_recipients = vec!["age1example".into()];
    told.warnings = vec!["one region could not be reached".into()];
    let text = body(&told);
    for wanted in [
        "- `test/**` (excluded)\n",
        "- `hieradata/old.yaml` (locked, and accepted as such): retired in May\n",
        "- `hieradata/common.yaml:3 backup::id` through `s3_aws_access_key_id`\n",
        "- [ ] Fastly www logging: `https://example.com/runbook` (uses it every 30d)\n",
        "### New readers\n\nThese can read the new values and could not read the old ones.\n\n- `age1example`",
        "### Notes\n\n- one region could not be reached\n",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn hostile_names_stay_names() {
    let hostile = [
        ("a`b``c", "```a`b``c:1```"),
        ("`tick", "`` `tick:1 ``"),
        ("x\n\n# Approved", "`x\\n\\n#\u{200b} Approved:1`"),
        ("<!-- hidden", "`<!-- hidden:1`"),
        ("@everyone", "`@\u{200b}everyone:1`"),
        ("closes #1", "`closes #\u{200b}1:1`"),
        ("a\u{202e}b", "`a\\u{202e}b:1`"),
        ("\u{1b}[2J", "`\\u{1b}[2J:1`"),
    ];
    for (path, wanted) in hostile {
        let mut told = summary();
        told.environments[0].changes = vec![change(path, 1, Role::Id)];
        let text = body(&told);
        assert!(text.contains(&format!("- {wanted} ")), "{path:?} is not {wanted} in\n{text}");
    }
}

#[test]
fn hostile_sentences_stay_sentences() {
    let rows = [
        ("<!-- hidden -->", "&lt;\\!-- hidden --&gt;"),
        ("![x](http://e)", "\\!\\[x\\](http://e)"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("closes #1\n@ops", "closes #\u{200b}1\\\\n@\u{200b}ops"),
        ("`code` *b* _i_", "\\`code\\` \\*b\\* \\_i\\_"),
    ];
    for (text, wanted) in rows {
        assert_eq!(prose(text), wanted);
    }
}

#[test]
fn a_long_list_of_places_is_cut_and_says_so() {
    let mut told = summary();
    let many = 5_000;
    told.environments[0].changes =
        (0..many).map(|at| change(&format!("hieradata/{at:05}.yaml"), at, Role::Id)).collect();
    told.environments.push(EnvironmentChanges {
        name: Some("production".into()),
        changes: vec![change("hieradata/production.yaml", 1, Role::Id)],
        readers: Vec::new(),
    });
    told.warnings = (0..5_000).map(|at| format!("note {at}")).collect();
    let text = body(&told);
    assert!(text.chars().count() <= 65_000);
    let shown = text.matches(": access key ID\n").count();
    assert!(shown > 300, "only {shown} places were shown");
    assert!(text.contains(&format!("… and {} more places", many + 1 - shown)));
    let notes = text.matches("\n- note ").count();
    assert!(text.contains(&format!("… and {} more notes", 5_000 - notes)));
    assert!(text.contains("keyroll delete AKIAIOSFODNN7EXAMPLE"), "what comes next is never cut");
}

#[test]
fn every_list_at_its_longest_still_fits() {
    let long = "🗝".repeat(10_000);
    let mut told = summary();
    told.template = Some(long.clone());
    told.title = Some(long.clone());
    let spot = change(&long, 1, Role::Secret);
    told.environments = (0..500)
        .map(|_| EnvironmentChanges {
            name: Some(long.clone()),
            changes: vec![spot.clone(); 3],
            readers: vec![long.clone(); 30],
        })
        .collect();
    let aside = SetAside { path: long.clone(), how: LeftOut::Excluded, reason: Some(long.clone()) };
    told.set_aside = vec![aside; 100];
    told.indirect = vec![IndirectUse { place: spot.place, through: long.clone() }; 100];
    told.consumers =
        vec![Consumer { name: long.clone(), how: Some(long.clone()), cadence: None }; 100];
    told.added_recipients = vec![long.clone(); 100];
    told.warnings = vec![long; 100];
    let text = body(&told);
    assert!(text.chars().count() <= 65_000, "{} characters", text.chars().count());
    assert!(title(&told).chars().count() <= 256);
}

#[test]
fn titles_fill_their_placeholders_once() {
    let rows: [(Option<&str>, &str, &str); 6] = [
        (None, "logs-writer", "Rotate access key of logs-writer (…MPLE)"),
        (Some("  "), "logs-writer", "Rotate access key of logs-writer (…MPLE)"),
        (
            Some("OPS-1: {user} {old} → {new}"),
            "w",
            "OPS-1: w AKIAIOSFODNN7EXAMPLE → AKIAI44QH8DHBEXAMPLE",
        ),
        (
            Some("{branch} {nonsense} {"),
            "w",
            "keyroll/rotate/logs-writer/AKIAIOSFODNN7EXAMPLE {nonsense} {",
        ),
        (None, "a@b", "Rotate access key of a@\u{200b}b (…MPLE)"),
        (Some("one\ntwo"), "w", "one\\ntwo"),
    ];
    for (wanted, user, shown) in rows {
        let mut told = summary();
        told.title = wanted.map(str::to_owned);
        told.user = UserName::new(user).unwrap();
        assert_eq!(title(&told), shown);
    }
}

#[test]
fn the_template_stands_first_with_its_own_markdown() {
    let mut told = summary();
    told.template = Some("## Ticket\n\n- [ ] told @ops about {user} ({old})\n".to_owned());
    let text = body(&told);
    assert!(
        text.starts_with(
            "## Ticket\n\n- [ ] told @ops about logs-writer (AKIAIOSFODNN7EXAMPLE)\n\nThis replaces"
        ),
        "{text}"
    );
}
