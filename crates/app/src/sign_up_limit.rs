//! How many people may sign up from one network: each form that is whole counts, whatever comes of it, since it may tell that a
//! name is taken, and costs a call of the hook and a hash.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hookwright_model::client_address::counted_address;
use hookwright_model::guessing::Failures;
use hookwright_store::{Change, FlowChange};

use crate::opaque::sha256;
use crate::{App, Error, RequestOrigin};

/// What the limit is counted over.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// Forms that are being worked on, and not in the database yet, by network.
#[derive(Debug, Default)]
pub(crate) struct SignUps(Mutex<HashMap<[u8; 32], i64>>);

/// A form that counts; until it is dropped, beside those in the database.
pub(crate) struct SignUp {
    app: App,
    key: Option<[u8; 32]>,
}

impl App {
    /// The network of somebody whom nobody knows, where addresses are limited.
    pub(crate) fn limited_network(&self, origin: &RequestOrigin) -> Option<IpAddr> {
        origin.ip_address.filter(|_| self.settings().rate_limits).map(counted_address)
    }

    /// Begins to work on a form; `None` if there were too many from its network within the last hour. The count is kept in the
    /// database, so that it is the same on all nodes.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn begin_sign_up(&self, origin: &RequestOrigin) -> Result<Option<SignUp>, Error> {
        let most = i64::from(self.settings().sign_ups_per_hour);
        let Some(network) = self.limited_network(origin).filter(|_| most > 0) else {
            return Ok(Some(SignUp { app: self.clone(), key: None }));
        };
        let key = sha256(&[b"sign-up", network.to_string().as_bytes()]);
        let now = self.now();
        let stored = self.inner.store.sign_in_failures(&key).await?;
        let is_over = now >= stored.first.plus(WINDOW);
        let stored = if is_over { Failures { first: now, ..Failures::default() } } else { stored };
        let mut under_way = self.inner.sign_ups.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = under_way.get(&key).copied().unwrap_or_default();
        let all = Failures { count: stored.count.saturating_add(others), ..stored };
        if all.wait_within(most, WINDOW, now).is_some() {
            return Ok(None);
        }
        under_way.insert(key, others + 1);
        Ok(Some(SignUp { app: self.clone(), key: Some(key) }))
    }
}

impl SignUp {
    /// What keeps the count, to be written with what comes of the form.
    pub(crate) fn noted(&self) -> Option<Change> {
        let (key, now) = (self.key?, self.app.now());
        let (since, expires) = (now.minus(WINDOW), now.plus(WINDOW));
        Some(Change::Flow(FlowChange::NoteFailure { key, at: now, since, expires }))
    }
}

impl Drop for SignUp {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut under_way = self.app.inner.sign_ups.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&key);
            }
        }
    }
}
