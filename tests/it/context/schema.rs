//! Holds a JSON answer against the schema that the documentation promises. Which command has
//! which schema is for its own tests to say.

use std::path::Path;

use boon::{Compiler, Schemas};
use serde_json::Value;

/// Fails the test when `answer` is not what `docs/schema/NAME.json` says.
#[track_caller]
pub(crate) fn assert_fits(name: &str, answer: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    if let Err(why) = fits(&folder, name, answer) {
        panic!("{why}\n{answer:#}");
    }
}

/// Whether `answer` is what the schema `NAME.json` of a folder says, or why it is not.
pub(crate) fn fits(folder: &Path, name: &str, answer: &Value) -> Result<(), String> {
    let file = folder.join(format!("{name}.json"));
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    let file = file.to_str().expect("a path in UTF-8");
    let schema = compiler.compile(file, &mut schemas).map_err(|error| error.to_string())?;
    schemas.validate(answer, schema).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{assert_fits, fits};
    use crate::context::Context;
    use serde_json::json;

    #[test]
    fn an_answer_that_breaks_the_promise_is_told() {
        let context = Context::new();
        context.write(
            "one.json",
            r#"{ "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
                 "required": ["version"], "additionalProperties": false,
                 "properties": { "version": { "const": 1 } } }"#,
        );
        let fits = |answer| fits(&context.work(), "one", &answer);
        assert_eq!(fits(json!({"version": 1})), Ok(()));
        assert!(fits(json!({"version": 2})).is_err());
        assert!(fits(json!({})).is_err_and(|why| why.contains("version")));
        assert!(fits(json!({"version": 1, "more": 0})).is_err_and(|why| why.contains("more")));
    }

    #[test]
    #[should_panic(expected = "no-such-command.json")]
    fn a_schema_that_is_missing_is_no_success() {
        assert_fits("no-such-command", &json!({}));
    }
}
