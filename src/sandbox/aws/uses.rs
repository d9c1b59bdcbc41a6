//! What IAM remembers of an access key's use, and when it says so.

use std::time::Duration;

use crate::model::Timestamp;

/// Only the first use in such a span is recorded.
const SPAN: Duration = Duration::from_secs(15 * 60);

/// One signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) at: Timestamp,
    pub(super) service: String,
    pub(super) region: String,
}

/// All uses of one access key.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses(Vec<Use>);

impl Uses {
    pub(super) fn note(&mut self, used: Use) {
        let place = self.0.partition_point(|known| known.at <= used.at);
        self.0.insert(place, used);
    }

    /// The last use that is recorded by what had happened until `until`.
    pub(super) fn recorded(&self, until: Timestamp) -> Option<&Use> {
        let mut last: Option<&Use> = None;
        for used in self.0.iter().take_while(|used| used.at <= until) {
            if last.is_none_or(|last| used.at.since(last.at) >= SPAN) {
                last = Some(used);
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::{Use, Uses};
    use crate::model::Timestamp;

    fn uses(times: &[(i64, &str)]) -> Uses {
        let mut uses = Uses::default();
        for (at, service) in times {
            uses.note(Use {
                at: Timestamp(*at),
                service: (*service).to_owned(),
                region: "N/A".to_owned(),
            });
        }
        uses
    }

    fn recorded(times: &[(i64, &str)], until: i64) -> Option<(i64, String)> {
        uses(times).recorded(Timestamp(until)).map(|used| (used.at.0, used.service.clone()))
    }

    #[test]
    fn the_first_use_of_fifteen_minutes_hides_the_others() {
        let probe_then_real = [(1000, "sts"), (1899, "s3")];
        assert_eq!(recorded(&probe_then_real, 9999), Some((1000, "sts".to_owned())));
        let later = [(1000, "sts"), (1900, "s3")];
        assert_eq!(recorded(&later, 9999), Some((1900, "s3".to_owned())));
    }

    #[test]
    fn what_is_not_yet_visible_is_not_recorded() {
        let times = [(1000, "sts"), (5000, "s3")];
        assert_eq!(recorded(&times, 999), None);
        assert_eq!(recorded(&times, 4999), Some((1000, "sts".to_owned())));
    }

    #[test]
    fn uses_may_be_told_in_any_order() {
        let times = [(5000, "s3"), (1000, "sts")];
        assert_eq!(recorded(&times, 9999), Some((5000, "s3".to_owned())));
    }
}
