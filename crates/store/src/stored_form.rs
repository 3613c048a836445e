//! What columns hold in another form: JSON and hashes, written by this crate or an earlier release of it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::StoreError;

/// A value as the text of a column.
pub(crate) fn to_text<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::from_driver(sqlx::Error::Encode(error.into())))
}

/// The text of a column as a value; `what` names the row in the error.
pub(crate) fn from_text<T: DeserializeOwned>(text: &str, what: &dyn Fn() -> String) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable(format!("{}: {error}", what())))
}

/// The text of a column as an object.
pub(crate) fn object(text: &str, what: &dyn Fn() -> String) -> Result<Map<String, Value>, StoreError> {
    from_text(text, what)
}

/// What a row that says something unknown comes to.
pub(crate) fn unknown(what: &str, id: &str) -> StoreError {
    StoreError::Unreadable(format!("{what} {id}: it says something that this release does not know"))
}

/// A SHA-256 as it was stored.
pub(crate) fn hash(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Unreadable("a stored hash has another length".to_owned()))
}
