//! Looks for secrets that got out: as they are, and in the forms in which a program hands bytes on.
//! It knows base64 at its three alignments, percent-encoding, JSON escapes and hex, each also
//! broken over lines; and it looks into git repositories, where everything is compressed.
//! What is encrypted stays unread: sealed is where a secret may be.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::{Context, Run};

/// The secrets of one test, each with the name that a finding shows.
pub(crate) struct Canary {
    forms: Vec<String>,
    search: AhoCorasick,
}

impl Canary {
    /// Takes `(name, secret)`; a secret of under 12 bytes would be found by chance.
    pub(crate) fn new(secrets: &[(&str, &str)]) -> Self {
        let mut forms = Vec::new();
        let mut patterns: Vec<String> = Vec::new();
        for (name, secret) in secrets {
            assert!(secret.len() >= 12, "the canary {name} is too short");
            for (form, pattern) in written(secret) {
                forms.push(format!("{name} ({form})"));
                patterns.push(pattern);
            }
        }
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(patterns);
        Self { forms, search: search.expect("a few short patterns") }
    }

    /// What stands in these bytes: the name of each secret with its form, never the secret.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<String> {
        let rejoined = rejoined(bytes);
        let found = [bytes, &rejoined].map(|bytes| self.forms_in(bytes));
        found.into_iter().flatten().collect()
    }

    fn forms_in(&self, bytes: &[u8]) -> BTreeSet<String> {
        self.search
            .find_iter(bytes)
            .map(|hit| self.forms[hit.pattern().as_usize()].clone())
            .collect()
    }

    /// What stands in the files under `dir`, in their names, and in the objects of every git
    /// repository among them, as `path: name (form)`.
    pub(crate) fn in_dir(&self, dir: &Path) -> BTreeSet<String> {
        let mut found = self.at(dir, &[]);
        if dir.join("objects").is_dir() && dir.join("HEAD").is_file() {
            found.extend(self.at(dir, &objects(dir)));
        }
        for entry in fs::read_dir(dir).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            found.extend(if path.is_symlink() {
                let target = fs::read_link(&path).expect("a symlink");
                self.at(&path, target.as_os_str().as_encoded_bytes())
            } else if path.is_dir() {
                self.in_dir(&path)
            } else if path.is_file() {
                self.at(&path, &fs::read(&path).expect("a readable file"))
            } else {
                self.at(&path, &[])
            });
        }
        found
    }

    /// What stands in these bytes or in the name of `path`.
    fn at(&self, path: &Path, bytes: &[u8]) -> BTreeSet<String> {
        let mut forms = self.in_bytes(bytes);
        forms.extend(self.in_bytes(path.file_name().unwrap_or_default().as_encoded_bytes()));
        forms.into_iter().map(|form| format!("{}: {form}", path.display())).collect()
    }

    /// Fails the test when a secret stands in what a run said, or anywhere under the context's
    /// root or stage.
    #[track_caller]
    pub(crate) fn assert_unseen(&self, context: &Context, runs: &[&Run]) {
        let mut found = self.in_dir(context.root());
        found.extend(self.in_dir(context.stage()));
        for run in runs {
            for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
                let forms = self.in_bytes(text.as_bytes());
                found.extend(forms.into_iter().map(|form| format!("{stream}: {form}")));
            }
        }
        let found: Vec<_> = found.into_iter().collect();
        assert!(found.is_empty(), "secrets got out:\n{}", found.join("\n"));
    }
}

/// Every form of a secret that is looked for.
fn written(secret: &str) -> Vec<(&'static str, String)> {
    let bytes = secret.as_bytes();
    let mut forms = vec![("raw", secret.to_owned())];
    // A part is a leak as well, and what a cut or a wrap with a margin leaves.
    let (first, second) = secret.split_at(secret.floor_char_boundary(secret.len() / 2));
    if second.len() >= 12 && first.len() >= 12 {
        forms.extend([("first half", first.to_owned()), ("second half", second.to_owned())]);
    }
    for alignment in 0..3 {
        forms.push((
            "base64",
            aligned(&STANDARD_NO_PAD.encode(shifted(bytes, alignment)), alignment),
        ));
        forms.push((
            "base64url",
            aligned(&URL_SAFE_NO_PAD.encode(shifted(bytes, alignment)), alignment),
        ));
    }
    let escaped = |all: bool, escape: &dyn Fn(&mut String, u8)| {
        let mut out = String::new();
        for &byte in bytes {
            if all || !byte.is_ascii_alphanumeric() {
                escape(&mut out, byte);
            } else {
                out.push(char::from(byte));
            }
        }
        out
    };
    for all in [false, true] {
        let percent = escaped(all, &|out, byte| write!(out, "%{byte:02X}").expect("a string"));
        let lower = escaped(all, &|out, byte| write!(out, "%{byte:02x}").expect("a string"));
        forms.extend([("percent-encoded", percent), ("percent-encoded", lower)]);
        let json = escaped(all, &|out, byte| write!(out, "\\u{byte:04x}").expect("a string"));
        let upper = escaped(all, &|out, byte| write!(out, "\\u{byte:04X}").expect("a string"));
        forms.extend([("JSON-escaped", json), ("JSON-escaped", upper)]);
    }
    let slashes = secret.replace('\\', "\\\\").replace('/', "\\/").replace('"', "\\\"");
    forms.push(("JSON-escaped", slashes));
    // What `encodeURIComponent` and others leave as it is: only what a URL reserves is written.
    for (name, code) in [("%2F", "%2B"), ("%2f", "%2b")] {
        forms.push(("percent-encoded", secret.replace('/', name).replace('+', code)));
    }
    for upper in [false, true] {
        let hex = escaped(true, &|out, byte| {
            let written = if upper { write!(out, "{byte:02X}") } else { write!(out, "{byte:02x}") };
            written.expect("a string");
        });
        forms.push(("hex", hex));
    }
    forms
}

/// The bytes with `alignment` others before them, as they lie inside a longer text.
fn shifted(bytes: &[u8], alignment: usize) -> Vec<u8> {
    [&vec![0; alignment][..], bytes].concat()
}

/// The part of an encoding that depends on the secret alone, whatever stands around it.
fn aligned(encoded: &str, alignment: usize) -> String {
    // Six bits a letter: the letters that share bits with a neighbour are left out.
    let from = (alignment * 8).div_ceil(6);
    let whole = if encoded.len().is_multiple_of(4) { encoded.len() } else { encoded.len() - 1 };
    encoded[from..whole].to_owned()
}

/// The bytes with white space and the line breaks of other notations taken out.
fn rejoined(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match (first, tail.first()) {
            // A break inside a JSON or shell string, or a line that goes on.
            (b'\\', Some(b'n' | b'r' | b't' | b'\n' | b'\r')) => &tail[1..],
            _ if first.is_ascii_whitespace() => tail,
            _ => {
                out.push(first);
                tail
            }
        };
    }
    out
}

/// Every object of a git repository, the unreachable too, unpacked.
fn objects(dir: &Path) -> Vec<u8> {
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(dir).args(["cat-file", "--batch-all-objects", "--batch"]);
    // Its own configuration is what a test made; the machine's is not wanted.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.stdin(Stdio::null()).output().expect("git starts");
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git cannot read {}: {talk}", dir.display());
    output.stdout
}

#[cfg(test)]
mod tests {
    use super::super::{Context, Run};
    use super::Canary;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn found(text: impl AsRef<[u8]>) -> Vec<String> {
        Canary::new(&[("new", SECRET)]).in_bytes(text.as_ref()).into_iter().collect()
    }

    #[track_caller]
    fn sees(form: &str, text: impl AsRef<[u8]>) {
        let found = found(text);
        assert!(found.contains(&format!("new ({form})")), "{form} was not seen, but {found:?}");
    }

    #[test]
    fn each_planted_form_is_seen() {
        sees("raw", format!("secret = {SECRET}\n"));
        sees("first half", "…wJalrXUtnFEMI/K7MDEN…");
        sees("second half", "…G+bPxRfiCYEXAMPLEKEY…");
        sees(
            "hex",
            "774a616c7258557 46e46454d492f4b374d44454e472b62507852666943594558414d504c454b4559",
        );
        sees(
            "hex",
            "774A616C72585574\n6E46454D492F4B374D44454E472B62507852666943594558414D504C454B4559",
        );
        sees("percent-encoded", "k=wJalrXUtnFEMI%2FK7MDENG%2BbPxRfiCYEXAMPLEKEY&");
        sees("percent-encoded", "k=wJalrXUtnFEMI%2fK7MDENG%2bbPxRfiCYEXAMPLEKEY&");
        let all: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
        sees("percent-encoded", all.to_lowercase());
        sees("percent-encoded", all);
        sees("JSON-escaped", r#""wJalrXUtnFEMI\/K7MDENG+bPxRfiCYEXAMPLEKEY""#);
        sees("JSON-escaped", r#""wJalrXUtnFEMI\u002fK7MDENG\u002bbPxRfiCYEXAMPLEKEY""#);
        sees("JSON-escaped", r#""wJalrXUtnFEMI\u002FK7MDENG\u002BbPxRfiCYEXAMPLEKEY""#);
    }

    #[test]
    fn base64_is_seen_at_every_alignment_and_length() {
        // The second one has letters that the two alphabets of base64 write differently.
        for secret in [SECRET, "??>>~~ÿÿ?>ÿ>canary~?ÿ>~>?ÿ~"] {
            let canary = Canary::new(&[("new", secret)]);
            for (before, after) in
                (0..4).flat_map(|before| (0..4).map(move |after| (before, after)))
            {
                let text = format!("{}{secret}{}", "z".repeat(before), "\u{7f}".repeat(after));
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let found = canary.in_bytes(encoded.as_bytes());
                    assert!(found.iter().any(|form| form.contains("base64")), "{encoded}");
                }
            }
        }
    }

    #[test]
    fn what_was_wrapped_is_joined_again() {
        for wrap in ["\n", "\r\n    ", "\\n", "\\\n", " ", "\n\t"] {
            let letters: Vec<_> = SECRET.chars().map(String::from).collect();
            let lines: Vec<_> = letters.chunks(7).map(<[String]>::concat).collect();
            sees("raw", lines.join(wrap));
            let encoded = STANDARD.encode(format!("access = {SECRET}"));
            let lines: Vec<_> = encoded.as_bytes().chunks(11).collect();
            sees("base64", lines.join(wrap.as_bytes()));
        }
    }

    #[test]
    fn what_only_resembles_it_is_not() {
        assert_eq!(found("wJalrXUtnFEMI/K7MDEMG+bPxRfiCYEXAMPLEKE"), Vec::<String>::new());
        assert_eq!(found(STANDARD.encode("AKIAIOSFODNN7EXAMPLE")), Vec::<String>::new());
    }

    #[test]
    fn it_is_seen_in_files_names_and_git_objects() {
        let canary = Canary::new(&[("new", SECRET)]);
        let context = Context::new();
        let repository = context.repository("secrets", &[("a.yaml", &format!("k: {SECRET}\n"))]);
        context.git(&repository, &["rm", "-q", "a.yaml"]);
        context.git(&repository, &["commit", "-q", "--amend", "--allow-empty", "-m", "gone"]);
        context.git(&repository, &["repack", "-q", "-a", "-d"]);
        let seen = canary.in_dir(context.root());
        let objects = seen.iter().filter(|place| place.contains("secrets/.git: new (raw)")).count();
        assert_eq!((objects, seen.len()), (1, 1), "{seen:?}");
        let bare = context.remote(&repository, "clean.git");
        assert!(canary.in_dir(&bare).is_empty(), "a clone has no unreachable object");

        context.write("deep/er/log", format!("x{SECRET}x"));
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        context.write(&hex, "");
        let seen: Vec<_> = canary.in_dir(&context.work()).into_iter().collect();
        assert!(seen.iter().any(|place| place.ends_with("deep/er/log: new (raw)")), "{seen:?}");
        assert!(seen.iter().any(|place| place.ends_with("new (hex)")), "{seen:?}");
    }

    #[test]
    #[should_panic(expected = "stderr: new (base64)")]
    fn a_run_that_says_it_fails_the_test() {
        let talk = Run { code: 0, stdout: String::new(), stderr: STANDARD.encode(SECRET) };
        Canary::new(&[("new", SECRET)]).assert_unseen(&Context::new(), &[&talk]);
    }
}
