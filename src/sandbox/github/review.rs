//! Labels and reviewers of a pull request.

use serde_json::{Value, json};

use super::pulls::State;
use super::{Reply, shape};

/// `POST issues/N/labels`: GitHub makes a label that does not exist.
pub(super) fn label(state: &mut State, number: u64, body: &Value) -> Result<Reply, Reply> {
    let wanted = names(body, "labels");
    if wanted.is_empty() {
        return Err(Reply::unprocessable(&json!({
            "resource": "Label", "code": "missing_field", "field": "name",
        })));
    }
    let pull = state.pull(number)?;
    for label in wanted {
        if !pull.labels.contains(&label) {
            pull.labels.push(label);
        }
    }
    let labels = pull.labels.clone();
    let shown = labels.iter().map(|label| shape::label(state, label)).collect();
    Ok(Reply::new(200, Value::Array(shown)))
}

/// `POST pulls/N/requested_reviewers`: all or nothing.
pub(super) fn ask(state: &mut State, number: u64, body: &Value) -> Result<Reply, Reply> {
    let (people, teams) = (names(body, "reviewers"), names(body, "team_reviewers"));
    let options = state.options.clone();
    state.pull(number)?;
    if people.iter().any(|person| person.eq_ignore_ascii_case(&options.login)) {
        return Err(Reply::error(422, "Review cannot be requested from pull request author."));
    }
    let known = |all: &[String], name: &String| all.iter().any(|n| n.eq_ignore_ascii_case(name));
    let all_known = people.iter().all(|person| known(&options.collaborators, person))
        && teams.iter().all(|team| known(&options.teams, team));
    if !all_known {
        let slug = &options.slug;
        return Err(Reply::error(
            422,
            &format!(
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the {slug} repository."
            ),
        ));
    }
    let pull = state.pull(number)?;
    add(&mut pull.reviewers, people);
    add(&mut pull.teams, teams);
    let pull = pull.clone();
    Ok(Reply::new(201, shape::pull(state, &pull)))
}

fn add(to: &mut Vec<String>, names: Vec<String>) {
    for name in names {
        if !to.contains(&name) {
            to.push(name);
        }
    }
}

fn names(body: &Value, field: &str) -> Vec<String> {
    let list = body[field].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
