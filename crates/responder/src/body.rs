//! Reading a request body against a cap.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Body;

use crate::Problem;

/// The largest request body that is read.
const MAX_BODY: usize = 1024 * 1024;

/// Why there is no body.
pub(crate) enum BodyError {
    TooLarge,
    /// The caller went away or broke the protocol.
    Broken,
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => {
                let text = format!("The request body is larger than {MAX_BODY} bytes.");
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, text)
            }
            BodyError::Broken => Self::new(StatusCode::BAD_REQUEST, "The request body broke off."),
        }
    }
}

/// Reads the whole body. An announced length over the cap is refused before a byte is read.
pub(crate) async fn read<B: Body<Data = Bytes>>(body: B) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > MAX_BODY {
            return Err(BodyError::TooLarge);
        }
        // Nearly every request comes in one piece and need not be copied.
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
