//! One attempt of a call: the credentials, then the request. The deadline is kept by the caller.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::AUTHORIZATION;

use crate::Inner;
use crate::access_token::AccessToken;
use crate::classify::{Failed, Reach};
use crate::exchange::Outgoing;
use crate::oauth::TokenSource;
use crate::outcome::{Answer, CallFailure};
use crate::prepared::PreparedHook;
use crate::progress::{Progress, Stage};
use crate::retry::SendAttempt;
use crate::signature::CallHeaders;

/// Sends the attempts of one call.
#[derive(Debug)]
pub(crate) struct Sender<'a> {
    pub(crate) engine: &'a Inner,
    pub(crate) hook: &'a PreparedHook,
    pub(crate) body: Bytes,
    /// The fields of this call.
    pub(crate) headers: CallHeaders,
}

impl SendAttempt for Sender<'_> {
    async fn send(&self, progress: &mut Progress) -> Result<Answer, Failed> {
        if let Some(refusal) = &self.hook.refusal {
            return Err(Failed::unsent(CallFailure::AddressRefused, refusal.clone()));
        }
        match &self.hook.token {
            None => self.exchange(None, progress).await,
            Some(source) => Box::pin(self.exchange_with_token(source, progress)).await,
        }
    }
}

impl Sender<'_> {
    async fn exchange(&self, token: Option<&AccessToken>, progress: &mut Progress) -> Result<Answer, Failed> {
        let hook = self.hook;
        let mut over = Cow::Borrowed(self.headers.map());
        if let Some(token) = token {
            over.to_mut().insert(AUTHORIZATION, token.header().clone());
            progress.token = Some(token.clone());
        }
        let (origin, target, headers) = (&hook.origin, &hook.target, &hook.headers);
        let outgoing = Outgoing { origin, target, headers, over: &over, body: self.body.clone() };
        outgoing.exchange(self.engine, |status| hook.hook_type.accepts_status(status), progress).await
    }

    /// A service that answers 401 may have been shown a token that was revoked before its time, so it is shown a fresh one once.
    /// That is the second and last request of the call.
    async fn exchange_with_token(&self, source: &TokenSource, progress: &mut Progress) -> Result<Answer, Failed> {
        progress.stage = Stage::Token;
        let token = source.token(self.engine).await?;
        let result = self.exchange(Some(&token), progress).await;
        if !is_refused(&result) || !std::mem::take(&mut progress.may_send_again) {
            return result;
        }
        source.forget(&token);
        *progress = Progress::default();
        progress.stage = Stage::Token;
        let token = source.token(self.engine).await?;
        let result = self.exchange(Some(&token), progress).await;
        if is_refused(&result) {
            source.forget(&token);
        }
        result.map_err(|failed| Failed { reach: Reach::Sent, ..failed })
    }
}

/// Whether the service didn't take the token.
fn is_refused(result: &Result<Answer, Failed>) -> bool {
    matches!(result, Err(failed) if failed.failure == CallFailure::WrongStatus(401))
}
