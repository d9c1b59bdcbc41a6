//! What happens outside while a story is told: time passes, somebody uses an access key, somebody
//! merges. Typed as words (`advance 8d`) or sent as a path (`POST /simulate/advance/8d`), so that a
//! story can be driven by hand. What follows from it is left to `aws` and `github`.

use std::time::Duration;

use super::http::{Answer, Request};
use super::{Merge, Sandbox, World, lock};
use crate::error::{Error, Kind, Result};
use crate::model::{AccessKeyId, UserName, format_duration, parse_duration, visible};

/// Where the words are sent.
pub(super) const PATH: &str = "/simulate/";
/// Where consumers are, unless it is said.
const REGION: &str = "eu-west-1";
const FORMS: &str = "`advance 8d`, `use old sqs`, `use new s3 eu-west-1` or `merge`";

/// Whose access keys the words `old` and `new` mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// The user.
    pub user: UserName,
    /// The access key that the story rotates.
    pub old: AccessKeyId,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Time passes.
    Advance(Duration),
    /// A consumer signs a request.
    Use {
        /// With which access key.
        whose: Whose,
        /// To which service.
        service: String,
        /// Where.
        region: String,
    },
    /// A person merges the newest pull request that is open.
    Merge,
}

/// One of the two access keys of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The one that goes.
    Old,
    /// The one that comes.
    New,
}

impl Event {
    /// Reads words such as `advance 8d`.
    ///
    /// # Errors
    /// `unknown-event`, `malformed-duration`.
    pub fn parse(words: &str) -> Result<Self> {
        let list: Vec<&str> = words.split_whitespace().collect();
        let used = |whose: &str, service: &str, region: &str| {
            let whose = match whose {
                "old" => Whose::Old,
                "new" => Whose::New,
                _ => return Err(unknown(words)),
            };
            Ok(Self::Use { whose, service: service.to_owned(), region: region.to_owned() })
        };
        match list.as_slice() {
            ["advance", length] => Ok(Self::Advance(parse_duration(length)?)),
            ["use", whose, service] => used(whose, service, REGION),
            ["use", whose, service, region] => used(whose, service, region),
            ["merge"] => Ok(Self::Merge),
            _ => Err(unknown(words)),
        }
    }
}

fn unknown(words: &str) -> Error {
    let what = format!("`{}` is nothing that can be simulated", visible(words));
    Error::new(Kind::Usage, "unknown-event", what).hint(format!("write {FORMS}"))
}

impl Sandbox {
    /// Lets it happen, and says what did.
    ///
    /// # Errors
    /// `no-such-access-key` before there is one, `not-mergeable` without an open pull request.
    pub fn simulate(&self, event: &Event) -> Result<String> {
        happen(&mut lock(&self.world), event)
    }
}

fn happen(world: &mut World, event: &Event) -> Result<String> {
    match event {
        Event::Advance(length) => {
            world.clock.advance(*length);
            let now = world.clock.now();
            Ok(format!("[simulated] {} pass, it is {now}", format_duration(*length)))
        }
        Event::Use { whose, service, region } => {
            let id = world.access_key(*whose)?;
            let now = world.clock.now();
            let taken = world.aws.use_access_key(&id, service, region, now);
            let place = format!("{} in {}", visible(service), visible(region));
            Ok(match taken {
                true => format!("[simulated] {place} is used with {id}"),
                false => format!("[simulated] {place} refuses {id}"),
            })
        }
        Event::Merge => {
            let now = world.clock.now();
            let number = world.github.newest_open(now).ok_or_else(|| {
                Error::refused("not-mergeable", "no pull request is open")
                    .hint("run `keyroll rotate` first")
            })?;
            // Squashed, because that is what drops the commit's own message and trailers.
            world.github.merge_by_hand(number, Merge::Squash, now)?;
            Ok(format!("[simulated] pull request {number} is merged"))
        }
    }
}

impl World {
    fn access_key(&self, whose: Whose) -> Result<AccessKeyId> {
        let missing = |what: &str| Error::new(Kind::NotFound, "no-such-access-key", what);
        let Some(cast) = &self.cast else {
            return Err(missing("this sandbox has no story"));
        };
        let keys = self.aws.access_keys(cast.user.as_str()).into_iter().map(|(id, _)| id);
        let mut keys = keys.filter(|id| (*id == cast.old) == (whose == Whose::Old));
        keys.next().ok_or_else(|| {
            missing(match whose {
                Whose::Old => "the old access key is deleted",
                Whose::New => "there is no new access key yet",
            })
        })
    }
}

/// Answers `POST /simulate/…` with a line of text.
pub(super) fn answer(world: &mut World, request: &Request) -> Answer {
    let words = request.path.strip_prefix(PATH).unwrap_or_default().replace('/', " ");
    let done = match request.method.as_str() {
        "POST" => Event::parse(&words).and_then(|event| happen(world, &event)),
        _ => Err(unknown(&words).hint("send it with POST")),
    };
    let (status, text) = match done {
        Ok(text) => (200, text),
        Err(error) => (400, format!("error: {error}")),
    };
    Answer {
        status,
        headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
        body: format!("{text}\n").into_bytes(),
        ..Answer::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Whose};
    use std::time::Duration;

    #[test]
    fn words_become_events() {
        let used = |whose, region: &str| Event::Use {
            whose,
            service: "sqs".to_owned(),
            region: region.to_owned(),
        };
        for (words, event) in [
            ("advance 8d", Event::Advance(Duration::from_secs(8 * 86_400))),
            (" use old sqs ", used(Whose::Old, "eu-west-1")),
            ("use new sqs us-east-1", used(Whose::New, "us-east-1")),
            ("merge", Event::Merge),
        ] {
            assert_eq!(Event::parse(words).expect(words), event);
        }
        for words in ["", "advance", "advance soon", "use both s3", "use old", "merge 1"] {
            assert!(Event::parse(words).is_err(), "{words}");
        }
    }
}
