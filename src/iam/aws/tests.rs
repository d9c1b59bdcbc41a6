//! The calls against a loopback server that answers from a list and counts what arrives: real
//! HTTP, so that a client built without an HTTP stack is noticed too.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Aws, Settings, TimeOuts};
use crate::iam::{CreateFailure, Iam as _, Proof};
use crate::model::{AccessKeyId, AccessKeyPair, Endpoint, KeyStatus, Secret, Timestamp, UserName};

const ID: &str = "AKIARZPUZDIKGB2VALC4";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The moment in [`Reply::Xml`]'s `Date` header.
const DATE: Timestamp = Timestamp(784_111_777);

/// What the server does with one request.
enum Reply {
    Xml(u16, String),
    /// As `Xml`, without a `Date`.
    Undated(String),
    /// Reads the request and closes.
    Hang,
    /// Reads the request and says nothing.
    Silence,
}

/// The server; the requests' bodies are kept.
struct Server {
    address: String,
    arrived: Arc<AtomicUsize>,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the requests in this order; further ones meet the last answer again.
    fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (arrived, bodies) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::default()));
        let server = Self { address, arrived: Arc::clone(&arrived), bodies: Arc::clone(&bodies) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(body) = read(&stream) else { continue };
                let place = arrived.fetch_add(1, Ordering::SeqCst);
                bodies.lock().expect("not poisoned").push(body);
                let reply = &replies[place.min(replies.len() - 1)];
                answer(&mut stream, reply);
            }
        });
        server
    }

    fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    fn body(&self, place: usize) -> String {
        self.bodies.lock().expect("not poisoned")[place].clone()
    }

    fn aws(&self) -> Aws {
        aws_at(&self.address)
    }
}

fn read(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

fn answer(stream: &mut TcpStream, reply: &Reply) {
    let (status, date, xml) = match reply {
        Reply::Xml(status, xml) => (*status, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", xml),
        Reply::Undated(xml) => (200, "", xml),
        Reply::Hang => return,
        Reply::Silence => {
            std::thread::sleep(Duration::from_secs(5));
            return;
        }
    };
    let length = xml.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\n{date}Content-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the client reads");
    stream.write_all(xml.as_bytes()).expect("the client reads");
}

fn pair() -> AccessKeyPair {
    let id = AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").expect("an ID");
    AccessKeyPair::new(id, Secret::from(SECRET.to_owned())).expect("a pair")
}

fn aws_at(address: &str) -> Aws {
    let settings = Settings {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(address.to_owned()),
        credentials: Some(Arc::new(pair())),
        time_outs: TimeOuts {
            connect: Duration::from_secs(2),
            read: Duration::from_millis(500),
            operation: Duration::from_secs(10),
        },
        ..Settings::default()
    };
    Aws::connect(&settings).expect("a client")
}

fn alice() -> UserName {
    UserName::new("alice").expect("a name")
}

fn error(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>because</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

fn created(user: &str, id: &str, secret: &str, status: &str) -> String {
    format!(
        "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>{user}</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status><SecretAccessKey>{secret}</SecretAccessKey><CreateDate>2026-11-21T00:00:00Z</CreateDate></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>"
    )
}

fn page(id: &str, status: &str, marker: Option<&str>) -> String {
    let more = marker.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |marker| format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
    );
    format!(
        "<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata><member><UserName>alice</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status><CreateDate>2026-11-21T00:00:00Z</CreateDate></member></AccessKeyMetadata>{more}</ListAccessKeysResult></ListAccessKeysResponse>"
    )
}

#[test]
fn a_list_is_read_to_its_last_page_and_dated_by_aws() {
    let server = Server::start(vec![
        Reply::Xml(200, page("AKIARZPUZDIKAAAAAAAA", "Active", Some("two"))),
        Reply::Xml(200, page("AKIARZPUZDIKBBBBBBBB", "Inactive", Some("three"))),
        Reply::Xml(200, page("AKIARZPUZDIKCCCCCCCC", "Expired", None)),
    ]);
    let list = server.aws().access_keys(&alice()).expect("three pages");
    let status: Vec<&str> = list.keys.iter().map(|key| key.status.word()).collect();
    assert_eq!(status, ["Active", "Inactive", "Expired"]);
    assert_eq!(list.keys[2].status, KeyStatus::Other("Expired".to_owned()));
    assert_eq!(list.read_at, DATE);
    assert!(server.body(1).contains("Marker=two"), "{}", server.body(1));
    assert!(server.body(2).contains("Marker=three"), "{}", server.body(2));
}

#[test]
fn a_quarantine_on_the_last_page_is_found() {
    let policies = |arn: &str, more: &str| {
        format!(
            "<ListAttachedUserPoliciesResponse><ListAttachedUserPoliciesResult><AttachedPolicies><member><PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn></member></AttachedPolicies>{more}</ListAttachedUserPoliciesResult></ListAttachedUserPoliciesResponse>"
        )
    };
    let arn = "arn:aws-us-gov:iam::aws:policy/AWSCompromisedKeyQuarantineV4";
    let server = Server::start(vec![
        Reply::Xml(
            200,
            policies(
                "arn:aws:iam::aws:policy/ReadOnlyAccess",
                "<IsTruncated>true</IsTruncated><Marker>m</Marker>",
            ),
        ),
        Reply::Xml(200, policies(arn, "<IsTruncated>false</IsTruncated>")),
    ]);
    assert_eq!(server.aws().quarantine(&alice()).expect("two pages").as_deref(), Some(arn));
}

#[test]
fn a_list_that_is_cut_or_lies_about_its_pages_is_no_list() {
    let whole = page(ID, "Active", None);
    let no_marker = whole.replace("false", "true");
    for (body, reason) in [
        (String::new(), "cut-answer"),
        (whole[..40].to_owned(), "cut-answer"),
        (whole[..whole.len() - 3].to_owned(), "cut-answer"),
        (no_marker, "service-error"),
        (whole.replace("<Status>Active</Status>", ""), "service-error"),
        (whole.replace(ID, ""), "service-error"),
        (whole.replace("alice", "mallory"), "service-error"),
    ] {
        let server = Server::start(vec![Reply::Xml(200, body.clone())]);
        let error = server.aws().access_keys(&alice()).expect_err(&body);
        assert_eq!(error.reason(), reason, "{body}");
    }
}

#[test]
fn an_answer_without_a_date_is_no_evidence() {
    let server = Server::start(vec![Reply::Undated(page(ID, "Active", None))]);
    assert_eq!(server.aws().access_keys(&alice()).expect_err("undated").reason(), "service-error");
}

#[test]
fn a_read_is_repeated_and_a_creation_never() {
    let replies = || vec![Reply::Xml(503, error("ServiceUnavailable"))];
    let server = Server::start(replies());
    assert_eq!(server.aws().access_keys(&alice()).expect_err("503").reason(), "service-error");
    assert_eq!(server.arrived(), 3);
    let server = Server::start(replies());
    assert!(matches!(server.aws().create(&alice()), Err(CreateFailure::Ambiguous(_))));
    assert_eq!(server.arrived(), 1);
}

/// The first answer, and then a success that must never be asked for.
fn create(first: Reply) -> (std::result::Result<AccessKeyPair, CreateFailure>, usize) {
    let then = Reply::Xml(200, created("alice", ID, SECRET, "Active"));
    let server = Server::start(vec![first, then]);
    let result = server.aws().create(&alice());
    (result, server.arrived())
}

#[test]
fn a_whole_answer_is_a_pair() {
    let (pair, sent) = create(Reply::Xml(200, created("Alice", ID, SECRET, "Active")));
    let pair = pair.expect("a pair");
    assert_eq!((pair.id.as_str(), sent), (ID, 1));
    assert!(pair.secret.same(&Secret::from(SECRET.to_owned())));
}

#[test]
fn what_was_refused_before_execution_is_refused_and_sent_once() {
    for (status, code, reason) in [
        (409, "LimitExceeded", "two-access-keys"),
        (409, "ConcurrentModification", "service-error"),
        (400, "Throttling", "throttled"),
        (403, "AccessDenied", "access-denied"),
        (403, "InvalidClientTokenId", "invalid-credentials"),
        (403, "SignatureDoesNotMatch", "invalid-credentials"),
        (403, "ExpiredToken", "expired-credentials"),
        (404, "NoSuchEntity", "unknown-user"),
    ] {
        let (result, sent) = create(Reply::Xml(status, error(code)));
        let Err(CreateFailure::Refused(error)) = result else { panic!("{code}: {result:?}") };
        assert_eq!((error.reason(), sent), (reason, 1), "{code}");
    }
}

#[test]
fn what_may_have_happened_is_ambiguous_and_sent_once() {
    let whole = created("alice", ID, SECRET, "Active");
    let before_fields = whole.find("<AccessKey>").expect("there") + 11;
    let inside_secret = whole.find(SECRET).expect("there") + 18;
    let after_fields = whole.find("</AccessKey>").expect("there");
    for first in [
        Reply::Xml(500, error("ServiceFailure")),
        Reply::Xml(503, error("ServiceUnavailable")),
        Reply::Xml(503, error("Throttling")),
        Reply::Xml(403, "<html>a proxy's page</html>".to_owned()),
        Reply::Hang,
        Reply::Silence,
        Reply::Xml(200, String::new()),
        Reply::Xml(200, whole[..before_fields].to_owned()),
        Reply::Xml(200, whole[..inside_secret].to_owned()),
        Reply::Xml(200, whole[..after_fields].to_owned()),
        Reply::Xml(200, created("mallory", ID, SECRET, "Active")),
        Reply::Xml(200, created("alice", "ASIARZPUZDIKGB2VALC4", SECRET, "Active")),
        Reply::Xml(200, created("alice", "AKIA", SECRET, "Active")),
        Reply::Xml(200, created("alice", ID, &SECRET[..39], "Active")),
        Reply::Xml(200, created("alice", ID, SECRET, "Inactive")),
    ] {
        let (result, sent) = create(first);
        let Err(CreateFailure::Ambiguous(error)) = result else { panic!("{result:?}") };
        assert_eq!(sent, 1, "{}", error.message());
        assert!(!error.message().contains(&SECRET[..18]), "{}", error.message());
    }
}

#[test]
fn a_connection_that_never_stood_created_nothing() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let aws = aws_at(&format!("http://127.0.0.1:{port}"));
    let result = aws.create(&alice());
    let Err(CreateFailure::Refused(error)) = result else { panic!("{result:?}") };
    assert_eq!((error.reason(), error.kind().word()), ("unreachable", "network"));
    assert_eq!(aws.caller().expect_err("nobody there").reason(), "unreachable");
}

#[test]
fn a_proof_tells_refusal_from_silence() {
    let identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/alice</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let prove = |reply| {
        let server = Server::start(vec![reply]);
        let result = server.aws().prove(&pair(), "eu-west-1");
        assert_eq!(server.arrived(), 1);
        result
    };
    let accepted = prove(Reply::Xml(200, identity.to_owned())).expect("an answer");
    let Proof::Accepted { account, arn, at } = accepted else { panic!("{accepted:?}") };
    assert_eq!((account.as_str(), at), ("123456789012", DATE));
    assert!(arn.ends_with(":user/alice"));
    let rejected = prove(Reply::Xml(403, error("InvalidClientTokenId"))).expect("an answer");
    assert_eq!(rejected, Proof::Rejected("InvalidClientTokenId".to_owned()));
    let throttled = prove(Reply::Xml(400, error("Throttling"))).expect_err("no answer");
    assert_eq!(throttled.reason(), "throttled");
    assert_eq!(prove(Reply::Hang).expect_err("no answer").reason(), "unreachable");
    assert_eq!(prove(Reply::Silence).expect_err("no answer").reason(), "unreachable");
    let cut = identity[..identity.len() - 20].to_owned();
    assert!(prove(Reply::Xml(200, cut)).is_err());
}

#[test]
fn a_denied_last_use_is_not_never_used() {
    let last = |reply| {
        let id = AccessKeyId::new(ID).expect("an ID");
        Server::start(vec![reply]).aws().last_used(&id)
    };
    let denied = last(Reply::Xml(403, error("AccessDenied"))).expect_err("denied");
    assert_eq!(denied.reason(), "access-denied");
    assert!(denied.hints().iter().any(|hint| hint.contains("another account")));
    let missing = last(Reply::Xml(404, error("NoSuchEntity"))).expect_err("missing");
    assert_eq!(missing.reason(), "unknown-access-key");
    let empty = "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>alice</UserName></GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>";
    assert!(last(Reply::Xml(200, empty.to_owned())).is_err());
    let never = "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>alice</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed></GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>";
    let never = last(Reply::Xml(200, never.to_owned())).expect("an answer");
    assert_eq!((never.last_used.at, never.read_at), (None, DATE));
}

#[test]
fn clear_text_to_another_machine_is_refused_at_once() {
    let settings =
        Settings { endpoint: Some("http://iam.example.org".to_owned()), ..Settings::default() };
    assert_eq!(Aws::connect(&settings).expect_err("clear").reason(), "insecure-endpoint");
}

#[test]
fn an_endpoint_of_its_own_is_one_region_and_aws_is_two() {
    let aws = aws_at("http://127.0.0.1:9");
    assert_eq!(aws.endpoint(), Endpoint::Loopback);
    assert_eq!(aws.proving_regions(), ["us-east-1"]);
    let settings = Settings {
        region: Some("eu-west-2".to_owned()),
        credentials: Some(Arc::new(pair())),
        ..Settings::default()
    };
    let aws = Aws::connect(&settings).expect("nothing is sent");
    assert_eq!(aws.endpoint(), Endpoint::Remote);
    assert_eq!(aws.proving_regions(), ["eu-west-2", "us-east-1"]);
}
