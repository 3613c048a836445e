//! What people typed, at rest: sealed under a key that follows from the state handle, of which the database knows no more than its
//! SHA-256. A name that was really a password, a form that was refused, a profile that waits for its password: whoever reads the
//! database or a backup of it learns none of them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use hookwright_model::flow::{Flow, FlowState};

use crate::Error;
use crate::opaque::sha256;

/// The flow as it is kept.
pub(super) fn sealed(flow: Flow, state_handle: &str) -> Result<Flow, Error> {
    if !flow.state.is_personal() {
        return Ok(flow);
    }
    let failed = || Error::Internal("a flow can't be sealed".to_owned());
    let mut data = serde_json::to_vec(&flow.state.to_seal()).map_err(|_| failed())?;
    let nonce = key(state_handle)
        .and_then(|key| key.seal_in_place_append_tag(Aad::from(flow.id), &mut data).ok())
        .ok_or_else(failed)?;
    let mut text = nonce.as_ref().to_vec();
    text.append(&mut data);
    let state = flow.state.clone().kept_as(BASE64.encode(text));
    Ok(Flow { state, ..flow })
}

/// The flow as it was; `None` if it was not sealed with this state handle. What a release before kept in the clear is read too.
pub(super) fn opened(flow: Flow, state_handle: &str) -> Option<Flow> {
    let Some(text) = &flow.state.sealed else { return Some(flow) };
    let text = BASE64.decode(text).ok()?;
    let (nonce, sealed) = text.split_first_chunk::<NONCE_LEN>()?;
    let mut data = sealed.to_vec();
    let key = key(state_handle)?;
    let plain = key.open_in_place(Nonce::from(nonce), Aad::from(flow.id), &mut data).ok()?;
    let unsealed: FlowState = serde_json::from_slice(plain).ok()?;
    let state = flow.state.clone().opened(unsealed);
    Some(Flow { state, ..flow })
}

fn key(state_handle: &str) -> Option<RandomizedNonceKey> {
    RandomizedNonceKey::new(&AES_256_GCM, &sha256(&[b"typed in a flow", state_handle.as_bytes()])).ok()
}

#[cfg(test)]
mod tests {
    use hookwright_model::Timestamp;
    use hookwright_model::flow::Stage;
    use hookwright_model::id::AppId;

    use super::*;

    #[test]
    fn what_was_typed_is_opened_by_its_state_handle_and_by_nothing_else() {
        let state = FlowState::beginning(None).at(Stage::Password { identifier: "hunter2hunter2".to_owned() });
        let flow = Flow {
            id: [1; 32],
            handle: [2; 32],
            previous: None,
            attempt: "a".to_owned(),
            application: AppId::from_text("0oa1"),
            state: state.risen("rise".to_owned()),
            created: Timestamp::from_millis(1),
            expires: Timestamp::from_millis(2),
            revision: 1,
        };
        let kept = sealed(flow.clone(), "handle").unwrap();
        let text = serde_json::to_string(&kept.state).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("password"), "{text}");
        assert_eq!(kept.state.rises, ["rise"]);
        assert!(opened(kept.clone(), "handle").unwrap() == flow);
        assert!(opened(kept.clone(), "another").is_none());
        assert!(opened(Flow { id: [3; 32], ..kept }, "handle").is_none(), "it can't be moved");
        // What is in the clear is read as it is.
        assert!(opened(flow.clone(), "handle").unwrap() == flow);
    }
}
