//! The simulated clock: runs like a real one and can be moved ahead. Everything that the sandbox
//! dates is dated by it.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::model::Timestamp;

/// How far a signature's time may be off.
const SIGNATURE: i64 = 15 * 60;

#[derive(Debug, Clone)]
pub(super) struct Clock {
    start: Timestamp,
    began: Instant,
    ahead: Duration,
}

impl Clock {
    pub(super) fn new(start: Timestamp) -> Self {
        Self { start, began: Instant::now(), ahead: Duration::ZERO }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.real().plus(self.ahead)
    }

    fn real(&self) -> Timestamp {
        self.start.plus(self.began.elapsed())
    }

    pub(super) fn advance(&mut self, length: Duration) {
        self.ahead = self.ahead.saturating_add(length);
    }

    /// Whether a signature of this time is fresh. A client signs with its real clock until it has
    /// seen ours, then with the difference added: both are taken.
    pub(super) fn is_fresh(&self, signed: Timestamp) -> bool {
        let near = |at: Timestamp| (signed.0 - at.0).abs() <= SIGNATURE;
        near(self.now()) || near(self.real())
    }
}

/// The moment as HTTP's `Date` (RFC 9110, IMF-fixdate).
pub(super) fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = OffsetDateTime::from_unix_timestamp(at.0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let day = DAYS[usize::from(at.weekday().number_days_from_monday())];
    let month = MONTHS[usize::from(u8::from(at.month())) - 1];
    let (hour, minute, second) = at.to_hms();
    format!("{day}, {:02} {month} {:04} {hour:02}:{minute:02}:{second:02} GMT", at.day(), at.year())
}

#[cfg(test)]
mod tests {
    use super::{Clock, http_date};
    use crate::model::Timestamp;
    use std::time::Duration;

    #[test]
    fn the_date_header_is_in_its_one_form() {
        // The example of RFC 9110, section 5.6.7.
        assert_eq!(http_date(Timestamp(784_111_777)), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_signature_is_fresh_by_the_real_and_the_simulated_clock() {
        let start = Timestamp(1_700_000_000);
        let mut clock = Clock::new(start);
        clock.advance(Duration::from_secs(86_400));
        assert!(clock.is_fresh(start));
        assert!(clock.is_fresh(start.plus(Duration::from_secs(86_400))));
        assert!(!clock.is_fresh(start.plus(Duration::from_secs(43_200))));
        assert!(!clock.is_fresh(start.minus(Duration::from_secs(3_600))));
    }
}
