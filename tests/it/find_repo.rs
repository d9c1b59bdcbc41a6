//! `keyroll find` on real repositories: what is found, what stays closed, and that every kind of
//! clone is answered.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::context::schema::assert_fits;
use crate::context::{Context, Run, save};
use crate::stage::{ID, SECRET, Stage, keys, lay_keys, sealed, sealed_to, settings};

const OTHER: &str = "AKIAI44QH7DHBEXAMPLE";

/// The places of an answer, as `path:line route role`.
fn places(answer: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |place: &Value| {
        let route: Vec<_> = place["route"].as_array().unwrap().iter().map(text).collect();
        let (path, line) = (text(&place["path"]), &place["line"]);
        format!("{path}:{line} {} {}", route.join("/"), text(&place["role"]))
    };
    answer["occurrences"].as_array().unwrap().iter().map(one).collect()
}

/// The locked values of an answer, as `path:line reason`.
fn locked(answer: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one =
        |one: &Value| format!("{}:{} {}", text(&one["path"]), one["line"], text(&one["reason"]));
    answer["locked"].as_array().unwrap().iter().map(one).collect()
}

#[track_caller]
fn answered(run: &Run) -> Value {
    let answer = run.json();
    assert_fits(if answer.get("error").is_some() { "error" } else { "find" }, &answer);
    answer
}

/// A repository of texts in clear, without a remote.
fn plain(files: &[(&str, &str)]) -> (Context, std::path::PathBuf) {
    let context = Context::new();
    let dir = context.repository("secrets", files);
    (context, dir)
}

fn pair() -> String {
    format!("aws_access_key_id: {ID}\naws_secret_access_key: {SECRET}\n")
}

/// A snapshot of everything that a run said.
fn pictured(context: &Context, name: &str, run: &Run) {
    let filters = context.filters();
    let filters: Vec<(&str, &str)> =
        filters.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let short = (r"at [0-9a-f]{12}\b", "at [OID]");
    insta::with_settings!({ filters => filters.into_iter().chain([
        short,
        (r"commit [0-9a-f]{12}\b", "commit [OID]"),
        (r"fetched (just now|\d+ \w+ ago)", "fetched [AGO]"),
    ]) }, {
        insta::assert_snapshot!(name, run.to_string());
    });
}

#[test]
fn every_place_of_a_pair_is_told() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    let human = stage.run(&["find", ID]).ends(0);
    pictured(&stage.context, "find_human", &human);
    let run = stage.run(&["find", ID, "--output", "json"]).ends(0);
    answered(&run);
    pictured(&stage.context, "find_json", &run);
    let sarif = stage.run(&["find", ID, "--output", "sarif"]).ends(0).json();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 7);
    assert!(human.stdout.lines().all(|line| line.chars().count() <= 80), "{human}");
}

#[test]
fn what_is_nowhere_is_an_answer() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    let run = stage.run(&["find", OTHER, "--output", "json"]).ends(1);
    assert_eq!(answered(&run)["complete"], true);
    let human = stage.run(&["find", OTHER]).ends(1);
    assert!(human.stdout.contains("stands nowhere"), "{human}");
}

#[test]
fn several_ids_are_found_in_one_pass() {
    let other = pair().replace(ID, OTHER).replace("wJal", "xJal");
    let (context, dir) = plain(&[("a.yaml", &pair()), ("b.yaml", &other)]);
    let ids = |answer: &Value| -> Vec<(String, u64)> {
        let one = |key: &Value| {
            (
                key["access_key_id"].as_str().unwrap().to_owned(),
                key["occurrences"].as_u64().unwrap(),
            )
        };
        answer["access_keys"].as_array().unwrap().iter().map(one).collect()
    };
    let both = vec![(OTHER.to_owned(), 1), (ID.to_owned(), 1)];
    let run = context.run_in(&dir, &["find", OTHER, ID, "--output", "json"]).ends(0);
    assert_eq!(ids(&answered(&run)), both);
    let run = context.run_in(&dir, &["find", "--all", "--output", "json"]).ends(0);
    let all = answered(&run);
    assert_eq!(ids(&all), both);
    assert_eq!(places(&all).len(), 4, "each with its secret");
    // A comment, a blank line and a repetition are not IDs of their own.
    let list = format!("# two\n\n{OTHER}\n  {ID}\n{ID}\n");
    let file = context.write("ids", &list);
    let from = ["find", "--ids-from", file.to_str().unwrap(), "--output", "json"];
    assert_eq!(ids(&answered(&context.run_in(&dir, &from).ends(0))), both);
    let words = ["find", "--ids-from", "-", "./secrets", "--output", "json"];
    assert_eq!(ids(&answered(&context.run_with(&words, list.as_bytes()).ends(0))), both);
    let wrong = context.run_with(&words, b"AKIA-oops\n").ends(2);
    assert_eq!(answered(&wrong)["error"]["reason"], "malformed-access-key-id");
}

#[test]
fn a_text_and_a_pattern_are_found_inside_sealed_values() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    let run = stage.run(&["find", "--text", "of somebody", "--output", "json"]).ends(0);
    assert_eq!(places(&answered(&run)), ["hieradata/staging.yaml:16 logs::password text"]);
    assert!(!run.stdout.contains("of somebody"), "the value is not shown: {run}");
    let human = stage.run(&["find", "--regex", "sec[a-z]*_key = w"]).ends(0);
    assert!(human.stdout.contains("s3cmd::config") && !human.stdout.contains("wJal"), "{human}");
    stage.run(&["find", "--text", "nowhere at all"]).ends(1);
    let empty = stage.run(&["find", "--regex", "x*", "--output", "json"]).ends(2);
    assert_eq!(answered(&empty)["error"]["reason"], "bad-pattern");
}

#[test]
fn globs_and_environments_choose_the_files() {
    let (context, dir) = plain(&[
        ("hieradata/staging.yaml", &pair()),
        ("hieradata/production.yaml", &pair()),
        ("test/fixture.yaml", &pair()),
    ]);
    let found = |words: &[&str]| -> Vec<String> {
        let words = [&["find", ID, "--output", "json"], words].concat();
        let answer = answered(&context.run_in(&dir, &words).ends(0));
        let mut paths: Vec<_> = places(&answer)
            .iter()
            .map(|place| place.split(':').next().unwrap().to_owned())
            .collect();
        paths.dedup();
        paths
    };
    assert_eq!(found(&[]).len(), 3);
    assert_eq!(
        found(&["--exclude", "**/test/**"]),
        ["hieradata/production.yaml", "hieradata/staging.yaml"]
    );
    assert_eq!(found(&["--include", "hieradata/st*"]), ["hieradata/staging.yaml"]);
    assert_eq!(found(&["--environment", "production"]), ["hieradata/production.yaml"]);
    let none = ["find", ID, "--include", "elsewhere/**"];
    // A filter that leaves nothing to look into is no search, and so no answer.
    context.run_in(&dir, &none).ends(2);
}

#[test]
fn settings_name_environments_and_a_wrong_word_is_told_with_its_line() {
    let text = "version: 1\nenvironments:\n  blue: { paths: [\"a*\"] }\n";
    let (context, dir) = plain(&[("a.yaml", &pair()), ("b.yaml", &pair()), ("keyroll.yaml", text)]);
    let words = ["find", ID, "--environment", "blue", "--output", "json"];
    let answer = answered(&context.run_in(&dir, &words).ends(0));
    assert!(places(&answer).iter().all(|place| place.starts_with("a.yaml")), "{answer:#}");
    assert_eq!(answer["occurrences"][0]["environment"], "blue");
    let unknown = ["find", ID, "--environment", "green", "--output", "json"];
    let answer = answered(&context.run_in(&dir, &unknown).ends(2));
    assert_eq!(answer["error"]["reason"], "unknown-environment");

    save(&dir.join("keyroll.yaml"), "version: 1\npath:\n  exclude: [\"x\"]\n");
    // An uncommitted change of the settings has no effect.
    context.run_in(&dir, &words).ends(0);
    context.git(&dir, &["commit", "-q", "-a", "-m", "settings"]);
    let answer = answered(&context.run_in(&dir, &["find", ID, "--output", "json"]).ends(2));
    let message = answer["error"]["message"].as_str().unwrap();
    assert_eq!(answer["error"]["reason"], "bad-config");
    assert!(message.contains("keyroll.yaml") && message.contains('2'), "{message}");
    assert!(answer["error"]["hints"].to_string().contains("paths"), "{answer:#}");
}

#[test]
fn each_kind_of_clone_is_searched() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    let (context, work) = (&stage.context, stage.context.work());
    let usual = places(&answered(&stage.run(&["find", ID, "--output", "json"]).ends(0)));
    let from = format!("file://{}", stage.remote.display());
    let identity = keys("staging").join("private_key.pkcs7.pem");
    let identity = identity.to_str().unwrap();
    stage.push_file("later.txt", "x\n");
    context.git(&stage.remote, &["config", "uploadpack.allowFilter", "true"]);
    for (name, words) in [
        ("bare", &["--bare"][..]),
        ("shallow", &["--depth=1"]),
        ("mirror", &["--mirror"]),
        ("detached", &[]),
        ("ci", &["--no-checkout"]),
    ] {
        let words = [&["clone", "-q"], words, &[from.as_str(), name]].concat();
        context.git(&work, &words);
        let dir = work.join(name);
        if name == "detached" {
            context.git(&dir, &["checkout", "-q", "--detach", "HEAD"]);
            context.git(&dir, &["branch", "-q", "-D", "main"]);
        }
        if name == "ci" {
            // As `actions/checkout` leaves it.
            context.git(&dir, &["remote", "set-head", "origin", "--delete"]);
            context.git(&dir, &["checkout", "-q", "--detach", "HEAD"]);
        }
        let path = format!("./{name}");
        let words = ["find", ID, &path, "--identity", identity, "--output", "json"];
        let run = context.run(&words);
        assert_eq!(places(&answered(&run.ends(0))), usual, "{name}");
    }
    // By its address, and from a folder inside the work tree.
    let words = ["find", ID, &from, "--identity", identity, "--output", "json"];
    assert_eq!(places(&answered(&context.run(&words).ends(0))), usual);
    let inside = stage.clone.join("hieradata");
    let run = context.run_in(&inside, &["find", ID, "--output", "json"]).ends(0);
    assert_eq!(places(&answered(&run)), usual);
}

#[test]
fn what_a_partial_clone_lacks_is_not_taken_for_empty() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    let (context, work) = (&stage.context, stage.context.work());
    context.git(&stage.remote, &["config", "uploadpack.allowFilter", "true"]);
    let from = format!("file://{}", stage.remote.display());
    let words = ["clone", "-q", "--filter=blob:none", "--no-checkout", &from, "partial"];
    context.git(&work, &words);
    // Without the settings nobody knows what takes part.
    let answer = answered(&context.run(&["find", ID, "./partial", "--output", "json"]).ends(2));
    assert_eq!(answer["error"]["reason"], "missing-object");
    assert!(answer["error"]["message"].to_string().contains("`keyroll.yaml`"), "{answer:#}");
    let own = context.write("own.yaml", settings());
    let words = ["find", ID, "./partial", "--output", "json", "--config", own.to_str().unwrap()];
    let answer = answered(&context.run(&words).ends(3));
    assert_eq!(answer["complete"], false);
    let closed = locked(&answer);
    assert!(closed.contains(&"hieradata/staging.yaml:1 not-fetched".to_owned()), "{closed:?}");
    // What a checkout fetched is there.
    context.git(&work.join("partial"), &["checkout", "-q", "main"]);
    lay_keys(&work.join("partial"));
    context.run(&["find", ID, "./partial"]).ends(0);
}

#[test]
fn the_commit_is_searched_and_not_the_dirty_work_tree() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    let (context, dir) = (&stage.context, &stage.clone);
    let usual = places(&answered(&stage.run(&["find", ID, "--output", "json"]).ends(0)));
    fs::remove_file(dir.join("docs/who.md")).unwrap();
    save(&dir.join("new.yaml"), pair());
    save(&dir.join("staged.yaml"), pair());
    save(&dir.join("ignored.log"), ID);
    save(&dir.join(".git/info/exclude"), "*.log\n");
    context.git(dir, &["add", "staged.yaml"]);
    assert_eq!(places(&answered(&stage.run(&["find", ID, "--output", "json"]).ends(0))), usual);

    let run = stage.run(&["find", ID, "--worktree", "--output", "json"]).ends(0);
    let answer = answered(&run);
    assert_eq!(answer["commit"], Value::Null);
    let mut paths: Vec<_> =
        places(&answer).iter().map(|place| place.split(':').next().unwrap().to_owned()).collect();
    paths.dedup();
    let wanted = ["hieradata/production.yaml", "hieradata/staging.yaml", "new.yaml", "staged.yaml"];
    assert_eq!(paths, wanted);
    assert!(stage.run(&["find", ID, "--worktree"]).ends(0).stdout.contains("(work tree)"));
    let bare = context.run(&["find", ID, "--worktree", stage.remote.to_str().unwrap()]).ends(2);
    assert!(bare.stderr.contains("error: "), "{bare}");
}

#[test]
fn a_work_tree_is_searched_before_the_first_commit() {
    let context = Context::new();
    let dir = context.work().join("new");
    save(&dir.join("a.yaml"), pair());
    context.git(&dir, &["init", "-q"]);
    let run = context.run_in(&dir, &["find", ID, "--output", "json"]).ends(2);
    assert_eq!(answered(&run)["error"]["reason"], "unborn-branch");
    let run = context.run_in(&dir, &["find", ID, "--worktree", "--output", "json"]).ends(0);
    assert_eq!(places(&answered(&run)).len(), 2);
}

#[test]
fn the_past_is_searched_and_each_place_told_once() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    let (context, dir) = (&stage.context, &stage.clone);
    let first = context.git(dir, &["rev-parse", "HEAD"]);
    // The secret alone, in clear, in a newer version than the one that tells whose it is.
    save(&dir.join("leak.txt"), format!("old: {SECRET}\n"));
    fs::remove_file(dir.join("hieradata/production.yaml")).unwrap();
    let staging = fs::read_to_string(dir.join("hieradata/staging.yaml")).unwrap();
    save(&dir.join("hieradata/staging.yaml"), format!("{staging}more: x\n"));
    context.git(dir, &["add", "--all"]);
    context.git(dir, &["commit", "-q", "-m", "second"]);
    let second = context.git(dir, &["rev-parse", "HEAD"]);
    fs::remove_file(dir.join("hieradata/staging.yaml")).unwrap();
    context.git(dir, &["commit", "-q", "-a", "-m", "third"]);
    let third = context.git(dir, &["rev-parse", "HEAD"]);

    let run = stage.run(&["find", ID, "--history", "--output", "json"]).ends(0);
    let answer = answered(&run);
    let all = answer["occurrences"].as_array().unwrap();
    let of = |path: &str| -> Vec<&Value> { all.iter().filter(|one| one["path"] == path).collect() };
    let production = of("hieradata/production.yaml");
    assert_eq!(production.len(), 4);
    assert!(production.iter().all(|one| one["commit"] == first), "{answer:#}");
    let staging = of("hieradata/staging.yaml");
    assert_eq!(staging.len(), 2, "two versions are one place: {answer:#}");
    assert!(staging.iter().all(|one| one["commit"] == second), "{answer:#}");
    let leak = of("leak.txt");
    assert_eq!((leak.len(), &leak[0]["commit"]), (1, &Value::from(third)), "{answer:#}");
    assert_eq!(answer["missing"], 0);
    let human = stage.run(&["find", ID, "--history"]).ends(0);
    assert!(human.stdout.contains(&format!("commit {}", &first[..12])), "{human}");
    stage.run(&["find", OTHER, "--history"]).ends(1);
}

#[test]
fn a_secret_that_only_the_past_explains_is_found_in_the_present() {
    let (context, dir) = plain(&[("a.yaml", &pair())]);
    save(&dir.join("a.yaml"), "gone: true\n");
    save(&dir.join("b.yaml"), format!("token: {SECRET}\n"));
    context.git(&dir, &["add", "--all"]);
    context.git(&dir, &["commit", "-q", "-m", "second"]);
    let run = context.run_in(&dir, &["find", ID, "--history", "--output", "json"]).ends(0);
    let all = places(&answered(&run));
    assert!(all.contains(&"b.yaml:1 token secret".to_owned()), "{all:?}");
}

#[test]
fn a_cut_history_is_no_complete_answer() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    stage.push_file("later.txt", "x\n");
    let work = stage.context.work();
    let from = format!("file://{}", stage.remote.display());
    stage.context.git(&work, &["clone", "-q", "--depth=1", &from, "shallow"]);
    let words = ["find", OTHER, "./shallow", "--history", "--output", "json"];
    let identity = keys("staging").join("private_key.pkcs7.pem");
    let words = [&words[..], &["--identity", identity.to_str().unwrap()]].concat();
    let answer = answered(&stage.context.run(&words).ends(3));
    assert_eq!((&answer["complete"], &answer["missing"]), (&false.into(), &1.into()));
    // By its address everything is fetched.
    let whole: Vec<&str> =
        words.iter().map(|word| if *word == "./shallow" { &from } else { *word }).collect();
    let answer = answered(&stage.context.run(&whole).ends(1));
    assert_eq!(answer["missing"], 0);
}

#[test]
fn what_is_never_searched_is_listed() {
    let (context, dir) = plain(&[("a.yaml", &pair())]);
    symlink("a.yaml", dir.join("link.yaml")).unwrap();
    save(
        &dir.join("big.bin"),
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n",
    );
    let commit = context.git(&dir, &["rev-parse", "HEAD"]);
    let entry = format!("160000,{commit},module");
    context.git(&dir, &["add", "--all"]);
    context.git(&dir, &["update-index", "--add", "--cacheinfo", &entry]);
    context.git(&dir, &["commit", "-q", "-m", "more"]);
    let answer = answered(&context.run_in(&dir, &["find", ID, "--output", "json"]).ends(0));
    let mut kinds: Vec<_> = answer["not_searched"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["path"].as_str().unwrap(), one["kind"].as_str().unwrap()))
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["big.bin lfs-pointer", "link.yaml symlink", "module submodule"]);
    assert_eq!(answer["complete"], true);
}

#[test]
fn bytes_of_any_kind_and_size_are_searched() {
    let (context, dir) = plain(&[("a.yaml", &pair())]);
    let mut binary = vec![0_u8, 255, 254, 7, 0];
    binary.extend_from_slice(ID.as_bytes());
    binary.extend([0, 1, 200]);
    save(&dir.join("dump.bin"), &binary);
    // Zeros pack into nothing, so that 100 MB cost little.
    let mut large = vec![0_u8; 100 << 20];
    large.extend_from_slice(format!("\n{ID}\n").as_bytes());
    save(&dir.join("large.bin"), &large);
    context.git(&dir, &["-c", "core.compression=1", "add", "--all"]);
    context.git(&dir, &["commit", "-q", "-m", "large"]);
    let answer = answered(&context.run_in(&dir, &["find", ID, "--output", "json"]).ends(0));
    let all = places(&answer);
    assert!(all.contains(&"dump.bin:1  id".to_owned()), "{all:?}");
    assert!(all.contains(&"large.bin:2  id".to_owned()), "{all:?}");
}

#[test]
fn a_large_file_that_bears_sealed_values_is_told_and_not_skipped() {
    let (context, dir) = plain(&[("a.yaml", &pair())]);
    let mut large = vec![b'\n'; 17 << 20];
    large.extend_from_slice(b"x: ENC[PKCS7,AAAA]\n");
    save(&dir.join("large.yaml"), &large);
    context.git(&dir, &["add", "--all"]);
    context.git(&dir, &["commit", "-q", "-m", "large"]);
    let answer = answered(&context.run_in(&dir, &["find", ID, "--output", "json"]).ends(3));
    assert_eq!(locked(&answer), ["large.yaml:1 too-large"]);
}

#[test]
fn duplicate_keys_are_both_searched() {
    let context = Context::new();
    let text = format!("a: DEC::PKCS7[{ID}]!\na: DEC::PKCS7[other]!\na: {ID}\n");
    let Some(text) = sealed(&context, &text) else { return };
    let dir = context.repository("secrets", &[("a.yaml", &text)]);
    lay_keys(&dir);
    let answer = answered(&context.run_in(&dir, &["find", ID, "--output", "json"]).ends(0));
    assert_eq!(places(&answer), ["a.yaml:1 a id", "a.yaml:3 a id"]);
}

/// One closed value, and the reason that it gets.
fn closed_for(
    context: &Context,
    name: &str,
    text: &str,
    identity: Option<&Path>,
) -> (Vec<String>, String) {
    let dir = context.repository(name, &[("a.yaml", text), ("b.yaml", &pair())]);
    let mut words = vec!["find", ID, "--output", "json"];
    if let Some(identity) = identity {
        words.extend(["--identity", identity.to_str().unwrap()]);
    }
    let answer = answered(&context.run_in(&dir, &words).ends(3));
    assert_eq!(places(&answer).len(), 2, "the rest is searched: {answer:#}");
    assert_eq!(answer["complete"], false);
    (locked(&answer), answer["locked"][0]["detail"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn each_value_that_stays_closed_is_told_with_its_reason() {
    let context = Context::new();
    let text = "---\nx: DEC::PKCS7[one]!\n";
    let Some(good) = sealed(&context, text) else { return };
    let weak = sealed_to(&context, text, "weak").unwrap();
    let der = good.split("PKCS7,").nth(1).unwrap().split(']').next().unwrap().to_owned();
    // As long as base64 and DER's outer length allow: half of it.
    let half = &der[..der.len() / 2 / 4 * 4];
    let right = keys("staging").join("private_key.pkcs7.pem");
    let wrong = keys("wrong").join("private_key.pkcs7.pem");
    let small = keys("weak").join("private_key.pkcs7.pem");
    for (name, text, identity, reason) in [
        ("none", good.clone(), None, "no-identity"),
        ("wrong", good.clone(), Some(&wrong), "wrong-identity"),
        ("weak", weak, Some(&small), "weak-identity"),
        ("cut", good.replace(&der, half), Some(&right), "invalid-structure"),
        ("base64", good.replace(&der[..8], "M!*~MIIB"), Some(&right), "invalid-base64"),
        ("scheme", "---\nx: ENC[VAULT,aGVsbG8=]\n".into(), Some(&right), "unknown-scheme"),
        ("gpg", "---\nx: ENC[GPG,aGVsbG8=]\n".into(), Some(&right), "unknown-scheme"),
        ("cipher", foreign(&context), Some(&right), "foreign-cipher"),
    ] {
        let (closed, detail) =
            closed_for(&context, name, &text, identity.map(|path| path.as_path()));
        assert_eq!(closed, [format!("a.yaml:2 {reason}")], "{name}");
        assert!(!detail.is_empty() && !detail.contains(half), "{name}: {detail}");
    }
    let (closed, _) = closed_for(&context, "yaml", "a: [b\nc: }\n", None);
    assert_eq!(closed, ["a.yaml:1 invalid-yaml"]);
}

/// A token of the right shape, sealed with a cipher that hiera-eyaml never uses.
fn foreign(context: &Context) -> String {
    let plain = context.stage().join("plain");
    save(&plain, "one");
    let mut command = std::process::Command::new("openssl");
    command.args(["smime", "-encrypt", "-des3", "-binary", "-outform", "DER", "-in"]).arg(plain);
    let output = command.arg(keys("staging").join("public_key.pkcs7.pem")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    use base64::Engine as _;
    let token = base64::engine::general_purpose::STANDARD.encode(output.stdout);
    format!("---\nx: ENC[PKCS7,{token}]\n")
}

#[test]
fn invalid_yaml_is_searched_as_text() {
    let (context, dir) = plain(&[("a.yaml", &format!("a: [b\nkey {ID}\n"))]);
    let answer = answered(&context.run_in(&dir, &["find", ID, "--output", "json"]).ends(3));
    assert_eq!(places(&answer), ["a.yaml:2  id"]);
    assert_eq!(locked(&answer), ["a.yaml:1 invalid-yaml"]);
}

#[test]
fn locked_values_in_excluded_paths_leave_the_answer_whole() {
    let Some(stage) = Stage::with_pair(ID, SECRET) else { return };
    stage.context.git(&stage.clone, &["rm", "-q", "--cached", "keys", "-r", "--ignore-unmatch"]);
    fs::remove_dir_all(stage.clone.join("keys")).unwrap();
    let run = stage.run(&["find", ID]).ends(3);
    pictured(&stage.context, "find_locked", &run);
    stage.run(&["find", ID, "--exclude", "hieradata/**"]).ends(0);
    stage.run(&["find", OTHER, "--exclude", "hieradata/**"]).ends(1);
}

#[test]
fn wrong_words_and_places_are_one_clear_error() {
    let context = Context::new();
    let empty = context.work().join("empty");
    fs::create_dir_all(&empty).unwrap();
    let dir = context.repository("secrets", &[("a.yaml", &pair()), ("keyroll.yaml", &settings())]);
    for (at, words, code, reason) in [
        (&empty, &["find", ID][..], 2, "not-a-repository"),
        (&empty, &["find", ID, "./nowhere"], 2, "file-not-found"),
        (&dir, &["find", ID, "--ref", "no-such"], 2, "missing-reference"),
        (&dir, &["find", "AKIAIOSFODNN7EXAMPL"], 2, "malformed-access-key-id"),
        (&dir, &["find", "akiaiosfodnn7example"], 2, "malformed-access-key-id"),
        (&dir, &["find", "ASIAIOSFODNN7EXAMPLE"], 3, "temporary-access-key"),
        (&dir, &["find"], 2, "nothing-to-find"),
        (&dir, &["find", ID, "--all"], 2, "mixed-queries"),
        (&dir, &["find", ID, "--identity", "no-such.pem"], 2, "file-not-found"),
        (&dir, &["find", ID, "--config", "no-such.yaml"], 2, "file-not-found"),
        (&dir, &["find", "--text", ""], 2, "bad-pattern"),
    ] {
        let run = context.run_in(at, &[words, &["--output", "json"]].concat());
        let answer = answered(&run);
        assert_eq!(
            (run.code, &answer["error"]["reason"]),
            (code, &reason.into()),
            "{words:?}\n{run}"
        );
        assert!(!answer["error"]["hints"].as_array().unwrap().is_empty(), "{words:?}\n{run}");
        let human = context.run_in(at, words).ends(code);
        assert!(human.stderr.starts_with("error: ") && human.stdout.is_empty(), "{human}");
        assert!(human.stderr.contains("hint: "), "{human}");
    }
}

#[test]
fn several_repositories_are_one_answer() {
    let (context, _) = plain(&[("a.yaml", &pair())]);
    context.repository("second", &[("b.yaml", "nothing: here\n")]);
    let words = ["find", ID, "./secrets", "./second", "--output", "json"];
    let answer = context.run(&words).ends(0).json();
    let all = answer["repositories"].as_array().unwrap();
    assert_eq!((all.len(), &answer["complete"]), (2, &true.into()));
    all.iter().for_each(|one| assert_fits("find", one));
    let human = context.run(&["find", OTHER, "./secrets", "./second"]).ends(1);
    assert!(
        human.stdout.contains("== ./secrets") && human.stdout.contains("== ./second"),
        "{human}"
    );
}

#[test]
fn a_named_base_is_what_is_read() {
    let (context, dir) = plain(&[("a.yaml", &pair())]);
    context.git(&dir, &["checkout", "-q", "-b", "other"]);
    save(&dir.join("a.yaml"), "gone: true\n");
    context.git(&dir, &["commit", "-q", "-a", "-m", "gone"]);
    context.run_in(&dir, &["find", ID]).ends(1);
    context.run_in(&dir, &["find", ID, "--base", "main"]).ends(0);
    let unknown = context.run_in(&dir, &["find", ID, "--remote", "elsewhere"]).ends(2);
    assert!(unknown.stderr.contains("elsewhere"), "{unknown}");
}

#[test]
fn a_pointer_that_holds_more_than_a_pointer_is_searched() {
    let fake = format!("version https://git-lfs.github.com/spec/v1\nid = {ID}\n");
    let (context, dir) = plain(&[("a.yaml", &pair()), ("fake.txt", &fake)]);
    let answer = context.run_in(&dir, &["find", ID, "--output", "json"]).json();
    assert!(places(&answer).iter().any(|place| place.starts_with("fake.txt")), "{answer:#}");
}
