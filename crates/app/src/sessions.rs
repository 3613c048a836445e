//! Sessions: begin, find, end. A browser has the token; here is only its SHA-256.

use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::execution::Actor;
use hookwright_model::id::UserId;
use hookwright_model::session::{Session, WHOLE_LIFETIME};
use hookwright_model::user::User;
use hookwright_store::{Change, FlowChange};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::events::{self, user_actor, user_target};
use crate::opaque::{derived, mint, sha256};
use crate::{App, Error, RequestOrigin};

/// Uses closer together than this are noted once.
const NOTING_INTERVAL: Duration = Duration::from_secs(60);

/// A session that just began; the only time that its token is known.
#[derive(Debug)]
pub struct NewSession {
    /// What the browser keeps.
    pub token: SecretString,
    /// How long the browser may keep it.
    pub lifetime: Duration,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The user, as stored now.
    pub user: User,
}

/// How much of a form's token is the secret of the page.
const PAGE_SECRET_LETTERS: usize = 43;

fn form_token(secret: &str, page: &str) -> String {
    format!("{page}{}", derived("form token", &[secret, page]).expose_secret())
}

fn session_id(token: &str) -> [u8; 32] {
    sha256(&[b"session", token.as_bytes()])
}

impl App {
    /// A session for who just proved who they are, and the change that begins it. It belongs into the commit that ends their flow:
    /// then the token is the one request's that ended it, and nobody else's.
    pub(crate) fn new_session(&self, user: &UserId, authenticated: Timestamp) -> (NewSession, Change) {
        let token = mint(self.entropy());
        let session = Session {
            id: session_id(token.expose_secret()),
            user: user.clone(),
            created: authenticated,
            last_used: self.now().max(authenticated),
        };
        let change = Change::Flow(FlowChange::InsertSession(session));
        (NewSession { token, lifetime: WHOLE_LIFETIME }, change)
    }

    /// What a form carries to show that it came from a page of ours: it follows from a secret that only the browser has, and from
    /// one that only this page has. Two pages never have the same, and one page sends the same however often it is sent.
    #[must_use]
    pub fn mint_form_token(&self, secret: &str) -> String {
        form_token(secret, mint(self.entropy()).expose_secret())
    }

    /// Whether a form carried a token that belongs to the browser's secret.
    #[must_use]
    pub fn is_form_token(secret: &str, token: &str) -> bool {
        let Some((page, _)) = token.split_at_checked(PAGE_SECRET_LETTERS) else { return false };
        form_token(secret, page).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// A fresh secret for a browser to keep.
    #[must_use]
    pub fn mint_secret(&self) -> SecretString {
        mint(self.entropy())
    }

    /// Who is signed in with this token; nobody if the session has ended or the user may not sign in any longer.
    ///
    /// # Errors
    /// The store's.
    pub async fn signed_in(&self, token: &str) -> Result<Option<SignedIn>, Error> {
        let now = self.now();
        let Some(session) = self.inner.store.session(&session_id(token)).await? else { return Ok(None) };
        if !session.is_alive_at(now) {
            self.drop_what_is_over().await?;
            return Ok(None);
        }
        let Some(user) = self.inner.store.user(session.user.as_str()).await? else { return Ok(None) };
        // A password that was set after the session began ends it, whoever set it.
        let outlived = user.password_changed.is_some_and(|changed| changed > session.created);
        if !user.status.may_be_signed_in() || outlived {
            return Ok(None);
        }
        if now.since(session.last_used) >= NOTING_INTERVAL {
            let used = Session { last_used: now, ..session.clone() };
            let (store, id, expires) = (self.inner.store.clone(), session.id, used.expires());
            self.inner.calls.spawn(async move {
                let touch = FlowChange::TouchSession { id, at: now, expires };
                if let Err(error) = store.commit(vec![Change::Flow(touch)]).await {
                    tracing::warn!(%error, "the use of a session could not be noted");
                }
            });
        }
        Ok(Some(SignedIn { session, user }))
    }

    /// Ends the session with this token; says nothing if there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_session(&self, token: &str, origin: &RequestOrigin) -> Result<(), Error> {
        let id = session_id(token);
        let Some(session) = self.inner.store.session(&id).await? else { return Ok(()) };
        let mut changes = vec![Change::Flow(FlowChange::DeleteSession(id))];
        if let Some(user) = self.inner.store.user(session.user.as_str()).await? {
            let actor: Actor = user_actor(&user);
            let event = self.flow_event(events::SESSION_ENDED, actor, origin, vec![user_target(&user)]);
            changes.push(Change::AppendEvents(vec![event]));
        }
        Ok(self.inner.store.commit(changes).await?)
    }
}
