//! Profile attributes and claims: an open set of members whose order is kept.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::map::Entry;
use serde_json::{Map, Value};

/// Room for the attributes of most profiles and tokens.
const USUAL_NUMBER: usize = 8;

/// An ordered set of named JSON values, such as a user profile or the claims of a token.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Map<String, Value>);

impl Attributes {
    /// No attributes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of an attribute. A JSON `null` is a value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value of an attribute if it is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Sets an attribute; a new one goes behind the others, a known one keeps its place.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The attributes in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many attributes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

impl From<Attributes> for Map<String, Value> {
    fn from(attributes: Attributes) -> Self {
        attributes.0
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    // A repeated name is refused: a rule that looks at the first value and a store that keeps the last one
    // would judge two different people.
    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Attributes, M::Error> {
        let mut attributes = Map::with_capacity(USUAL_NUMBER);
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            match attributes.entry(name) {
                Entry::Vacant(place) => _ = place.insert(value),
                Entry::Occupied(taken) => {
                    return Err(M::Error::custom(format_args!("duplicate field `{}`", taken.key())));
                }
            }
        }
        Ok(Attributes(attributes))
    }
}
