//! What the vectors of `fixtures/kit` do not say: how often something is opened, and what stops a
//! write.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Eyaml;
use crate::error::{Kind, Result};
use crate::format::{Format as _, Source};
use crate::keyring::{Identity, Keyring, Sealed, Sealer};
use crate::model::{Edit, Lock, RepoPath, Route, Secret, Span};

const TOKEN: &str = include_str!("../../../fixtures/keys/staging/sealed.txt");

/// Opens everything to one text and counts.
struct Counting(Arc<AtomicUsize>);

impl Identity for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn open(&self, _sealed: Sealed<'_>) -> Option<std::result::Result<Secret, Lock>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Some(Ok(Secret::new(b"opened".to_vec())))
    }

    fn sealer(&self, _sealed: Sealed<'_>) -> Result<Box<dyn Sealer>> {
        unreachable!("nothing is sealed here")
    }
}

fn counting() -> (Keyring, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    (Keyring::new(vec![Box::new(Counting(Arc::clone(&count)))]), count)
}

#[test]
fn each_distinct_sealed_text_is_opened_once() {
    let token = TOKEN.trim_end();
    let lower = token.replace("PKCS7", "pkcs7");
    let text = format!("a: {token}\nb: {token}\nc: {lower}\n# {token}\n");
    let path = RepoPath::new("x.yaml");
    let route = Route::default();
    let source = Source { path: &path, bytes: text.as_bytes(), route: &route, line: 1, depth: 0 };
    let (keyring, count) = counting();
    let cells = Eyaml.open(&source, &keyring).expect("opened");
    assert_eq!(cells.len(), 4);
    assert!(cells.iter().all(|cell| cell.opened_by.as_deref() == Some("counting")));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn a_value_that_changed_meanwhile_is_not_overwritten() {
    let text = format!("a: {TOKEN}");
    let path = RepoPath::new("x.yaml");
    let route = Route::default();
    let source = Source { path: &path, bytes: text.as_bytes(), route: &route, line: 1, depth: 0 };
    let (keyring, _) = counting();
    let write = |span: Span, before: &str| {
        let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
        let edit = Edit { span, before: secret(before), after: secret("new") };
        Eyaml.write(&source, &[edit], &keyring).expect_err("refused")
    };
    let whole = Span::new(3, 3 + TOKEN.trim_end().len());
    let error = write(whole, "hunter2");
    assert_eq!(error.kind(), Kind::Bug);
    assert!(!error.message().contains("hunter2") && error.message().contains("x.yaml:1"));
    for span in [Span::new(0, 5), Span::new(3, whole.end - 1), Span::new(0, 1 << 20)] {
        assert_eq!(write(span, "opened").kind(), Kind::Bug);
    }
}
