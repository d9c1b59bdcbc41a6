//! The files of the sample repository, and what is sealed into them. In the templates `SEAL[name]`
//! becomes a token on one line, `BLOCK[name]` one that is cut as `eyaml` cuts it, and `CLEAR[name]`
//! the value itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::keyring::Sealer;
use crate::model::{AccessKeyPair, Secret};

/// Where `eyaml` cuts a token in a block, the indent not counted.
const CUT: usize = 60;

/// Path and template of every file but the certificate.
const TEMPLATES: [(&str, &str); 8] = [
    ("README.md", include_str!("tree/readme.md")),
    (".gitignore", "keys/private_key*.pem\n"),
    ("keyroll.yaml", super::SETTINGS),
    ("puppet/hieradata/common.yaml", include_str!("tree/puppet_common.yaml")),
    ("puppet/hieradata/integration.yaml", include_str!("tree/puppet_integration.yaml")),
    ("puppet/hieradata/production.yaml", include_str!("tree/puppet_production.yaml")),
    ("puppet/hieradata/staging.yaml", include_str!("tree/puppet_staging.yaml")),
    ("puppet_aws/hieradata/production.yaml", include_str!("tree/puppet_aws_production.yaml")),
];

/// What the names in the templates stand for.
pub(super) struct Values<'a> {
    pub(super) old: AccessKeyPair,
    pub(super) other: AccessKeyPair,
    pub(super) sealer: &'a dyn Sealer,
}

impl Values<'_> {
    fn named(&self, name: &str) -> Result<Secret> {
        let id = self.old.id.as_str();
        Ok(match name {
            "id" => Secret::from(id.to_owned()),
            "secret" => self.old.secret.duplicate(),
            "other_id" => Secret::from(self.other.id.as_str().to_owned()),
            "other_secret" => self.other.secret.duplicate(),
            "database" => Secret::from("correct horse battery staple".to_owned()),
            "url" => {
                let secret = percent_encode(self.old.secret.expose(), NON_ALPHANUMERIC);
                Secret::from(format!("s3://{id}:{secret}@s3.eu-west-1.amazonaws.com/uploads"))
            }
            "ini" => {
                let head = format!("[uploads]\naws_access_key_id = {id}\naws_secret_access_key = ");
                Secret::new([head.as_bytes(), self.old.secret.expose(), b"\n"].concat())
            }
            other => return Err(Error::bug(format!("the sample has no value `{other}`"))),
        })
    }

    fn token(&self, name: &str) -> Result<String> {
        let sealed = self.sealer.seal(&self.named(name)?)?;
        Ok(format!("ENC[PKCS7,{}]", STANDARD.encode(sealed)))
    }
}

/// Every file: path and bytes.
pub(super) fn files(values: &Values<'_>) -> Result<Vec<(&'static str, Vec<u8>)>> {
    TEMPLATES
        .iter()
        .map(|(path, template)| {
            let lines = template.lines().map(|line| filled(line, values));
            let mut text: Vec<String> = lines.collect::<Result<_>>()?;
            text.push(String::new());
            Ok((*path, text.join("\n").into_bytes()))
        })
        .collect()
}

/// A line of a template; it holds one name at most.
fn filled(line: &str, values: &Values<'_>) -> Result<String> {
    for mark in ["SEAL[", "BLOCK[", "CLEAR["] {
        let Some((head, rest)) = line.split_once(mark) else { continue };
        let Some((name, tail)) = rest.split_once(']') else { continue };
        let value = match mark {
            "SEAL[" => values.token(name)?,
            "BLOCK[" => cut(&values.token(name)?, head),
            _ => {
                let clear = Zeroizing::new(values.named(name)?.expose().to_vec());
                String::from_utf8_lossy(&clear).into_owned()
            }
        };
        return Ok(format!("{head}{value}{tail}"));
    }
    Ok(line.to_owned())
}

/// A token over several lines; `indent` stands before the first one already.
fn cut(token: &str, indent: &str) -> String {
    let lines: Vec<String> = token
        .as_bytes()
        .chunks(CUT)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    lines.join(&format!("\n{indent}"))
}

#[cfg(test)]
mod tests {
    use super::{Values, files};
    use crate::keyring::fresh;
    use crate::sandbox::sample::{OLD_SECRET, OTHER_SECRET, old_pair, other_pair};

    #[test]
    fn every_name_is_filled_in_and_no_secret_stands_in_clear() {
        let identity = fresh().expect("an identity");
        let (old, other) = (old_pair().expect("it"), other_pair().expect("it"));
        let values = Values { old, other, sealer: identity.sealer.as_ref() };
        let files = files(&values).expect("files");
        for (path, text) in &files {
            let text = std::str::from_utf8(text).expect("text");
            for mark in ["SEAL[", "BLOCK[", "CLEAR[", OLD_SECRET, OTHER_SECRET] {
                assert!(!text.contains(mark), "{path}: {mark}");
            }
        }
        let block = files.iter().find(|(path, _)| path.ends_with("integration.yaml")).expect("it");
        let text = String::from_utf8_lossy(&block.1);
        assert!(text.contains("uploads::credentials: >\n    ENC[PKCS7,MII"), "{text}");
        assert!(text.lines().nth(3).is_some_and(|line| line.len() == 64), "{text}");
    }
}
