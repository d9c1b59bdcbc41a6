//! What the name of an entry tells: which words say "access key ID" or "secret", and what is left.

/// The name of an entry, split into words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Name {
    /// The words that are not about the role, in lower case: what two halves of a pair share.
    pub(super) stem: Vec<String>,
    /// Whether the name says that it holds a secret.
    pub(super) says_secret: bool,
}

const ROLE_WORDS: [&str; 19] = [
    "access",
    "key",
    "id",
    "secret",
    "keyid",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "secretaccesskey",
    "secretid",
    "identifier",
    "name",
    "user",
    "username",
    "login",
    "password",
    "pass",
    "passwd",
    "pwd",
];
const SECRET_WORDS: [&str; 7] =
    ["secret", "secretkey", "secretaccesskey", "password", "pass", "passwd", "pwd"];

/// Words of a stem that tell no access key from another.
const COMMON_WORDS: [&str; 8] = ["aws", "amazon", "iam", "s3", "ses", "sqs", "sns", "user"];

impl Name {
    /// Reads names in snake, kebab, camel and hiera spelling, such as
    /// `govuk::apps::support::aws_access_key_id` or `awsAccessKeyId`.
    pub(super) fn new(name: &str) -> Self {
        let words = words(name);
        let says_secret = words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()));
        let stem = words.into_iter().filter(|word| !ROLE_WORDS.contains(&word.as_str())).collect();
        Self { stem, says_secret }
    }

    /// Whether `secret` names the other half of the pair whose ID has this name.
    pub(super) fn is_partner(&self, secret: &Self) -> bool {
        secret.says_secret && !self.says_secret && self.stem == secret.stem
    }

    /// Whether `secret` may name the other half although the names differ: nothing but words that
    /// every AWS access key shares tells them apart.
    pub(super) fn may_share(&self, secret: &Self) -> bool {
        let own = |name: &Self| -> Vec<String> {
            let telling = |word: &&String| !COMMON_WORDS.contains(&word.as_str());
            name.stem.iter().filter(telling).cloned().collect()
        };
        secret.says_secret && own(self) == own(secret)
    }
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let hump = c.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || (before.is_uppercase() && chars.get(at + 1).is_some_and(|n| n.is_lowercase())));
        if !c.is_alphanumeric() || hump {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            let last = words.len() - 1;
            words[last].extend(c.to_lowercase());
        }
        before = *c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The name that stands right before a value in flat text: `NAME=`, `name:`, `"name": "`.
pub(super) fn label_before(text: &[u8]) -> Option<String> {
    let line_start = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    let line = String::from_utf8_lossy(&text[line_start..]);
    let head = line.trim_end().trim_end_matches(['"', '\'']).trim_end();
    let head = head.strip_suffix("=>").or_else(|| head.strip_suffix(['=', ':']))?;
    let head = head.trim_end().trim_end_matches(['"', '\'']);
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/');
    let name: String = head.chars().rev().take_while(|c| is_name(*c)).collect();
    let name: String = name.chars().rev().collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Name, label_before};

    #[test]
    fn halves_of_a_pair_know_each_other() {
        for (id, secret) in [
            ("aws_access_key_id", "aws_secret_access_key"),
            ("s3_access_key", "s3_secret_key"),
            (
                "govuk::apps::support::aws_access_key_id",
                "govuk::apps::support::aws_secret_access_key",
            ),
            ("accessKeyId", "secretAccessKey"),
            ("AWSAccessKeyId", "AWSSecretKey"),
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            ("key", "secret"),
            ("aws-key-readonly", "aws-secret-readonly"),
            ("accesskey", "secretkey"),
        ] {
            assert!(Name::new(id).is_partner(&Name::new(secret)), "{id} {secret}");
        }
    }

    #[test]
    fn strangers_stay_strangers() {
        for (id, other) in [
            (
                "govuk::apps::support::aws_access_key_id",
                "govuk::apps::search::aws_secret_access_key",
            ),
            ("aws_access_key_id", "aws_access_key_id"),
            ("aws_access_key_id", "aws_session_token"),
            ("s3_access_key", "sqs_secret_key"),
        ] {
            assert!(!Name::new(id).is_partner(&Name::new(other)), "{id} {other}");
        }
    }

    #[test]
    fn a_label_is_the_name_before_the_value() {
        for (text, want) in [
            ("AWS_SECRET_ACCESS_KEY=", Some("AWS_SECRET_ACCESS_KEY")),
            ("x: 1\n# app::key: ", Some("app::key")),
            ("{\"SecretAccessKey\": \"", Some("SecretAccessKey")),
            ("  secret => '", Some("secret")),
            ("just words ", None),
        ] {
            assert_eq!(label_before(text.as_bytes()).as_deref(), want);
        }
    }
}
