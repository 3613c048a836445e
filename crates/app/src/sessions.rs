//! Sessions: begin, find, end. A browser has the token; here is only its SHA-256.

use std::time::Duration;

use hookwright_model::execution::Actor;
use hookwright_model::flow::Step;
use hookwright_model::session::{Session, WHOLE_LIFETIME};
use hookwright_model::user::{User, UserStatus};
use hookwright_store::{Change, CommitError, Conflict, FlowChange};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::events::{self, user_actor, user_target};
use crate::opaque::{derived, mint, sha256};
use crate::{App, Error, FlowView, RequestOrigin};

/// Uses closer together than this are noted once.
const NOTING_INTERVAL: Duration = Duration::from_secs(60);

/// How long after its end a flow can be turned into a session.
const HANDOVER: Duration = Duration::from_secs(60);

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

fn session_id(token: &str) -> [u8; 32] {
    sha256(&[b"session", token.as_bytes()])
}

impl App {
    /// Begins the session at the end of a flow: for who just proved who they are, and for a flow that ended just now.
    ///
    /// The token follows from the flow, so that a last form that was sent twice leads to one session; no two flows have the
    /// same.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin_session(
        &self,
        state_handle: &SecretString,
        view: &FlowView,
    ) -> Result<Option<NewSession>, Error> {
        let (Step::Done { user, .. }, Some(authenticated), Some(ended)) = (&view.step, view.authenticated, view.ended)
        else {
            return Ok(None);
        };
        let now = self.now();
        if now.since(ended) > HANDOVER {
            return Ok(None);
        }
        let token = derived("session", &[state_handle.expose_secret(), &view.attempt]);
        let session = Session {
            id: session_id(token.expose_secret()),
            user: user.clone(),
            created: authenticated,
            last_used: now.max(authenticated),
        };
        match self.inner.store.commit(vec![Change::Flow(FlowChange::InsertSession(session))]).await {
            Ok(()) | Err(CommitError::Conflict(Conflict::AlreadyThere)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Some(NewSession { token, lifetime: WHOLE_LIFETIME }))
    }

    /// What a form carries to show that it came from a page of ours: it follows from a secret that only the browser has.
    #[must_use]
    pub fn form_token(secret: &str) -> String {
        derived("form token", &[secret]).expose_secret().to_owned()
    }

    /// Whether a form carried the token that belongs to the browser's secret.
    #[must_use]
    pub fn is_form_token(secret: &str, token: &str) -> bool {
        Self::form_token(secret).as_bytes().ct_eq(token.as_bytes()).into()
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
            return Ok(None);
        }
        let Some(user) = self.inner.store.user(session.user.as_str()).await? else { return Ok(None) };
        // A password that was set after the session began ends it, whoever set it.
        let outlived = user.password_changed.is_some_and(|changed| changed > session.created);
        if user.status != UserStatus::Active || outlived {
            return Ok(None);
        }
        if now.since(session.last_used) >= NOTING_INTERVAL {
            let (store, id) = (self.inner.store.clone(), session.id);
            self.inner.calls.spawn(async move {
                let touch = FlowChange::TouchSession { id, at: now };
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
