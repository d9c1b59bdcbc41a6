//! The envelopes of AWS's query protocol. No parser: these documents are only written.

use super::Refusal;
use super::issue::request_id;

/// The namespace by the API version that the client named.
pub(super) fn namespace(version: &str) -> &'static str {
    match version {
        "2011-06-15" => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "https://iam.amazonaws.com/doc/2010-05-08/",
    }
}

/// `<name>text</name>`, escaped.
pub(super) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// `<name>…</name>` around elements.
pub(super) fn nest(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// The document of an action that was carried out; an action without a result has none.
pub(super) fn success(action: &str, namespace: &str, inner: &str) -> String {
    let result =
        if inner.is_empty() { String::new() } else { nest(&format!("{action}Result"), inner) };
    let metadata = nest("ResponseMetadata", &element("RequestId", &request_id()));
    format!("<{action}Response xmlns=\"{namespace}\">{result}{metadata}</{action}Response>\n")
}

/// The document of an action that was not.
pub(super) fn refusal(namespace: &str, refusal: &Refusal) -> String {
    let kind = if refusal.status < 500 { "Sender" } else { "Receiver" };
    let error = nest(
        "Error",
        &[
            element("Type", kind),
            element("Code", refusal.code),
            element("Message", &refusal.message),
        ]
        .concat(),
    );
    let id = element("RequestId", &request_id());
    format!("<ErrorResponse xmlns=\"{namespace}\">{error}{id}</ErrorResponse>\n")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
