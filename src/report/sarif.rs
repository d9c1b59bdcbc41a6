//! The answer of `find` and `check` as SARIF 2.1.0, for code scanning: pure, and without any value.
//! Writing it out is left to the caller.

use serde_json::{Value, json};

use crate::model::{Finding, Locked, Occurrence, Place, RepoPath, Role, Route, Scheme};

/// One log with one run: a result for each occurrence and each locked value.
#[must_use]
pub fn sarif(occurrences: &[Occurrence], locked: &[Locked]) -> Value {
    let found = occurrences.iter().map(occurrence);
    let closed = locked.iter().map(locked_value);
    log(&rules(), &found.chain(closed).collect::<Vec<_>>())
}

/// One log with one run: a result for each finding of `check` and each locked value.
#[must_use]
pub(super) fn findings(findings: &[Finding], locked: &[Locked]) -> Value {
    let reasons: std::collections::BTreeSet<&str> = findings.iter().map(|one| one.reason).collect();
    let mut rules: Vec<Value> = reasons
        .into_iter()
        .map(|reason| rule(reason, "The change is not a rotation and nothing else"))
        .collect();
    if !locked.is_empty() {
        rules.push(rule("locked-value", LOCKED));
    }
    let told = findings.iter().map(|one| {
        let line = one.line.unwrap_or(1);
        let at = one.path.as_ref().map(|path| (path, line, &one.route));
        result(one.reason, "error", &one.message, at)
    });
    let closed = locked.iter().map(locked_value);
    log(&json!(rules), &told.chain(closed).collect::<Vec<_>>())
}

fn log(rules: &Value, results: &[Value]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "keyroll",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    })
}

const LOCKED: &str = "A value could not be opened, so it is not known what stands here";

fn rule(id: &str, text: &str) -> Value {
    json!({ "id": id, "shortDescription": { "text": text } })
}

fn rules() -> Value {
    json!([
        rule("access-key-id", "The ID of an AWS access key stands here"),
        rule("access-key-secret", "The secret of an AWS access key stands here"),
        rule("text", "A text that was looked for stands here"),
        rule("locked-value", LOCKED),
    ])
}

fn occurrence(found: &Occurrence) -> Value {
    let (rule, what) = match found.role {
        Role::Id => ("access-key-id", "access key ID"),
        Role::Secret => ("access-key-secret", "secret of the access key"),
        Role::Text => ("text", "the text"),
    };
    let id = found.id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    let message = format!("{what}{id}, sealed as {}", found.scheme);
    // In clear it can be read by whoever reads the repository.
    let level = if found.scheme == Scheme::Plain { "warning" } else { "note" };
    let mut made = result(rule, level, &message, Some(spot(&found.place)));
    made["properties"] = json!({
        "role": found.role.word(),
        "scheme": found.scheme.to_string(),
        "access_key_id": found.id.as_ref().map(|id| id.as_str()),
        "paired": found.paired,
        "environment": found.environment,
    });
    made
}

fn locked_value(locked: &Locked) -> Value {
    let Locked { place, scheme, lock } = locked;
    let reason = lock.reason.word();
    let message = format!("stayed locked ({reason}): {}", lock.detail);
    let mut made = result("locked-value", "warning", &message, Some(spot(place)));
    made["properties"] = json!({ "scheme": scheme.to_string(), "reason": reason });
    made
}

/// File, line and route: what a location is made of.
type Spot<'a> = (&'a RepoPath, usize, &'a Route);

const fn spot(place: &Place) -> Spot<'_> {
    (&place.path, place.line, &place.route)
}

fn result(rule: &str, level: &str, message: &str, at: Option<Spot<'_>>) -> Value {
    let mut made = json!({
        "ruleId": rule,
        "level": level,
        "message": { "text": message },
    });
    let Some((path, line, route)) = at else { return made };
    let uri = percent_encoding::percent_encode(path.as_bytes(), UNRESERVED).to_string();
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri, "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": line },
        },
    });
    if !route.0.is_empty() {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": route.to_string() }]);
    }
    made["locations"] = json!([location]);
    made
}

/// What stands in the path of a relative URI as it is (RFC 3986); a colon does not, lest the first
/// folder be read as a scheme.
const UNRESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccessKeyId, Encoding, Lock, LockReason, RepoPath, Route, Span, Step};

    fn place(path: &str) -> Place {
        Place {
            path: RepoPath::new(path),
            line: 12,
            route: Route(vec![Step::Field("aws_access_key_id".into())]),
            span: Span::new(0, 1),
        }
    }

    fn found(role: Role, scheme: Scheme) -> Occurrence {
        Occurrence {
            place: place("a b/c:d.yaml"),
            trail: Vec::new(),
            range: Span::new(0, 1),
            encoding: Encoding::default(),
            role,
            id: Some(AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").unwrap()),
            scheme,
            opened_by: None,
            paired: true,
            environment: Some("staging".into()),
        }
    }

    #[test]
    fn each_occurrence_and_each_locked_value_is_a_result() {
        let lock = Lock { reason: LockReason::NoIdentity, detail: "no identity opens it".into() };
        let closed = place("x.yaml");
        let log = sarif(
            &[found(Role::Id, Scheme::Plain), found(Role::Secret, Scheme::EyamlPkcs7)],
            &[Locked { place: closed, scheme: Scheme::EyamlPkcs7, lock }],
        );
        assert_eq!(log["version"], "2.1.0");
        let results = log["runs"][0]["results"].as_array().unwrap();
        let told: Vec<_> = results.iter().map(|each| (&each["ruleId"], &each["level"])).collect();
        let wanted = [
            (json!("access-key-id"), json!("warning")),
            (json!("access-key-secret"), json!("note")),
            (json!("locked-value"), json!("warning")),
        ];
        assert_eq!(told, wanted.iter().map(|(rule, level)| (rule, level)).collect::<Vec<_>>());
        let known: Vec<_> = log["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| &rule["id"])
            .collect();
        assert!(told.iter().all(|(rule, _)| known.contains(rule)), "every rule is described");
        let location = &results[0]["locations"][0];
        let at = &location["physicalLocation"];
        assert_eq!(at["artifactLocation"]["uri"], "a%20b/c%3Ad.yaml");
        assert_eq!(at["region"]["startLine"], 12);
        assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "aws_access_key_id");
        assert_eq!(results[0]["properties"]["access_key_id"], "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(
            results[2]["message"]["text"],
            "stayed locked (no-identity): no identity opens it"
        );
    }
}
