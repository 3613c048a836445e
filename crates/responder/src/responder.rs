//! The builder: which handler answers on which path, and who may call.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use axum::Router;
use hookwright_contract::request::{
    HookRequest, LegacyData, PasswordImportData, RegistrationData, RequestData, SamlData, TelephonyData, TokenData,
    UserImportData,
};
use http::HeaderName;
use tokio::net::ToSocketAddrs;

use crate::endpoint::{Endpoint, IntoAnswer, typed};
use crate::rules::Rules;
use crate::service::ResponderService;
use crate::{AccessTokens, BoundResponder, Guard, ServeError, Signatures};

/// How long a decision may take. Okta gives up after 3 seconds; before that it gets a clean 503.
const DECISION_TIME: Duration = Duration::from_millis(2_500);
/// How long a request head may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The longest that either of them can be set to.
const MAX_TIME: Duration = Duration::from_secs(3_600);

/// An external service of inline hooks. Add a handler for each path, then [`serve`](Self::serve) it,
/// [`bind`](Self::bind) it, or mount it as a [`router`](Self::into_router).
#[derive(Clone)]
pub struct Responder {
    pub(crate) endpoints: HashMap<String, Endpoint>,
    pub(crate) guard: Guard,
    pub(crate) access_tokens: Option<AccessTokens>,
    pub(crate) signatures: Option<Signatures>,
    pub(crate) decision_time: Duration,
    pub(crate) head_time: Duration,
}

impl Default for Responder {
    fn default() -> Self {
        Self {
            endpoints: HashMap::new(),
            guard: Guard::new(),
            access_tokens: None,
            signatures: None,
            decision_time: DECISION_TIME,
            head_time: HEAD_TIME,
        }
    }
}

macro_rules! handler_of {
    ($(#[$doc:meta])* $name:ident, $data:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name<H, F>(self, path: &str, handler: H) -> Self
        where
            H: Fn(HookRequest<$data>) -> F + Send + Sync + 'static,
            F: Future + Send + 'static,
            F::Output: IntoAnswer<$data>,
        {
            self.hook(path, handler)
        }
    };
}

impl Responder {
    /// A service without endpoints that lets everybody in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers requests of one hook type on a path, for example `/hook`. A path given again replaces its handler.
    ///
    /// A handler that takes longer than 2.5 seconds is dropped and answered by 503, one that panics by 500. It must
    /// not block its thread: use `tokio::task::spawn_blocking` for that.
    #[must_use]
    pub fn hook<D, H, F>(self, path: &str, handler: H) -> Self
    where
        D: RequestData + 'static,
        H: Fn(HookRequest<D>) -> F + Send + Sync + 'static,
        F: Future + Send + 'static,
        F::Output: IntoAnswer<D>,
    {
        self.endpoint(path, typed(handler))
    }

    handler_of!(
        /// Answers registration requests on a path. See [`hook`](Self::hook).
        registration,
        RegistrationData
    );
    handler_of!(
        /// Answers token requests on a path. See [`hook`](Self::hook).
        token,
        TokenData
    );
    handler_of!(
        /// Answers SAML assertion requests on a path. See [`hook`](Self::hook).
        saml,
        SamlData
    );
    handler_of!(
        /// Answers password import requests on a path. See [`hook`](Self::hook).
        password_import,
        PasswordImportData
    );
    handler_of!(
        /// Answers user import requests on a path. See [`hook`](Self::hook).
        user_import,
        UserImportData
    );
    handler_of!(
        /// Answers telephony requests on a path. See [`hook`](Self::hook).
        telephony,
        TelephonyData
    );
    handler_of!(
        /// Answers requests of the 2018 type `com.okta.tokens.transform` on a path. See [`hook`](Self::hook).
        legacy_tokens,
        LegacyData
    );

    /// Answers on the paths of these rules. A path that has a handler already goes over to the rules.
    #[must_use]
    pub fn rules(self, rules: Rules) -> Self {
        rules.into_endpoints().fold(self, |responder, (path, endpoint)| responder.endpoint(&path, endpoint))
    }

    /// Asks for Basic authentication. Called again, either user may call.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.guard = self.guard.basic(user, password);
        self
    }

    /// Asks for a header with exactly this value. Called again, or beside Basic authentication, one of them is enough.
    #[must_use]
    pub fn header_auth(mut self, name: HeaderName, value: &str) -> Self {
        self.guard = self.guard.header(name, value);
        self
    }

    /// Asks for an access token, besides the other credentials if there are any.
    #[must_use]
    pub fn access_tokens(mut self, tokens: AccessTokens) -> Self {
        self.access_tokens = Some(tokens);
        self
    }

    /// Asks for a signature on each call, besides the other credentials if there are any.
    #[must_use]
    pub fn signed(mut self, signatures: Signatures) -> Self {
        self.signatures = Some(signatures);
        self
    }

    /// How long a handler may take before the caller gets 503. The default is 2.5 seconds, the most an
    /// hour; Okta waits for 3 seconds.
    #[must_use]
    pub fn decision_time(mut self, limit: Duration) -> Self {
        self.decision_time = limit.min(MAX_TIME);
        self
    }

    /// How long a request head may take to arrive, and so how long a connection may idle between two requests. The
    /// default is 10 seconds, the most an hour. Callers should let go of idle connections earlier than that.
    #[must_use]
    pub fn head_time(mut self, limit: Duration) -> Self {
        self.head_time = limit.min(MAX_TIME);
        self
    }

    /// The service as a tower service over any HTTP body.
    pub fn into_service(self) -> ResponderService {
        ResponderService::new(self)
    }

    /// The service as an axum router, to be merged into or nested under another one. It answers every path that is
    /// not routed elsewhere.
    pub fn into_router(self) -> Router {
        Router::new().fallback_service(self.into_service())
    }

    /// Opens the port. Port 0 takes a free one; [`BoundResponder::local_addr`] tells which.
    ///
    /// # Errors
    /// [`ServeError`] if the address cannot be bound.
    pub async fn bind(self, address: impl ToSocketAddrs) -> Result<BoundResponder, ServeError> {
        BoundResponder::bind(self, address).await
    }

    /// Serves until the process is told to stop (Ctrl-C or SIGTERM), then lets running requests end.
    ///
    /// # Errors
    /// [`ServeError`] if the address cannot be bound.
    pub async fn serve(self, address: impl ToSocketAddrs) -> Result<(), ServeError> {
        self.bind(address).await?.serve().await
    }

    pub(crate) fn endpoint(mut self, path: &str, endpoint: Endpoint) -> Self {
        self.endpoints.insert(path.to_owned(), endpoint);
        self
    }
}
