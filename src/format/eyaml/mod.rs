//! hiera-eyaml: tokens `ENC[PKCS7,…]` in YAML scalars of every style, in comments and in flat text
//! of any kind. Tokens of other schemes are told, and stay locked. Text in clear around the tokens
//! is left to `plain`, the envelope inside a token to the keyring.

mod layout;
mod token;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rayon::prelude::*;

use self::token::{Lens, Token};
use super::{Format, Source};
use crate::error::{Error, Result};
use crate::keyring::{self, Identity, Keyring, Outline, Sealed};
use crate::model::{
    Cell, Content, Edit, Lock, LockReason, RepoPath, Route, Scheme, Secret, Span, Step,
};
use crate::yaml;

/// The format.
pub(super) struct Eyaml;

/// A token and where it stands.
struct Found {
    token: Token,
    line: usize,
    route: Route,
}

impl Format for Eyaml {
    fn name(&self) -> &'static str {
        "eyaml"
    }

    fn claims(&self, _path: &RepoPath, bytes: &[u8]) -> bool {
        token::may_hold(bytes)
    }

    fn spans(&self, text: &Source<'_>) -> Vec<Span> {
        locate(text).into_iter().map(|found| found.token.span).collect()
    }

    fn open(&self, text: &Source<'_>, keyring: &Keyring) -> Result<Vec<Cell>> {
        let found = locate(text);
        let opened = open_each_once(&found, keyring);
        let cells = found.iter().map(|found| {
            let place = text.place(found.line, found.route.clone(), found.token.span);
            let (content, opened_by) = match &opened[&key(&found.token)] {
                Ok((plain, identity)) => {
                    (Content::Open(plain.duplicate()), Some(identity.name().to_owned()))
                }
                Err(lock) => (Content::Locked(lock.clone()), None),
            };
            let scheme = scheme(&found.token);
            Cell { place, scheme, content, opened_by, inside: Vec::new() }
        });
        Ok(cells.collect())
    }

    fn write(&self, text: &Source<'_>, edits: &[Edit], keyring: &Keyring) -> Result<Vec<u8>> {
        let mut parts = Vec::new();
        for edit in edits {
            let raw = text
                .bytes
                .get(edit.span.start..edit.span.end)
                .ok_or_else(|| misplaced(text, edit.span))?;
            if !edit.before.same(&edit.after) {
                parts.push((edit.span, reseal(text, edit, raw, keyring)?));
            }
        }
        yaml::splice(text.bytes, &parts)
            .map_err(|yaml::Overlap| Error::bug(format!("two edits overlap in `{}`", text.path)))
    }

    fn outline(&self, raw: &[u8]) -> Option<Outline> {
        keyring::outline(Sealed::Pkcs7(&decode(&whole(raw)?).ok()?))
    }
}

/// The token that these bytes are, and nothing beside it.
fn whole(raw: &[u8]) -> Option<Token> {
    // What the surroundings were does not matter here: a token's own bytes hold neither a
    // backslash nor a `#` but where a line of it was broken.
    let whole = Span::new(0, raw.len());
    [Lens::Scalar, Lens::Double, Lens::Comment, Lens::Flat]
        .into_iter()
        .flat_map(|lens| token::find(raw, whole, lens))
        .find(|token| token.span == whole && decode(token).is_ok())
}

/// The token `raw` with the new plaintext, sealed to the same recipient, in the same layout.
fn reseal(text: &Source<'_>, edit: &Edit, raw: &[u8], keyring: &Keyring) -> Result<Vec<u8>> {
    let token = whole(raw).ok_or_else(|| misplaced(text, edit.span))?;
    let place = || {
        text.place(yaml::Lines::new(text.bytes).of(edit.span.start), Route::default(), edit.span)
    };
    let der = decode(&token).map_err(|lock| stuck(&place(), &lock))?;
    let sealed = Sealed::Pkcs7(&der);
    let (plain, identity) = keyring.open(sealed).map_err(|lock| stuck(&place(), &lock))?;
    if !plain.same(&edit.before) {
        return Err(Error::bug(format!(
            "the value at {} does not hold what was read from it",
            place()
        )));
    }
    let fresh = identity.sealer(sealed)?.seal(&edit.after)?;
    Ok(layout::rewrite(raw, &token, &STANDARD.encode(fresh)))
}

fn misplaced(text: &Source<'_>, span: Span) -> Error {
    Error::bug(format!("no token stands at bytes {}..{} of `{}`", span.start, span.end, text.path))
}

fn stuck(place: &crate::model::Place, lock: &Lock) -> Error {
    Error::refused("locked-value", format!("the value at {place} does not open: {}", lock.detail))
}

/// Every token of a text, in the order of bytes.
fn locate(text: &Source<'_>) -> Vec<Found> {
    if !token::may_hold(text.bytes) {
        return Vec::new();
    }
    let scan = text.is_structured().then(|| yaml::scan(text.bytes).ok()).flatten();
    let Some(scan) = scan else { return in_flat_text(text.bytes) };
    let mut found = Vec::new();
    for scalar in &scan.scalars {
        in_scalar(text.bytes, &scan, scalar, &mut found);
    }
    in_comments(text.bytes, &scan.comments, &mut found);
    found.sort_by_key(|found| found.token.span);
    found
}

fn in_scalar(
    bytes: &[u8],
    scan: &yaml::Scan<'_>,
    scalar: &yaml::Scalar<'_>,
    found: &mut Vec<Found>,
) {
    let raw = scalar.span.of(bytes);
    if !token::may_hold(raw) {
        return;
    }
    let lens = if scalar.style == yaml::Style::Double { Lens::Double } else { Lens::Scalar };
    let tokens = token::find(bytes, scalar.span, lens);
    let blank = |span: Span| span.of(bytes).iter().all(u8::is_ascii_whitespace);
    let alone = tokens.len() == 1
        && blank(Span::new(scalar.span.start, tokens[0].span.start))
        && blank(Span::new(tokens[0].span.end, scalar.span.end));
    for (number, token) in tokens.into_iter().enumerate() {
        let mut route = scan.route(scalar.node);
        if !alone {
            route.0.push(Step::Token(number));
        }
        found.push(Found { token, line: scalar.line, route });
    }
}

/// Comments on lines that follow one another are read as one text: a value that was commented out
/// may run over several of them.
fn in_comments(bytes: &[u8], comments: &[yaml::Comment], found: &mut Vec<Found>) {
    let lines = yaml::Lines::new(bytes);
    for group in comments.chunk_by(|a, b| a.own_line && b.own_line && a.line + 1 == b.line) {
        let span = Span::new(group[0].span.start, group[group.len() - 1].span.end);
        if !token::may_hold(span.of(bytes)) {
            continue;
        }
        for token in token::find(bytes, span, Lens::Comment) {
            let line = lines.of(token.span.start);
            found.push(Found { token, line, route: Route(vec![Step::Comment]) });
        }
    }
}

fn in_flat_text(bytes: &[u8]) -> Vec<Found> {
    let lines = yaml::Lines::new(bytes);
    let found = token::find(bytes, Span::new(0, bytes.len()), Lens::Flat).into_iter();
    found
        .map(|token| Found { line: lines.of(token.span.start), token, route: Route::default() })
        .collect()
}

/// What tells one sealed text from another.
type Key<'t> = (Option<&'t str>, &'t [u8]);

fn key(token: &Token) -> Key<'_> {
    (token.scheme.as_deref(), &token.sealed)
}

type Opened<'k> = Result<(Secret, &'k dyn Identity), Lock>;

/// Opens every distinct sealed text once, on all processors: each costs one RSA operation.
fn open_each_once<'t, 'k>(
    found: &'t [Found],
    keyring: &'k Keyring,
) -> HashMap<Key<'t>, Opened<'k>> {
    let distinct: HashMap<Key<'t>, &'t Token> =
        found.iter().map(|found| (key(&found.token), &found.token)).collect();
    distinct
        .into_par_iter()
        .map(|(key, token)| {
            let opened = decode(token).and_then(|der| keyring.open(Sealed::Pkcs7(&der)));
            (key, opened)
        })
        .collect()
}

fn scheme(token: &Token) -> Scheme {
    match token.scheme.as_deref() {
        // hiera-eyaml's own default.
        None | Some("pkcs7") => Scheme::EyamlPkcs7,
        Some("aes256_gcm") => Scheme::Sops,
        Some(other) => Scheme::Eyaml(other.to_owned()),
    }
}

/// The sealed bytes of a token that is ours.
fn decode(token: &Token) -> std::result::Result<Vec<u8>, Lock> {
    let detail = match scheme(token) {
        Scheme::EyamlPkcs7 => {
            return STANDARD.decode(&token.sealed).map_err(|_| Lock {
                reason: LockReason::InvalidBase64,
                detail: "the text inside the token is no base64".to_owned(),
            });
        }
        Scheme::Sops => "SOPS values are not opened by this version".to_owned(),
        // The scheme is letters, digits and underscores.
        other => format!("values of the scheme `{other}` are not opened by this version"),
    };
    Err(Lock { reason: LockReason::UnknownScheme, detail })
}

#[cfg(test)]
mod tests;
