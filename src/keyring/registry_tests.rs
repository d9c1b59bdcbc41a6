//! Where identities are found, what opens what, and who may be sealed to.

use std::fs;
use std::path::Path;

use super::{Keyring, Sealed, Surroundings, discover};
use crate::model::{LockReason, RepoPath, Secret};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys");

fn pem(name: &str) -> Vec<u8> {
    fs::read(Path::new(KEYS).join(name)).expect("the fixture is there")
}

/// A folder with the given files, and surroundings that know only that folder.
fn house(files: &[(&str, &str)]) -> (tempfile::TempDir, Surroundings) {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (path, content) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("inside the root")).expect("a folder");
        let fixture = Path::new(KEYS).join(content);
        if fixture.is_file() {
            fs::copy(fixture, path).expect("copied");
        } else {
            use std::io::Write as _;
            let mut file = fs::File::create(path).expect("created");
            file.write_all(content.as_bytes()).expect("written");
        }
    }
    let around = Surroundings {
        home: Some(root.path().join("home")),
        cwd: Some(root.path().join("cwd")),
        worktree: Some(root.path().join("repo")),
        etc: root.path().join("etc"),
        ..Surroundings::default()
    };
    (root, around)
}

fn names(around: &Surroundings) -> Vec<String> {
    let keyring = discover(around).expect("nothing was asked for by name");
    keyring.identities.iter().map(|identity| identity.name().to_owned()).collect()
}

fn rejected(around: &Surroundings) -> Vec<String> {
    let keyring = discover(around).expect("nothing was asked for by name");
    keyring.rejected.into_iter().map(|lock| lock.detail).collect()
}

const STAGING: &str = "staging/private_key.pkcs7.pem";
const WRONG: &str = "wrong/private_key.pkcs7.pem";

#[test]
fn keys_are_found_beside_and_above_the_sealed_files() {
    let (_root, mut around) = house(&[
        ("repo/puppet/hieradata/app/x.yaml", ""),
        ("repo/puppet/keys/private_key.pkcs7.pem", STAGING),
        ("repo/puppet/keys/public_key.pkcs7.pem", "staging/public_key.pkcs7.pem"),
        ("repo/keys/copy.pem", "staging/pkcs8.pem"),
        ("repo/keys/ec.pem", "odd/ec.pem"),
        ("keys/outside.pem", WRONG),
        ("keys/notes.txt", WRONG),
    ]);
    around.folders.push("puppet/hieradata/app".into());
    let found = names(&around);
    assert_eq!(found[0], "puppet/keys/private_key.pkcs7.pem");
    assert!(found[1].ends_with("keys/outside.pem"), "{found:?}");
    assert_eq!(found.len(), 2, "the copy of a known key counts once");
    assert_eq!(rejected(&around), ["`keys/ec.pem` holds a private key that is no RSA key"]);
}

#[test]
fn configurations_are_merged_in_the_order_of_eyaml() {
    let (root, mut around) = house(&[
        ("etc/eyaml/config.yaml", "pkcs7_private_key: /nowhere/etc.pem\n"),
        ("home/.eyaml/config.yaml", "---\npkcs7_private_key: ./mine.pem\nencrypt_method: pkcs7\n"),
        ("cwd/mine.pem", STAGING),
        ("cwd/named.pem", WRONG),
        ("cwd/other.yaml", ":pkcs7_private_key: named.pem\n"),
    ]);
    let cwd = root.path().join("cwd");
    assert_eq!(names(&around), [cwd.join("mine.pem").display().to_string()]);
    around.env.insert("EYAML_CONFIG".into(), "other.yaml".into());
    assert_eq!(names(&around), [cwd.join("named.pem").display().to_string()]);
}

#[test]
fn a_variable_wins_over_a_file() {
    let config = "pkcs7_private_key: none.pem\npkcs7_private_key_env_var: EYAML_KEY\n";
    let (_root, mut around) = house(&[("repo/.eyaml/config.yaml", config)]);
    assert!(names(&around).is_empty());
    assert!(rejected(&around)[0].contains("none.pem"));
    let key = String::from_utf8(pem(STAGING)).expect("PEM is text");
    around.env.insert("EYAML_KEY".into(), key.clone());
    assert_eq!(names(&around), ["$EYAML_KEY"]);
    around.env.insert("EYAML_KEY".into(), "hunter2".into());
    assert_eq!(rejected(&around), ["`$EYAML_KEY` holds no private key in PEM"]);

    let config = "pkcs7_b64_private_key_env_var: EYAML_B64\n";
    let (_root, mut around) = house(&[("repo/.eyaml/config.yaml", config)]);
    assert!(rejected(&around)[0].ends_with("and not set"));
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(key);
    around.env.insert("EYAML_B64".into(), encoded);
    assert_eq!(names(&around), ["$EYAML_B64"]);
}

#[test]
fn hiera_names_identities_in_both_of_its_versions() {
    let five = "version: 5\ndefaults:\n  options:\n    pkcs7_private_key: keys5/a.pem\n\
                hierarchy:\n  - name: x\n    lookup_key: eyaml_lookup_key\n    options:\n      \
                pkcs7_private_key: keys5/b.pem\n  - name: y\n    options:\n      \
                pkcs7_private_key: \"/etc/%{environment}.pem\"\n";
    let (_root, around) = house(&[
        ("repo/hiera.yaml", five),
        ("repo/keys5/a.pem", WRONG),
        ("repo/keys5/b.pem", STAGING),
    ]);
    assert_eq!(names(&around), ["keys5/b.pem", "keys5/a.pem"]);
    assert!(rejected(&around).is_empty());

    let three = ":backends:\n  - eyaml\n:eyaml:\n  :datadir: data\n  :pkcs7_private_key: k.pem\n";
    let files = [("etc/puppetlabs/puppet/hiera.yaml", three), ("repo/k.pem", STAGING)];
    let (_root, around) = house(&files);
    assert_eq!(names(&around), ["k.pem"]);
}

#[test]
fn a_broken_configuration_is_noted_and_the_rest_is_found() {
    let (_root, around) = house(&[
        ("home/.eyaml/config.yaml", "a: [hunter2\n"),
        ("repo/keys/private_key.pkcs7.pem", STAGING),
    ]);
    assert_eq!(names(&around).len(), 1);
    assert!(rejected(&around)[0].ends_with("is no YAML mapping, and names no identity"));
    assert!(!rejected(&around)[0].contains("hunter2"));
}

#[test]
fn what_was_asked_for_by_name_must_be_usable() {
    let (_root, mut around) = house(&[("cwd/a.pem", STAGING), ("cwd/ec.pem", "odd/ec.pem")]);
    around.identities = vec!["a.pem".into()];
    assert_eq!(names(&around).len(), 1);
    for (path, reason) in [
        ("gone.pem", "file-not-found"),
        ("ec.pem", "unusable-identity"),
        (".", "unusable-identity"),
    ] {
        around.identities = vec![path.into()];
        let error = discover(&around).map(|_| ()).expect_err(path);
        assert_eq!(error.reason(), reason, "{error}");
        assert!(error.message().contains(path) && !error.hints().is_empty(), "{error}");
    }
}

/// A keyring of the given fixtures, with the certificates of a base commit.
fn keyring(files: &[(&str, &str)], certificates: &[(&str, &str)]) -> Keyring {
    let (_root, mut around) = house(files);
    around.certificates = certificates
        .iter()
        .map(|(path, fixture)| (RepoPath::new(path.as_bytes()), pem(fixture)))
        .collect();
    discover(&around).expect("nothing was asked for by name")
}

/// A missing program is a failure in CI, and a printed reason elsewhere.
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a test asks the machine")]
fn skip(program: &str) {
    assert!(std::env::var_os("CI").is_none(), "{program} is needed where CI is set");
    eprintln!("skipped: {program} is not installed");
}

/// An envelope of openssl for a certificate of the fixtures; `None` without openssl.
fn openssl(certificate: &str, cipher: &[&str], plain: &[u8]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = folder.path().join("in");
    use std::io::Write as _;
    fs::File::create(&input).expect("created").write_all(plain).expect("written");
    let output = std::process::Command::new("openssl")
        .args(["cms", "-encrypt", "-binary", "-outform", "DER", "-in"])
        .arg(&input)
        .arg("-recip")
        .arg(Path::new(KEYS).join(certificate))
        .args(cipher)
        .output();
    let Ok(output) = output else {
        skip("openssl");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

const STAGING_CERT: &str = "staging/public_key.pkcs7.pem";
const ONE_KEY: (&str, &str) = ("repo/keys/private_key.pkcs7.pem", STAGING);

#[test]
fn what_openssl_seals_is_opened_with_the_ciphers_of_the_format() {
    let ring = keyring(&[ONE_KEY], &[]);
    for cipher in ["-aes256", "-aes192", "-aes128"] {
        let Some(der) = openssl(STAGING_CERT, &[cipher], b"AKIAIOSFODNN7EXAMPLE") else { return };
        let (plain, by) = ring.open(Sealed::Pkcs7(&der)).expect(cipher);
        assert_eq!(plain.expose(), b"AKIAIOSFODNN7EXAMPLE");
        assert_eq!(by.name(), "keys/private_key.pkcs7.pem");
        let broken = &der[..der.len() - 20];
        let reason = ring.open(Sealed::Pkcs7(broken)).map(|_| ()).expect_err("cut").reason;
        assert_eq!(reason, LockReason::InvalidStructure);
    }
    let Some(der) = openssl(STAGING_CERT, &["-des3"], b"x") else { return };
    let lock = ring.open(Sealed::Pkcs7(&der)).map(|_| ()).expect_err("triple DES");
    assert_eq!(lock.reason, LockReason::ForeignCipher);
    assert!(lock.detail.ends_with("des-ede3-cbc"));
    let oaep = ["-aes256", "-keyopt", "rsa_padding_mode:oaep"];
    let Some(der) = openssl(STAGING_CERT, &oaep, b"x") else { return };
    let lock = ring.open(Sealed::Pkcs7(&der)).map(|_| ()).expect_err("OAEP");
    assert_eq!(lock.reason, LockReason::ForeignCipher);
}

#[test]
fn the_reason_tells_missing_wrong_and_weak_identities_apart() {
    let Some(der) = openssl(STAGING_CERT, &["-aes256"], b"x") else { return };
    let Some(weak) = openssl("weak/public_key.pkcs7.pem", &["-aes256"], b"x") else { return };
    let reason = |ring: &Keyring, der: &[u8]| {
        ring.open(Sealed::Pkcs7(der)).map(|_| ()).expect_err("locked").reason
    };
    let none = keyring(&[], &[]);
    assert_eq!(reason(&none, &der), LockReason::NoIdentity);
    let wrong = keyring(&[("repo/keys/private_key.pkcs7.pem", WRONG)], &[]);
    assert_eq!(reason(&wrong, &der), LockReason::WrongIdentity);
    let mixed = keyring(&[("repo/keys/weak.pem", "weak/private_key.pkcs7.pem"), ONE_KEY], &[]);
    assert_eq!(reason(&mixed, &weak), LockReason::WeakIdentity);
    assert!(mixed.open(Sealed::Pkcs7(&der)).is_ok(), "a weak identity does not claim the rest");
}

#[test]
fn a_changed_block_is_tampered() {
    let ring = keyring(&[ONE_KEY], &[]);
    let Some(der) = openssl(STAGING_CERT, &["-aes256"], b"0123456789abcdef0123456789") else {
        return;
    };
    let mut changed = der;
    let at = changed.len() - 20;
    changed[at] ^= 0xff;
    // The flipped byte is one of the six of the padding.
    let lock = ring.open(Sealed::Pkcs7(&changed)).map(|_| ()).expect_err("changed");
    assert_eq!(lock.reason, LockReason::Tampered);
}

#[test]
fn what_we_seal_has_the_layout_of_hiera_eyaml() {
    let ring = keyring(&[ONE_KEY], &[("keys/public_key.pkcs7.pem", STAGING_CERT)]);
    let Some(der) = openssl(STAGING_CERT, &["-aes256"], b"old") else { return };
    let (_, identity) = ring.open(Sealed::Pkcs7(&der)).expect("opened");
    let sealer = identity.sealer(Sealed::Pkcs7(&der)).expect("the certificate matches");
    let plain = Secret::new(b"new".to_vec());
    let one = sealer.seal(&plain).expect("sealed");
    let two = sealer.seal(&plain).expect("sealed");
    assert_ne!(one, two, "every envelope has its own content key and vector");
    assert_eq!(one.len(), der.len(), "the same fields as openssl writes");
    assert_eq!(one[..40], der[..40], "up to the wrapped key all bytes are equal");
    let (again, _) = ring.open(Sealed::Pkcs7(&one)).expect("opened");
    assert!(again.same(&plain));
}

#[test]
fn a_certificate_with_another_key_refuses() {
    let cert = "wrong/public_key.pkcs7.pem";
    for (certificates, fits) in [
        (&[][..], true),
        (&[("keys/public_key.pkcs7.pem", STAGING_CERT)], true),
        (&[("keys/public_key.pkcs7.pem", "staging/v1.crt.pem")], true),
        (&[("keys/a.pem", cert), ("keys/b.pem", STAGING_CERT)], true),
        (&[("keys/public_key.pkcs7.pem", cert)], false),
        (&[("keys/public_key.pkcs7.pem", cert), ("keys/b.pem", STAGING_CERT)], false),
        (&[("other/keys/production.pem", cert)], false),
        (&[("modules/web/files/tls.pem", cert)], true),
    ] {
        let ring = keyring(&[ONE_KEY], certificates);
        let Some(der) = openssl(STAGING_CERT, &["-aes256"], b"x") else { return };
        let (_, identity) = ring.open(Sealed::Pkcs7(&der)).expect("opened");
        let answer = identity.sealer(Sealed::Pkcs7(&der)).map(|_| ());
        assert_eq!(answer.is_ok(), fits, "{certificates:?}");
        if let Err(error) = answer {
            assert_eq!(error.reason(), "recipient-mismatch");
            assert!(error.message().contains(certificates[0].0), "{error}");
        }
    }
}
