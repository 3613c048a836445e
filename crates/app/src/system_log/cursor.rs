//! Where a page of the System Log ended, as text for clients: the `after` of its next link.
//!
//! A cursor holds all that its page was asked with in time and order, because `since` may not stand beside `after`. Nothing
//! in it opens a door, so it is not signed; what does not print back to the same text is refused.

use std::fmt;
use std::str::FromStr;

use hookwright_model::Timestamp;
use hookwright_store::{Direction, Position};

/// The end of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Of a polling request.
    Polling(Place),
    /// Of a bounded one: what is left of its window.
    Bounded(Window),
}

/// A place in the journal that a polling request goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) from: From,
    /// An entry behind `from` of whose events so many are read already.
    pub(super) begun: Option<(Position, u8)>,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// At the first entry that was published at this time or later; everything written behind it counts.
    Time(Timestamp),
    /// Behind this entry.
    Entry(Position),
}

/// What a bounded request reads: from `since` on, before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    pub(super) direction: Direction,
    /// The last event that was read, if this is not the first page.
    pub(super) after: Option<Key>,
}

/// What bounded requests are sorted by: when the event was published, then its place in the journal, then its number among
/// the events of one entry. No two events share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) published: Timestamp,
    pub(super) position: Position,
    pub(super) index: u8,
}

/// The text is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Polling(place) => {
                match place.from {
                    From::Time(since) => write!(formatter, "p.s{}", since.as_millis())?,
                    From::Entry(position) => write!(formatter, "p.{position}")?,
                }
                match place.begun {
                    Some((position, count)) => write!(formatter, ".{position}.{count}"),
                    None => Ok(()),
                }
            }
            Self::Bounded(window) => {
                let letter = if window.direction == Direction::Forward { 'a' } else { 'd' };
                write!(formatter, "{letter}.{}.{}", window.since.as_millis(), window.until.as_millis())?;
                match window.after {
                    Some(key) => write!(formatter, ".{}.{}.{}", key.published.as_millis(), key.position, key.index),
                    None => Ok(()),
                }
            }
        }
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parts: Vec<&str> = text.split('.').collect();
        let cursor = match *parts.as_slice() {
            ["p", from] => Self::Polling(Place { from: read_from(from)?, begun: None }),
            ["p", from, position, count] => {
                Self::Polling(Place { from: read_from(from)?, begun: Some((read(position)?, read(count)?)) })
            }
            [letter @ ("a" | "d"), since, until, published, position, index] => Self::Bounded(Window {
                since: read_time(since)?,
                until: read_time(until)?,
                direction: if letter == "a" { Direction::Forward } else { Direction::Backward },
                after: Some(Key { published: read_time(published)?, position: read(position)?, index: read(index)? }),
            }),
            _ => return Err(CursorError),
        };
        if cursor.to_string() == text { Ok(cursor) } else { Err(CursorError) }
    }
}

fn read_from(text: &str) -> Result<From, CursorError> {
    match text.strip_prefix('s') {
        Some(since) => read_time(since).map(From::Time),
        None => read(text).map(From::Entry),
    }
}

fn read_time(text: &str) -> Result<Timestamp, CursorError> {
    read(text).map(Timestamp::from_millis)
}

fn read<T: FromStr>(text: &str) -> Result<T, CursorError> {
    text.parse().map_err(|_| CursorError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cursor_reads_as_it_prints() {
        for text in [
            "p.s1700000000000",
            "p.s-5",
            "p.12-3",
            "p.12-3.12-4.1",
            "p.s0.1-0.1",
            "a.0.1700000000000.1699999999999.12-3.0",
            "d.-5.7.6.1-0.1",
        ] {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_no_page_gave_is_refused() {
        for text in [
            "",
            "p",
            "p.",
            "p.s",
            "p.s01",
            "p.s+1",
            "p.1",
            "p.1-",
            "p.1-0.2-0",
            "p.1-0.2-0.256",
            "p.1-0.2-0.-1",
            "a.1.2",
            "a.1.2.3.4-0.5.6",
            "x.1.2.3.4-0.5",
            " p.1-0",
            "p.1-0 ",
            "p.99999999999999999999-0",
            "349996bd-5091-45dc",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
