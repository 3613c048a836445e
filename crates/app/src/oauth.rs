//! The authorization server `default`: clients that sign people in and get tokens for them.
//!
//! Of a code or token only its SHA-256 is kept. A code is good once; one that comes again ends what it led to.

mod exchange;
mod jwt;
mod tokens;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hookwright_model::application::{Application, ClientAuthMethod, OAuthClient};
use hookwright_model::flow::Visitor;
use hookwright_model::oauth::{
    AuthorizeRefusal, AuthorizeRequest, OAuthError, Parameters, Prompt, ResponseTarget, Scopes, read_authorize,
    read_interact,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::flow::{FlowStart, StartedFlow};
use crate::guessing::visitor_device;
use crate::opaque::sha256;
use crate::sessions::SignedIn;
use crate::{App, Error, RequestOrigin};

pub use tokens::LogoutRequest;

/// What the `Authorization` header of a client says: its id and its secret.
pub struct BasicCredentials {
    /// The client.
    pub client_id: String,
    /// Its secret; `None` of a client that names itself only.
    pub secret: Option<SecretString>,
}

/// What a client forwards of its visitor. It counts only if the client proves itself.
#[derive(Debug, Default)]
pub struct Forwarded {
    /// Where the visitor is.
    pub address: Option<IpAddr>,
    /// What the client calls the visitor's device.
    pub device: Option<SecretString>,
}

/// Why a client gets no answer.
#[derive(Debug)]
pub enum OAuthFailure {
    /// It is told so.
    Refused(OAuthError),
    /// Something else is wrong.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for OAuthFailure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A refusal on its way out.
pub(crate) fn refused(error: OAuthError) -> OAuthFailure {
    OAuthFailure::Refused(error)
}

/// What `authorize` leads to.
#[derive(Debug)]
pub enum Authorized {
    /// To the sign-in page, with this flow.
    SignIn(StartedFlow),
    /// Back to the client.
    Back(String),
    /// To a page that says so: nothing can be sent to the client.
    Refused(OAuthError),
}

/// A client that proved who it is.
pub(crate) struct KnownClient {
    pub(crate) application: Arc<Application>,
    pub(crate) client: OAuthClient,
}

impl App {
    /// The authorization server's name, in its tokens and its discovery document.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/oauth2/default", self.settings().public_url)
    }

    /// What clients need to know of the authorization server (OpenID Connect Discovery, RFC 8414).
    #[must_use]
    pub fn authorization_server_metadata(&self) -> Value {
        let issuer = self.issuer();
        let at = |path: &str| format!("{issuer}/v1/{path}");
        json!({
            "issuer": issuer,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "userinfo_endpoint": at("userinfo"),
            "jwks_uri": at("keys"),
            "introspection_endpoint": at("introspect"),
            "revocation_endpoint": at("revoke"),
            "end_session_endpoint": at("logout"),
            "interaction_endpoint": at("interact"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment"],
            "grant_types_supported": ["authorization_code", "interaction_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": Scopes::ALL,
            "claims_supported": [
                "ver", "jti", "iss", "aud", "iat", "exp", "cid", "uid", "scp", "sub", "auth_time", "amr", "nonce", "at_hash",
                "name", "given_name", "middle_name", "family_name", "nickname", "preferred_username", "profile", "zoneinfo",
                "locale", "updated_at", "email", "email_verified", "phone_number", "address",
            ],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "introspection_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
        })
    }

    /// Begins a sign-in that the client leads the person through by itself; gives the interaction handle.
    ///
    /// # Errors
    /// [`OAuthFailure::Refused`] if the client may not ask for that.
    pub async fn interact(
        &self,
        parameters: &Parameters,
        basic: Option<&BasicCredentials>,
        forwarded: &Forwarded,
        origin: &RequestOrigin,
    ) -> Result<SecretString, OAuthFailure> {
        let (known, is_proved) = self.interacting_client(parameters, basic).await?;
        let binding = read_interact(parameters, &known.client).map_err(refused)?;
        let application = known.application.id.clone();
        let visitor = if is_proved {
            let device_sha256 = forwarded.device.as_ref().map(|name| visitor_device(&application, name));
            Visitor { address: forwarded.address, device_sha256 }
        } else {
            Visitor::default()
        };
        let start = FlowStart {
            application: Some(application),
            client: Some(binding),
            visitor,
            signed_in: None,
            is_vouched_for: is_proved,
        };
        Ok(self.start_flow(start, origin).await?.interaction_handle)
    }

    /// Sends a browser to the sign-in page, or straight back to the client if somebody is signed in.
    ///
    /// # Errors
    /// The store's.
    pub async fn authorize(
        &self,
        parameters: &Parameters,
        session: Option<SignedIn>,
        origin: &RequestOrigin,
    ) -> Result<Authorized, Error> {
        let Some(known) = self.client_named(parameters.get("client_id").unwrap_or_default()).await? else {
            return Ok(Authorized::Refused(OAuthError::invalid_client()));
        };
        let request = match read_authorize(parameters, &known.client) {
            Ok(request) => request,
            Err(AuthorizeRefusal::Here(error)) => return Ok(Authorized::Refused(error)),
            Err(AuthorizeRefusal::AtClient(target, error)) => return Ok(back(target.with_error(&error))),
        };
        let target = ResponseTarget::of(&request.binding);
        let signed_in = session.filter(|session| self.satisfies(session, &request));
        let may_not_ask = request.prompt == Prompt::Never;
        if signed_in.is_none() && may_not_ask {
            let error = OAuthError::new("login_required", "Nobody is signed in.");
            return Ok(back(target.with_error(&error)));
        }
        let resumes = signed_in.is_some();
        let start = FlowStart {
            application: Some(known.application.id.clone()),
            client: Some(request.binding),
            signed_in,
            ..FlowStart::default()
        };
        let started = self.start_flow(start, origin).await?;
        if !resumes {
            return Ok(Authorized::SignIn(started));
        }
        let handle = started.state_handle.expose_secret();
        if let Some(code) = self.flow(handle).await?.and_then(|view| view.code) {
            return Ok(back(target.with_code(code.expose_secret())));
        }
        if may_not_ask {
            self.end_flow(handle).await?;
            let error = OAuthError::new("interaction_required", "The person has to fill in something.");
            return Ok(back(target.with_error(&error)));
        }
        Ok(Authorized::SignIn(started))
    }

    /// Whether a session is good enough for a request.
    fn satisfies(&self, session: &SignedIn, request: &AuthorizeRequest) -> bool {
        let age = self.now().since(session.session.created);
        request.prompt != Prompt::Login && request.max_age.is_none_or(|most| age <= Duration::from_secs(most))
    }

    /// The client of a request, proved as its app wants it: by nothing, or by its secret in the header or in the body.
    pub(crate) async fn authenticated_client(
        &self,
        parameters: &Parameters,
        basic: Option<&BasicCredentials>,
    ) -> Result<KnownClient, OAuthFailure> {
        let (known, secret) = self.claimed_client(parameters, basic).await?;
        let is_right = match known.client.token_endpoint_auth_method {
            ClientAuthMethod::None => secret.is_none(),
            _ => secret.is_some_and(|secret| has_secret(&known.client, secret)),
        };
        if is_right { Ok(known) } else { Err(refused(OAuthError::invalid_client())) }
    }

    /// The client that begins an interaction, and whether it proved itself. It need not: PKCE binds the code, and the secret is
    /// asked for at `token`. A secret that is sent must be right, but for a client that has none.
    async fn interacting_client(
        &self,
        parameters: &Parameters,
        basic: Option<&BasicCredentials>,
    ) -> Result<(KnownClient, bool), OAuthFailure> {
        let (known, secret) = self.claimed_client(parameters, basic).await?;
        match secret.filter(|_| known.client.token_endpoint_auth_method != ClientAuthMethod::None) {
            Some(secret) if has_secret(&known.client, secret) => Ok((known, true)),
            Some(_) => Err(refused(OAuthError::invalid_client())),
            None => Ok((known, false)),
        }
    }

    /// The client that a request names, with the secret that it was sent with.
    async fn claimed_client<'r>(
        &self,
        parameters: &'r Parameters,
        basic: Option<&'r BasicCredentials>,
    ) -> Result<(KnownClient, Option<&'r str>), OAuthFailure> {
        let nobody = || refused(OAuthError::invalid_client());
        parameters.once(&["client_id", "client_secret"]).map_err(refused)?;
        let (named, in_body) = (parameters.get("client_id"), parameters.get("client_secret"));
        let client_id = match (basic, named) {
            (Some(basic), None) => basic.client_id.as_str(),
            (Some(basic), Some(named)) if basic.client_id == named => named,
            (None, Some(named)) => named,
            _ => return Err(nobody()),
        };
        let known = self.client_named(client_id).await?.ok_or_else(nobody)?;
        let given = match (basic, in_body) {
            (Some(_), Some(_)) => return Err(nobody()),
            (Some(basic), None) => basic.secret.as_ref().map(|secret| secret.expose_secret()),
            (None, secret) => secret,
        };
        Ok((known, given))
    }

    async fn client_named(&self, client_id: &str) -> Result<Option<KnownClient>, Error> {
        if client_id.is_empty() {
            return Ok(None);
        }
        let application = self.cached_client(client_id).await?.filter(|application| application.status.is_active());
        Ok(application.and_then(|application| {
            let client = application.oauth.clone()?;
            Some(KnownClient { application, client })
        }))
    }
}

/// Whether this is the client's secret.
fn has_secret(client: &OAuthClient, given: &str) -> bool {
    let digest = |text: &str| sha256(&[text.as_bytes()]);
    client.client_secret.as_ref().is_some_and(|secret| digest(secret.expose_secret()).ct_eq(&digest(given)).into())
}

/// Back to the client; a redirect URI that is no URL was never registered.
fn back(location: Option<String>) -> Authorized {
    match location {
        Some(location) => Authorized::Back(location),
        None => Authorized::Refused(OAuthError::invalid_request("The redirect URI is no URL.")),
    }
}
