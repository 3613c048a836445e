//! Links that lead to a new password: opened here, made where administrators ask for them.

use hookwright_model::account_link::{AccountLink, LinkPurpose};
use hookwright_model::flow::{FLOW_LIFETIME, Flow, FlowState, Stage};
use hookwright_model::id::mint_event_id;
use hookwright_model::user::{User, UserStatus};
use hookwright_store::{Change, FlowChange};
use secrecy::{ExposeSecret, SecretString};

use super::handles::handle_hash;
use crate::opaque::{mint, sha256};
use crate::{App, Error};

/// The longest text that could be a token.
const MAX_TOKEN_BYTES: usize = 128;

/// What is kept of the token of a link.
pub(crate) fn link_hash(token: &str) -> [u8; 32] {
    sha256(&[b"account link", token.as_bytes()])
}

impl App {
    /// Opens a link: begins a flow at the new password, and gives its state handle. `None` if the link is unknown, used or too
    /// old, or the account has gone on. Opening it uses nothing up, since programs that read mails open links too; the new
    /// password does.
    ///
    /// # Errors
    /// The store's.
    pub async fn open_link(&self, token: &str) -> Result<Option<SecretString>, Error> {
        if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
            return Ok(None);
        }
        let now = self.now();
        let Some(link) = self.inner.store.account_link(&link_hash(token)).await?.filter(|link| now < link.expires)
        else {
            return Ok(None);
        };
        let user = self.inner.store.user(link.user.as_str()).await?;
        let Some(user) = user.filter(|user| leads_to(&link, user)) else { return Ok(None) };
        let handle = mint(self.entropy());
        let id = handle_hash(handle.expose_secret());
        let stage = Stage::ResetPassword { user: user.id.clone(), link_sha256: Some(link.sha256) };
        let flow = Flow {
            id,
            handle: id,
            previous: None,
            attempt: mint_event_id(self.entropy()),
            application: self.flow_application(None).await?,
            state: FlowState::beginning(None).at(stage).proven_at(now, user.proof_epoch),
            created: now,
            expires: now.plus(FLOW_LIFETIME),
            revision: 1,
        };
        self.inner.store.commit(vec![Change::Flow(FlowChange::Insert(Box::new(flow)))]).await?;
        Ok(Some(handle))
    }
}

/// Whether a link still leads to the user's new password.
fn leads_to(link: &AccountLink, user: &User) -> bool {
    let status = match link.purpose {
        LinkPurpose::Activation => user.status == UserStatus::Provisioned,
        LinkPurpose::PasswordReset => matches!(
            user.status,
            UserStatus::Active | UserStatus::Recovery | UserStatus::PasswordExpired | UserStatus::LockedOut
        ),
    };
    status && user.proof_epoch == link.proof_epoch
}
