//! Moments and lengths of time: whole seconds, UTC, RFC 3339. There is no clock here.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{Error, Kind, Result};

/// A moment: seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads RFC 3339, such as `2026-11-28T10:00:00Z`.
    ///
    /// # Errors
    /// `malformed-time` otherwise.
    pub fn parse(text: &str) -> Result<Self> {
        OffsetDateTime::parse(text, &Rfc3339).map(|at| Self(at.unix_timestamp())).map_err(|_| {
            let shown = super::visible(text);
            Error::new(Kind::Usage, "malformed-time", format!("`{shown}` is no RFC 3339 time"))
                .hint("write it like 2026-11-28T10:00:00Z")
        })
    }

    /// The moment `length` later.
    #[must_use]
    pub fn plus(self, length: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(length.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The moment `length` earlier.
    #[must_use]
    pub fn minus(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(length.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The time from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp(self.0)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "@{}", self.0),
        }
    }
}

/// Reads a length of time: a whole number and one of `s`, `m`, `h`, `d`, such as `90d`.
///
/// # Errors
/// `malformed-duration` otherwise.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let wrong = || {
        let shown = super::visible(text);
        Error::new(Kind::Usage, "malformed-duration", format!("`{shown}` is no length of time"))
            .hint("write a whole number and s, m, h or d, such as 90d or 36h")
    };
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// Writes a length of time with its largest whole unit, such as `36h` or `7d`.
#[must_use]
pub fn format_duration(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0 => "0s".to_owned(),
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, format_duration, parse_duration};

    #[test]
    fn times_are_rfc_3339_in_utc() {
        let at = Timestamp::parse("2026-11-28T12:00:00+02:00").expect("valid");
        assert_eq!(at.to_string(), "2026-11-28T10:00:00Z");
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn durations_round_trip() {
        for text in ["0s", "90d", "36h", "15m", "61s"] {
            assert_eq!(format_duration(parse_duration(text).expect(text)), text);
        }
        for wrong in ["", "d", "7", "7w", "-1d", "1.5h", "9999999999999999999d", "７d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
