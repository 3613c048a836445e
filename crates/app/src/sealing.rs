//! The keys that seal secrets: another one, beside a running org.

use hookwright_model::{Clock, Entropy};
use hookwright_store::{Change, Keyring, Store};

use crate::Error;
use crate::events::{self, operator_event, sealing_key_target};

/// Passes over all secrets: a running org may seal something with the key it knew until it meets a value of the new one.
const MAX_PASSES: usize = 5;

/// Seals with the first key of this keyring from now on, and then every secret anew with it. The keyring holds the old keys
/// too and is saved already. `progress` is told how many secrets are done.
///
/// # Errors
/// The store's; what was sealed before stays sealed, and [`reseal`] goes on.
pub async fn rotate_sealing_key(
    store: &Store,
    keyring: Keyring,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    progress: impl Fn(u64) + Send + Copy,
) -> Result<u64, Error> {
    let id = keyring.key_ids().next().unwrap_or_default();
    store.use_keyring(keyring).await?;
    let event = operator_event(events::SEALING_KEY_ROTATED, sealing_key_target(&id), clock.now(), entropy);
    store.commit(vec![Change::AppendEvents(vec![event])]).await?;
    reseal(store, progress).await
}

/// Seals with the keyring's first key what another one has sealed; tells how much that was.
///
/// # Errors
/// The store's; what was sealed before stays sealed.
pub async fn reseal(store: &Store, progress: impl Fn(u64) + Send + Copy) -> Result<u64, Error> {
    let mut total = 0;
    for _ in 0..MAX_PASSES {
        let done = store.reseal(move |done| progress(total + done)).await?;
        total += done;
        if done == 0 {
            break;
        }
    }
    Ok(total)
}
