//! `filter` and `search`: SCIM expressions over what the API shows, with a list of what they may look at.

use std::time::Duration;

use hookwright_model::scim_filter::{AttributePath, Filter};
use hookwright_model::text::cut;
use serde_json::Value;
use tokio::time::Instant;

use crate::Error;
use crate::listing::Listing;

/// How many things are read at once while looking for those that match.
const STEP: usize = 500;

/// How long one answer may look. What was found by then is a page, and the next one goes on from there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads expressions that must all hold.
///
/// # Errors
/// [`Error::InvalidSearch`] for a faulty expression and an attribute that may not be looked at.
pub(crate) fn read_criteria<const N: usize>(
    texts: [&Option<String>; N],
    may_look_at: impl Fn(&str) -> bool,
) -> Result<Vec<Filter>, Error> {
    let mut criteria = Vec::new();
    for text in texts.into_iter().flatten() {
        let mut filter = Filter::parse(text).map_err(|fault| Error::InvalidSearch(cut(&fault.to_string(), 300)))?;
        filter.try_for_each_term(|term| {
            let name = term.attribute().to_string();
            match name.as_str() {
                // The bare names of RFC 7643 are understood too.
                "userName" => term.set_attribute(AttributePath::new("profile", ["login".to_owned()])),
                name if may_look_at(name) => {}
                name => return Err(Error::InvalidSearch(format!("Invalid property name {:?}", cut(name, 100)))),
            }
            Ok(())
        })?;
        criteria.push(filter);
    }
    Ok(criteria)
}

/// Looking through a list, step by step, for what matches.
pub(crate) struct Scan {
    limit: usize,
    criteria: Vec<Filter>,
    after: String,
    began: Instant,
    ended: bool,
    listing: Listing,
}

impl Scan {
    /// A scan for so many things at most, among those behind an id.
    pub(crate) fn new(criteria: Vec<Filter>, after: &str, limit: usize) -> Self {
        let listing = Listing { items: Vec::new(), next: None };
        Self { limit, criteria, after: after.to_owned(), began: Instant::now(), ended: false, listing }
    }

    /// What to look at next: so many things behind this id; `None` if there was enough.
    pub(crate) fn wanted(&self) -> Option<(String, usize)> {
        (!self.ended).then(|| (self.after.clone(), self.step()))
    }

    fn step(&self) -> usize {
        if self.criteria.is_empty() { self.limit + 1 } else { STEP.max(self.limit + 1) }
    }

    /// Looks at the things that were wanted, each with its id and as the API shows it.
    pub(crate) fn look_at(&mut self, things: impl ExactSizeIterator<Item = (String, Value)>) {
        let is_last = things.len() < self.step();
        for (id, shown) in things {
            if self.criteria.iter().all(|filter| filter.matches(&shown)) {
                if self.listing.items.len() == self.limit {
                    self.listing.next = Some(self.after.clone());
                    self.ended = true;
                    return;
                }
                self.listing.items.push(shown);
            }
            self.after = id;
        }
        if is_last {
            self.ended = true;
        } else if self.began.elapsed() > PATIENCE {
            self.listing.next = Some(self.after.clone());
            self.ended = true;
        }
    }

    /// What was found.
    pub(crate) fn listing(self) -> Listing {
        self.listing
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(criteria: &str, limit: usize, after: &str) -> (Vec<u64>, Option<String>) {
        let criteria = read_criteria([&Some(criteria.to_owned())], |name| name == "number").unwrap();
        let mut scan = Scan::new(criteria, after, limit);
        while let Some((after, step)) = scan.wanted() {
            let first = after.parse::<u64>().map_or(0, |after| after + 1);
            let things: Vec<u64> = (first..1_200).take(step).collect();
            scan.look_at(things.iter().map(|number| (format!("{number:04}"), json!({"number": number}))));
        }
        let listing = scan.listing();
        (listing.items.iter().map(|item| item["number"].as_u64().unwrap()).collect(), listing.next)
    }

    #[test]
    fn what_matches_is_found_wherever_it_is_and_pages_go_on_behind_it() {
        assert_eq!(found("number gt 1190", 4, ""), (vec![1191, 1192, 1193, 1194], Some("1194".to_owned())));
        assert_eq!(found("number gt 1190", 4, "1198"), (vec![1199], None));
        assert_eq!(found("number eq 5 or number eq 1100", 4, ""), (vec![5, 1100], None));
        assert_eq!(found("number eq 9999", 4, ""), (vec![], None));
        assert_eq!(found("number lt 2", 2, ""), (vec![0, 1], None));
    }

    #[test]
    fn only_listed_attributes_are_looked_at() {
        let read = |text: &str| read_criteria([&Some(text.to_owned())], |name| name == "status");
        assert!(read("status eq \"ACTIVE\"").is_ok());
        assert!(read("profile.password pr").is_err());
        assert!(read("status eq").is_err());
    }
}
