//! The ids that were accepted, as long as they could be sent again.

use std::collections::HashMap;

/// More ids than this are not kept: who has the secret may not take all memory either.
const MAX_IDS: usize = 100_000;

/// Accepted ids and the second until which each is young.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashMap<Box<str>, u64>,
    /// How many ids there may be before old ones are looked for.
    limit: usize,
}

impl Seen {
    /// Whether the id was not accepted before; from now on it was. Where there is no room left, nothing counts as new.
    pub(super) fn is_new(&mut self, id: &str, until: u64, now: u64) -> bool {
        if self.ids.get(id).is_some_and(|until| *until >= now) {
            return false;
        }
        if self.ids.len() >= self.limit {
            self.ids.retain(|_, until| *until >= now);
            // Looked for again when as many have come as were left, so that the search costs little for each.
            self.limit = (self.ids.len() * 2).clamp(1024, MAX_IDS);
        }
        if self.ids.len() >= MAX_IDS {
            return false;
        }
        self.ids.insert(id.into(), until);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_until_it_is_old() {
        let mut seen = Seen::default();
        assert!(seen.is_new("a", 10, 0) && seen.is_new("b", 10, 0));
        assert!(!seen.is_new("a", 10, 10));
        assert!(seen.is_new("a", 20, 11));
    }

    #[test]
    fn old_ids_make_room_and_young_ones_do_not() {
        let mut seen = Seen::default();
        for number in 0..MAX_IDS {
            assert!(seen.is_new(&number.to_string(), 10, 0));
        }
        assert!(!seen.is_new("one more", 10, 10));
        assert!(seen.is_new("one more", 20, 11));
        assert_eq!(seen.ids.len(), 1);
    }
}
