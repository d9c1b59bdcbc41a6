//! The JSON contract: every schema is one, holds for the documented examples, and refuses what the
//! contract does not allow.

use std::path::{Path, PathBuf};

use keyroll::Kind;
use serde_json::{Value, json};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema")
}

fn holds(name: &str, answer: &Value) -> Result<(), String> {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let file = folder().join(format!("{name}.json"));
    let schema = compiler.compile(file.to_str().unwrap(), &mut schemas).unwrap();
    schemas.validate(answer, schema).map_err(|error| error.to_string())
}

fn find() -> Value {
    let place = |more: Value| {
        let mut fields = json!({ "path": "hieradata/staging.yaml", "line": 12, "route": ["a::b"] });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    json!({
        "version": 1, "command": "find", "repository": "/srv/secrets", "commit": "0".repeat(40),
        "complete": true,
        "occurrences": [place(json!({
            "role": "id", "scheme": "eyaml-pkcs7", "access_key_id": ID, "paired": true,
            "environment": "staging",
        }))],
        "indirect": [place(json!({ "through": "s3_aws_access_key_id" }))],
        "locked": [place(json!({ "scheme": "sops", "reason": "no-identity", "detail": "…" }))],
        "account": "123456789012", "files_read": 412, "values_opened": 2031,
    })
}

fn rotate() -> Value {
    json!({
        "version": 1, "command": "rotate", "rotation": "r1", "user": "logs-writer", "old": ID,
        "new": "AKIAI44QH8DHBEXAMPLE", "dry_run": false,
        "branch": "keyroll/rotate/logs-writer/AKIAIOSFODNN7EXAMPLE", "commit": "a".repeat(64),
        "pull_request": "https://github.com/a/b/pull/1", "request_file": null,
        "changes": [{ "path": "a.yaml", "line": 1, "route": [], "role": "secret" }],
    })
}

fn verify() -> Value {
    json!({
        "version": 1, "command": "verify", "verdict": "waiting",
        "next_check_at": "2026-11-28T10:00:00Z",
        "rotations": [{
            "old": ID, "new": "AKIAI44QH8DHBEXAMPLE", "user": "logs-writer", "verdict": "waiting",
            "evidence": [{ "fact": "old-last-used", "value": "s3", "at": null, "source": "iam" }],
        }],
    })
}

#[test]
fn every_file_is_a_schema_of_its_own_command() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let refused = holds(&name, &json!({ "version": 1, "command": "no such command" }));
        assert!(refused.is_err(), "{name} takes anything");
        if name != "error" {
            let schema: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            assert_eq!(schema["properties"]["command"]["const"], name.as_str());
        }
        names.push(name);
    }
    names.sort();
    assert_eq!(
        names.join(" "),
        "abort attest check deactivate delete doctor error find ledger observe reactivate resume \
         rotate status verify"
    );
}

#[test]
fn the_documented_answers_hold_and_may_grow() {
    for (name, answer) in [("find", find()), ("rotate", rotate()), ("verify", verify())] {
        assert_eq!(holds(name, &answer), Ok(()), "{name}");
        let mut grown = answer.clone();
        grown["later"] = json!(1);
        assert_eq!(holds(name, &grown), Ok(()), "{name} may grow");
        for field in answer.as_object().unwrap().keys() {
            let mut less = answer.clone();
            less.as_object_mut().unwrap().remove(field);
            assert!(holds(name, &less).is_err(), "{name} without {field}");
        }
    }
}

#[test]
fn words_outside_the_contract_are_refused() {
    let rows = [
        ("find", find(), "/occurrences/0/role", json!("key")),
        ("find", find(), "/occurrences/0/scheme", json!("rot13")),
        ("find", find(), "/occurrences/0/line", json!(0)),
        ("find", find(), "/commit", json!("HEAD")),
        ("find", find(), "/version", json!(2)),
        ("rotate", rotate(), "/changes", json!([])),
        ("verify", verify(), "/verdict", json!("perhaps")),
        ("verify", verify(), "/next_check_at", json!("tomorrow")),
        ("verify", verify(), "/rotations/0/evidence/0/source", json!("hearsay")),
    ];
    for (name, mut answer, pointer, value) in rows {
        *answer.pointer_mut(pointer).unwrap() = value;
        assert!(holds(name, &answer).is_err(), "{name} {pointer}");
    }
}

#[test]
fn the_kinds_of_errors_are_those_of_the_program() {
    let kinds = [
        Kind::Usage,
        Kind::Settings,
        Kind::Io,
        Kind::Network,
        Kind::Denied,
        Kind::Throttled,
        Kind::NotFound,
        Kind::Bug,
        Kind::Refused,
        Kind::Waiting,
    ];
    let schema = std::fs::read(folder().join("error.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let words = &schema["properties"]["error"]["properties"]["kind"]["enum"];
    assert_eq!(*words, json!(kinds.map(Kind::word)));
    let answer = json!({ "version": 1, "command": "rotate", "error": {
        "kind": "refused", "reason": "two-access-keys", "message": "…", "hints": [],
        "retryable": false,
    } });
    assert_eq!(holds("error", &answer), Ok(()));
}
