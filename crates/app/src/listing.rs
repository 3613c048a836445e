//! Lists a page at a time.

use hookwright_model::Violations;
use hookwright_model::id::Id;
use serde_json::Value;

use crate::Error;

/// One page of a list as the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// What is on it.
    pub items: Vec<Value>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Which page of a list is wanted, as the query says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// The cursor that an earlier page gave.
    pub after: Option<String>,
    /// How many at most.
    pub limit: Option<String>,
}

impl PageQuery {
    /// How many there may be on the page: what the query says, but no more than `most`.
    pub(crate) fn limit(&self, default: usize, most: usize) -> Result<usize, Error> {
        let Some(text) = &self.limit else { return Ok(default) };
        match text.parse() {
            Ok(limit @ 1..) => Ok(most.min(limit)),
            _ => Err(Error::InvalidQuery(Violations::one(
                "limit",
                format!("The limit must be a number from 1 to {most}"),
            ))),
        }
    }

    /// The id behind which the page begins; empty for the first page.
    pub(crate) fn after<K>(&self) -> Result<&str, Error> {
        match self.after.as_deref() {
            None => Ok(""),
            Some(after) if Id::<K>::from_text(after).is_plausible() => Ok(after),
            Some(_) => Err(Error::BadCursor),
        }
    }
}

/// Cuts what was read, one more than wanted, to a page.
pub(crate) fn page<T>(mut items: Vec<T>, limit: usize, id: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(id);
    (items, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_and_at_most_the_greatest() {
        let limit = |text: Option<&str>| {
            let query = PageQuery { limit: text.map(str::to_owned), after: None };
            query.limit(20, 200).ok()
        };
        assert_eq!(limit(None), Some(20));
        assert_eq!(limit(Some("7")), Some(7));
        assert_eq!(limit(Some("1000")), Some(200));
        for bad in ["0", "-1", "x", "1.5"] {
            assert_eq!(limit(Some(bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_page_has_a_next_one_if_there_is_more() {
        let id = |number: &u32| number.to_string();
        assert_eq!(page(vec![1, 2, 3], 2, id), (vec![1, 2], Some("2".to_owned())));
        assert_eq!(page(vec![1, 2], 2, id), (vec![1, 2], None));
        assert_eq!(page(Vec::new(), 2, id), (Vec::new(), None));
    }
}
