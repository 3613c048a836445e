//! Reading a body: its media type, its size, its time, its JSON.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use hookwright_contract::json;
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::context::RequestContext;
use crate::error::ApiError;

/// The largest body of an API call, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The largest body of a form and of an IDX call, in bytes.
pub(crate) const MAX_FORM_BYTES: usize = 16 * 1024;

/// The bytes of a JSON body; whether they are well-formed is for the operation to say.
pub(crate) struct JsonBytes(pub(crate) Bytes);

/// A body that is a JSON object.
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

/// A body that is a JSON object or nothing.
pub(crate) struct OptionalObject(pub(crate) Map<String, Value>);

impl<S: Sync> FromRequest<S> for OptionalObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, state).await?;
        if bytes.is_empty() { Ok(Self(Map::new())) } else { parse_object(&bytes).map(Self) }
    }
}

impl<S: Sync> FromRequest<S> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let patience = RequestContext::from_request_parts(&mut parts, state).await?.body_patience();
        let bytes = limited(&parts.headers, body, patience, MAX_BODY_BYTES).await?;
        if !bytes.is_empty() {
            check_content_type(&parts.headers)?;
        }
        Ok(Self(bytes))
    }
}

impl<S: Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, state).await?;
        parse_object(&bytes).map(Self)
    }
}

/// The members of a JSON object.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match borrowed_object(bytes)?.to_json() {
        Value::Object(members) => Ok(members),
        _ => Err(ApiError::internal("an object became something else")),
    }
}

/// A JSON object as it stands in the body.
pub(crate) fn borrowed_object(bytes: &[u8]) -> Result<json::Value<'_>, ApiError> {
    match json::parse(bytes) {
        Ok(value @ json::Value::Object(_)) => Ok(value),
        Ok(other) => Err(ApiError::malformed(format!("expected a JSON object, found {}", other.type_name()))),
        Err(malformed) => Err(ApiError::malformed(malformed.to_string())),
    }
}

/// Reads a body up to a limit, within a time.
pub(crate) async fn limited(
    headers: &HeaderMap,
    body: axum::body::Body,
    patience: Duration,
    limit: usize,
) -> Result<Bytes, ApiError> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(ApiError::body_too_large(limit));
    }
    timeout(patience, read(body, declared, limit)).await.map_err(|_| ApiError::body_too_slow())?
}

async fn read(mut body: axum::body::Body, declared: Option<usize>, limit: usize) -> Result<Bytes, ApiError> {
    // Copied into a buffer of its own size: a slice would keep the connection's whole read buffer alive while a hook is
    // waited for and until the record is written.
    let mut bytes = Vec::with_capacity(declared.unwrap_or_default().min(limit));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::malformed("The request body ended before it was whole"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(ApiError::body_too_large(limit));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Bytes::from(bytes))
}

/// What `Content-Type` says, without parameters; empty if it says nothing.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ApiError::wrong_media_type("Content-Encoding: the body must not be compressed"));
    }
    let media_type = media_type(headers);
    let json = media_type.eq_ignore_ascii_case("application/json") || {
        let media_type = media_type.to_ascii_lowercase();
        media_type.starts_with("application/") && media_type.ends_with("+json")
    };
    if json { Ok(()) } else { Err(ApiError::wrong_media_type("Content-Type: the body must be application/json")) }
}

/// Refuses only who says that JSON is not welcome, for every call of the API.
pub(crate) fn check_accept(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut listed = false;
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let range = range.split(';').next().unwrap_or_default().trim();
            listed |= !range.is_empty();
            let welcome =
                ["application/json", "*/*", "application/*"].iter().any(|one| one.eq_ignore_ascii_case(range));
            if welcome || range.to_ascii_lowercase().ends_with("+json") {
                return Ok(());
            }
        }
    }
    if listed { Err(ApiError::wrong_media_type("Accept: the answer is application/json")) } else { Ok(()) }
}
