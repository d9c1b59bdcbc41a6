//! Each shape in which an ID and its secret stand together in repositories, and each in which it
//! must not be guessed.

use super::super::chosen::Chosen;
use super::super::kit::{OLD, OTHER, OTHER_SECRET, SECRET, file, paired, places};
use super::Pairing;
use crate::model::SourceFile;

/// The names in these texts: `I` and `S` are the old pair, `J` and `T` another one.
fn spelled(text: &str) -> String {
    text.replace("<I>", OLD)
        .replace("<S>", SECRET)
        .replace("<J>", OTHER)
        .replace("<T>", OTHER_SECRET)
        .replace("<S%>", &SECRET.replace('/', "%2F"))
        .replace("<S\\>", &SECRET.replace('/', "\\/"))
}

fn files(texts: &[(&str, &str)]) -> Vec<SourceFile> {
    texts.iter().map(|(path, text)| file(path, &spelled(text))).collect()
}

fn told(texts: &[(&str, &str)]) -> Pairing {
    paired(&files(texts), &[]).expect("no --pair was given")
}

/// Whether every occurrence of the ID has the right secret.
fn is_paired(pairing: &Pairing) -> bool {
    let secret = pairing.secret.as_ref().map(crate::model::Secret::expose);
    secret == Some(SECRET.as_bytes())
        && !pairing.paired.is_empty()
        && pairing.paired.iter().all(|paired| *paired)
        && pairing.ambiguous.is_empty()
        && pairing.conflicting.is_empty()
}

#[test]
fn a_pair_is_told_by_its_structure() {
    for (name, text) in [
        ("siblings", "a:\n  aws_access_key_id: «<I>»\n  aws_secret_access_key: «<S>»\n"),
        ("siblings in clear", "a:\n  aws_access_key_id: <I>\n  aws_secret_access_key: <S>\n"),
        ("an ID in clear", "access_key: <I>\nsecret_key: «<S>»\n"),
        ("flat names", "a::b::aws_access_key_id: «<I>»\na::b::aws_secret_access_key: «<S>»\n"),
        (
            "two flat names",
            "a::s3_access_key: «<I>»\na::s3_secret_key: «<S>»\n\
             b::s3_access_key: «<J>»\nb::s3_secret_key: «<T>»\n",
        ),
        (
            "two flat names, crosswise",
            "b::aws_secret_access_key: «<T>»\na::aws_access_key_id: «<I>»\n\
             b::aws_access_key_id: «<J>»\na::aws_secret_access_key: «<S>»\n",
        ),
        ("camel", "one: {accessKeyId: '«<I>»', secretAccessKey: '«<S>»'}\n"),
        ("upper", "env:\n  AWS_ACCESS_KEY_ID: «<I>»\n  AWS_SECRET_ACCESS_KEY: «<S>»\n"),
        ("a list of mappings", "l:\n- id: «<J>»\n  secret: «<T>»\n- id: «<I>»\n  secret: «<S>»\n"),
        ("items of a list", "aws: ['«<I>»', '«<S>»']\n"),
        ("items of a list of lists", "aws:\n- ['«<J>»', '«<T>»']\n- ['«<I>»', '«<S>»']\n"),
        ("tokens of one scalar", "url: sqs://«<I>»:«<S>»@queue\n"),
        ("tokens of two scalars", "a: sqs://«<I>»:«<S>»@q\nb: sqs://«<J>»:«<T>»@q\n"),
        ("a URL", "url: «sqs://<I>:<S%>@queue»\n"),
        ("a URL in clear", "url: sqs://<I>:<S%>@queue\n"),
        ("JSON in a value", "a: «{\"AccessKeyId\":\"<I>\",\"SecretAccessKey\":\"<S\\>\"}»\n"),
        (
            "two profiles",
            "ini: «[b]\naws_access_key_id = <J>\naws_secret_access_key = <T>\n\
             [a]\naws_access_key_id = <I>\naws_secret_access_key = <S>\n»\n",
        ),
        (
            "two profiles, secret first",
            "ini: «[a]\naws_secret_access_key = <S>\naws_access_key_id = <I>\n\
             [b]\naws_secret_access_key = <T>\naws_access_key_id = <J>\n»\n",
        ),
        ("alone in the mapping", "app:\n  name: «<I>»\n  secret: «<S>»\n  port: 1\n"),
        (
            "twice the same",
            "a:\n  aws_access_key_id: «<I>»\n  aws_secret_access_key: «<S>»\n\
             b:\n  aws_access_key_id: «<I>»\n  aws_secret_access_key: «<S>»\n",
        ),
        (
            "spoken of in a comment",
            "# the key «<I>»\naws_access_key_id: «<I>»\naws_secret_access_key: «<S>»\n",
        ),
        ("commented out", "# aws_access_key_id: «<I>»\n# aws_secret_access_key: «<S>»\nname: x\n"),
    ] {
        let pairing = told(&[("hieradata/a.yaml", text)]);
        assert!(is_paired(&pairing), "{name}: {pairing:?}");
    }
}

#[test]
fn flat_texts_are_paired_by_their_labels() {
    for (path, text) in [
        (".env", "AWS_ACCESS_KEY_ID=<I>\nAWS_SECRET_ACCESS_KEY=<S>\n"),
        (".env", "export AWS_ACCESS_KEY_ID='<I>'\nexport AWS_SECRET_ACCESS_KEY='<S>'\n"),
        ("a.sh", "AWS_ACCESS_KEY_ID=«<I>»\nAWS_SECRET_ACCESS_KEY=«<S>»\n"),
        (
            "credentials",
            "[b]\naws_access_key_id = «<J>»\naws_secret_access_key = «<T>»\n\
             [a]\naws_access_key_id = «<I>»\naws_secret_access_key = «<S>»\n",
        ),
        ("a.json", "{\"AccessKeyId\": \"«<I>»\", \"SecretAccessKey\": \"«<S>»\"}\n"),
        ("a.tf", "access_key = \"«<I>»\"\nsecret_key = \"«<S>»\"\n"),
        ("a.pp", "access_key_id => '«<I>»',\nsecret_access_key => '«<S>»',\n"),
    ] {
        let pairing = told(&[(path, text)]);
        assert!(is_paired(&pairing), "{path} {text}: {pairing:?}");
    }
}

#[test]
fn a_secret_may_stand_in_another_file_unless_it_has_an_id_of_its_own_there() {
    let id = "a::aws_access_key_id: «<I>»\n";
    let secret = "a::aws_secret_access_key: «<S>»\n";
    assert!(is_paired(&told(&[("ids.yaml", id), ("secrets.yaml", secret)])));
    let own = "a::aws_access_key_id: «<J>»\na::aws_secret_access_key: «<S>»\n";
    let pairing = told(&[("ids.yaml", id), ("secrets.yaml", own)]);
    assert!(pairing.secret.is_none() && !pairing.paired[0], "{pairing:?}");
    let other = "b::aws_secret_access_key: «<S>»\n";
    let pairing = told(&[("ids.yaml", id), ("secrets.yaml", other)]);
    assert!(pairing.secret.is_none(), "another application's secret is no partner");
    // Without a name of its own an ID is found beside every secret.
    let pairing = told(&[("ids.yaml", "key: «<I>»\n"), ("secrets.yaml", "secret: «<S>»\n")]);
    assert!(pairing.secret.is_none(), "{pairing:?}");
}

#[test]
fn nothing_is_guessed() {
    for (name, text) in [
        ("nothing beside it", "aws_access_key_id: «<I>»\nname: x\n"),
        ("a password of another length", "smtp_username: «<I>»\nsmtp_password: «short»\n"),
        // The SES password of a user's access key is derived from the secret: 44 characters.
        (
            "a password of SES",
            "smtp_username: «<I>»\nsmtp_password: «BDoQ3Zl4Pf9wQhE3LrYtVnMx8AsKcJu7Gh2Rd5Tb0+/=»\n",
        ),
        (
            "another ID's secret",
            "a::aws_access_key_id: «<I>»\nb::aws_access_key_id: «<J>»\nb::aws_secret_access_key: «<T>»\n",
        ),
        ("a git commit", "id: «<I>»\nsecret_commit: 0123456789abcdef0123456789abcdef01234567\n"),
        ("a secret further up", "secret: «<S>»\napp:\n  key: «<I>»\n"),
        ("only a mention", "# the key <I> is old\nname: x\n"),
    ] {
        let pairing = told(&[("hieradata/a.yaml", text)]);
        assert!(pairing.secret.is_none(), "{name}: {pairing:?}");
        assert!(pairing.paired.iter().all(|paired| !paired), "{name}: {pairing:?}");
        assert!(pairing.ambiguous.is_empty() && pairing.conflicting.is_empty(), "{name}");
    }
}

#[test]
fn several_candidates_are_shown_and_none_is_taken() {
    for (name, text, candidates) in [
        (
            "two secrets of one name",
            "app:\n  aws_access_key_id: «<I>»\n  aws_secret_key: «<S>»\n  aws_secret_access_key: «<T>»\n",
            &["app/aws_secret_key", "app/aws_secret_access_key"][..],
        ),
        ("two in a list", "l: ['«<I>»', '«<S>»', '«<T>»']\n", &["l/[1]", "l/[2]"]),
        (
            "by shape alone",
            "app:\n  name: «<I>»\n  one: «<S>»\n  two: «<T>»\n",
            &["app/one", "app/two"],
        ),
        ("by shape alone, only one", "app:\n  name: «<I>»\n  one: «<S>»\n", &["app/one"]),
    ] {
        let pairing = told(&[("a.yaml", text)]);
        assert!(pairing.secret.is_none(), "{name}: {pairing:?}");
        let shown: Vec<String> =
            pairing.ambiguous[0].candidates.iter().map(|place| place.route.to_string()).collect();
        assert_eq!(shown, candidates, "{name}");
        assert_eq!(pairing.paired, [false], "{name}");
    }
}

#[test]
fn a_sure_place_settles_the_others() {
    let sure = "aws_access_key_id: «<I>»\naws_secret_access_key: «<S>»\n";
    let unsure = "l: ['«<I>»', '«<S>»', '«<T>»']\n";
    assert!(is_paired(&told(&[("a.yaml", sure), ("b.yaml", unsure)])));
    let wrong = "l: ['«<I>»', '«<T>»', 'x']\n";
    let pairing = told(&[("a.yaml", sure), ("b.yaml", wrong)]);
    assert_eq!(pairing.conflicting.len(), 2, "{pairing:?}");
    assert!(pairing.secret.is_none() && pairing.ambiguous.is_empty());
}

#[test]
fn two_secrets_of_one_id_conflict() {
    let pairing = told(&[
        ("a.yaml", "aws_access_key_id: «<I>»\naws_secret_access_key: «<S>»\n"),
        ("b.yaml", "aws_access_key_id: «<I>»\naws_secret_access_key: «<T>»\n"),
    ]);
    let places: Vec<String> = pairing.conflicting.iter().map(ToString::to_string).collect();
    assert_eq!(places, ["a.yaml:2 aws_secret_access_key", "b.yaml:2 aws_secret_access_key"]);
    assert!(pairing.secret.is_none());
}

#[test]
fn a_person_may_name_the_partner() {
    let texts = [("a/a.yaml", "app:\n  name: «<I>»\n  one: «<T>»\n  two: «<S>»\n")];
    for chosen in ["app/name=app/two", "a/a.yaml#app/name=a/a.yaml#app/two"] {
        let pairing = paired(&files(&texts), &[chosen]).expect("routes that are there");
        assert!(is_paired(&pairing), "{chosen}: {pairing:?}");
    }
    let elsewhere = [("a.yaml", "app/x:\n  name: «<I>»\n"), ("b.yaml", "deep: {two: '«<S>»'}\n")];
    let pairing = paired(&files(&elsewhere), &["app~1x/name=b.yaml#deep/two"]).expect("routes");
    assert!(is_paired(&pairing), "{pairing:?}");
    for (chosen, reason) in [
        ("app/name=app/three", "bad-pair"),
        ("app/name=b.yaml#app/two", "bad-pair"),
        ("app/name=app/name", "bad-pair"),
        ("app/name", "bad-pair"),
        ("=x", "bad-pair"),
        ("a=b=c", "bad-pair"),
        // A choice that names no place of the ID is a slip, not a wish to be passed over.
        ("other/name=app/two", "bad-pair"),
    ] {
        let error = paired(&files(&texts), &[chosen]).expect_err(chosen);
        assert_eq!(error.reason(), reason, "{chosen}");
    }
}

#[test]
fn a_secret_is_recognised_in_each_spelling_of_the_same_text() {
    let text = "url: «sqs://<I>:<S%>@q»\naws_access_key_id: «<I>»\naws_secret_access_key: «<S>»\n";
    let files = files(&[("a.yaml", text)]);
    assert_eq!(places(&files).len(), 2);
    assert!(is_paired(&paired(&files, &[]).expect("paired")));
    assert!(Chosen::parse("a=b").is_ok());
}
