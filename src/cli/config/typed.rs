//! Reads the values of `keyroll.yaml` that have a type of their own, so that an error of theirs
//! carries the line on which the value stands. What the settings mean is left to the parent.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::paths::Pattern;
use crate::error::Result;
use crate::model::{AccountId, KeyIdPattern, UserName, parse_duration};

/// A value that is written as one word.
pub(super) trait Word: Sized {
    /// What is expected, after "expected".
    const WHAT: &'static str;
    /// Reads the word.
    fn read(text: &str) -> Result<Self>;
}

macro_rules! word {
    ($name:ty, $what:literal, $read:expr) => {
        impl Word for $name {
            const WHAT: &'static str = $what;
            fn read(text: &str) -> Result<Self> {
                $read(text)
            }
        }
    };
}

word!(Duration, "a length of time such as 90d", parse_duration);
word!(AccountId, "an account of 12 digits", AccountId::new);
word!(UserName, "an IAM user name", UserName::new);
word!(KeyIdPattern, "a regular expression", KeyIdPattern::new);
word!(Pattern, "a glob", Pattern::new);

/// A word on its way through serde.
pub(super) struct Typed<T>(pub(super) T);

impl<'de, T: Word> Deserialize<'de> for Typed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<T: Word> Visitor<'_> for Reader<T> {
            type Value = Typed<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::WHAT)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                // Raised here and not by the caller: the reader notes the line of this scalar.
                T::read(text).map(Typed).map_err(|error| E::custom(error.message()))
            }
        }
        deserializer.deserialize_str(Reader(PhantomData))
    }
}

pub(super) fn optional<'de, D: Deserializer<'de>, T: Word>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Typed<T>>::deserialize(deserializer)?.map(|typed| typed.0))
}

pub(super) fn several<'de, D: Deserializer<'de>, T: Word>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let typed = Vec::<Typed<T>>::deserialize(deserializer)?;
    Ok(typed.into_iter().map(|typed| typed.0).collect())
}

/// A mapping with names that the user chose, in the order of the file; serde's own maps would
/// let the last of two equal names win in silence.
#[derive(Debug, Clone)]
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of names")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<(String, T)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if entries.iter().any(|(earlier, _)| *earlier == name) {
                        return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}
