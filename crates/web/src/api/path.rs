//! Ids in paths. Any text is an id to look up; only text that can't be decoded is refused here.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use hookwright_model::id::Id;

use crate::error::ApiError;

/// The `{id}` of a path.
pub(crate) struct PathId<K>(pub(crate) Id<K>);

impl<S: Send + Sync, K> FromRequestParts<S> for PathId<K> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| ApiError::unknown_path())?;
        Ok(Self(Id::from_text(text)))
    }
}

/// The one variable part of a path, such as a login.
pub(crate) struct PathText(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| ApiError::unknown_path())?;
        Ok(Self(text))
    }
}

/// The two variable parts of a path.
pub(crate) struct PathTexts(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((first, second)) =
            Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| ApiError::unknown_path())?;
        Ok(Self(first, second))
    }
}
