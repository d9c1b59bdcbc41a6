//! The forge's token: served to git for the right host, and standing in no argument, no
//! environment and no file.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use keyroll::model::Secret;
use keyroll::repo::{Access, Remote, Token};

use super::kit::World;

const ID: &str = "0123456789012345678901234567890123456789";
/// `x-access-token:t0ken-canary`.
const BASIC: &str = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4tY2FuYXJ5";

/// A host that lists one reference to whoever has the token, and tells what it was shown.
fn host() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            drop(serve(stream, &sender));
        }
    });
    (authority, receiver)
}

fn serve(mut stream: TcpStream, shown: &Sender<String>) -> std::io::Result<()> {
    let mut authorization = String::new();
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if let Some(value) = line.strip_prefix("Authorization: ") {
            value.clone_into(&mut authorization);
        }
        if line.is_empty() {
            break;
        }
    }
    let fits = authorization == BASIC;
    drop(shown.send(authorization));
    let (status, body) = match fits {
        true => ("200 OK", advertisement()),
        false => ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"", String::new()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn advertisement() -> String {
    let packet = |text: &str| format!("{:04x}{text}", text.len() + 4);
    let service = packet("# service=git-upload-pack\n");
    let head = packet(&format!("{ID} HEAD\0symref=HEAD:refs/heads/main agent=test\n"));
    format!("{service}0000{head}{}0000", packet(&format!("{ID} refs/heads/main\n")))
}

/// An askpass that notes its arguments and its environment, and asks as keyroll's own does.
fn askpass(world: &World) -> PathBuf {
    let text = format!(
        "#!/usr/bin/perl\nuse IO::Socket::UNIX;\n\
         open(my $note, '>>', '{}'); print $note \"@ARGV\\n\", map {{\"$_=$ENV{{$_}}\\n\"}} keys %ENV;\n\
         my $s = IO::Socket::UNIX->new(Peer => $ENV{{KEYROLL_ASKPASS_SOCKET}}) or exit 1;\n\
         print $s $ARGV[0]; $s->flush; shutdown($s, 1); local $/; my $answer = <$s>;\n\
         exit 1 if $answer eq ''; print \"$answer\\n\";\n",
        world.root().join("note").display()
    );
    world.script("home/askpass", &text)
}

fn remote(world: &World, url: &str, host: &str) -> Remote {
    let secret = Secret::from("t0ken-canary".to_owned());
    let token = Some(Token { host: host.to_owned(), secret });
    let access = Access { askpass: askpass(world), token };
    Remote::of(&world.open("clone"), Some(url), access).unwrap()
}

#[test]
fn the_token_reaches_its_host_and_nothing_else_sees_it() {
    let world = World::new();
    let (authority, shown) = host();
    // A helper of the user must neither answer nor be told the token to keep.
    let helper = world
        .script("home/helper", "#!/bin/sh\ncat >> \"$HOME/told\"\necho \"$1\" >> \"$HOME/told\"\n");
    let value = format!("!{}", helper.display());
    world.git(&world.root(), &["config", "--global", "credential.helper", &value]);
    let remote = remote(&world, &format!("http://{authority}/o/r.git"), &authority);
    let head = remote.ls_remote().unwrap();
    assert_eq!(head.branch.as_deref(), Some("refs/heads/main"));
    assert_eq!(head.commit.as_deref(), Some(ID));
    assert_eq!(shown.try_iter().collect::<Vec<_>>(), ["", BASIC]);
    let note = std::fs::read_to_string(world.root().join("note")).unwrap();
    assert!(note.contains("Password for 'http://x-access-token@"), "{note}");
    assert!(!note.contains("canary"), "{note}");
    assert!(!world.root().join("home/told").exists());
}

#[test]
fn a_password_inside_the_address_is_served_and_never_shown() {
    let world = World::new();
    let (authority, shown) = host();
    let url = format!("http://x-access-token:t0ken-canary@{authority}/o/r.git");
    world.git(&world.clone_dir(), &["config", "remote.origin.url", &url]);
    let access = Access { askpass: askpass(&world), token: None };
    let remote = Remote::of(&world.open("clone"), None, access).unwrap();
    assert_eq!(remote.shown(), format!("http://{authority}/o/r.git"));
    assert_eq!(remote.ls_remote().unwrap().commit.as_deref(), Some(ID));
    assert_eq!(shown.try_iter().last().as_deref(), Some(BASIC));
    assert!(!std::fs::read_to_string(world.root().join("note")).unwrap().contains("canary"));
}

#[test]
fn another_host_does_not_get_the_token() {
    let world = World::new();
    let (authority, shown) = host();
    let remote = remote(&world, &format!("http://{authority}/o/r.git"), "github.com");
    let error = remote.ls_remote().expect_err("no token for this host");
    assert_eq!(error.reason(), "authentication-failed");
    assert!(shown.try_iter().all(|authorization| authorization.is_empty()));
}
