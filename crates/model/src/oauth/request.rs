//! Reading what a client asks of `authorize` and `interact`.

use url::Url;

use super::{OAuthError, Parameters, Scopes};
use crate::application::{GrantType, OAuthClient, ResponseType};
use crate::flow::{ClientBinding, ClientFace};

/// The longest `state` or `nonce`, in bytes.
const MAX_ECHO_BYTES: usize = 2_048;

/// What must not be given twice.
const ONCE: [&str; 12] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "id_token_hint",
];

/// What `authorize` is asked for, all of it checked against the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizeRequest {
    /// What is remembered until the person is signed in.
    pub binding: ClientBinding,
    /// Whether the person may be asked anything.
    pub prompt: Prompt,
    /// How many seconds ago the person may have signed in.
    pub max_age: Option<u64>,
}

/// Whether a person may, or must, be asked (OpenID Connect Core section 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// If nobody is signed in.
    IfNeeded,
    /// Not at all: it is an error if nobody is signed in.
    Never,
    /// In any case.
    Login,
}

/// How a request of `authorize` is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizeRefusal {
    /// To the person: nothing may be sent to where the request says (RFC 6749 section 4.1.2.1).
    Here(OAuthError),
    /// To the client.
    AtClient(ResponseTarget, OAuthError),
}

/// Where the answer of `authorize` goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseTarget {
    /// One of the client's redirect URIs.
    pub redirect_uri: String,
    /// `fragment`, or `query` if it is anything else or nothing.
    pub response_mode: Option<String>,
    /// Given back as it came.
    pub state: Option<String>,
}

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `authorization_code`
    Authorization,
    /// `interaction_code`
    Interaction,
}

impl Purpose {
    /// What the codes of clients with this face are for.
    #[must_use]
    pub const fn of(face: ClientFace) -> Self {
        match face {
            ClientFace::Interaction => Self::Interaction,
            ClientFace::Authorize => Self::Authorization,
        }
    }
}

impl ResponseTarget {
    /// Where the answer to this client goes to.
    #[must_use]
    pub fn of(binding: &ClientBinding) -> Self {
        Self {
            redirect_uri: binding.redirect_uri.clone(),
            response_mode: binding.response_mode.clone(),
            state: binding.state.clone(),
        }
    }

    /// The URL with a code.
    #[must_use]
    pub fn with_code(&self, code: &str) -> Option<String> {
        self.location(&[("code", code)])
    }

    /// The URL with a refusal.
    #[must_use]
    pub fn with_error(&self, error: &OAuthError) -> Option<String> {
        self.location(&[("error", error.code), ("error_description", &error.description)])
    }

    fn location(&self, pairs: &[(&str, &str)]) -> Option<String> {
        let mut url = Url::parse(&self.redirect_uri).ok()?;
        let mut answer = url::form_urlencoded::Serializer::new(String::new());
        answer.extend_pairs(pairs);
        if let Some(state) = &self.state {
            answer.append_pair("state", state);
        }
        let answer = answer.finish();
        if self.response_mode.as_deref() == Some("fragment") {
            url.set_fragment(Some(&answer));
        } else {
            let query = url.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&{answer}"));
            url.set_query(Some(query.as_deref().unwrap_or(&answer)));
        }
        Some(url.to_string())
    }
}

/// Reads a request of `authorize`.
///
/// # Errors
/// [`AuthorizeRefusal::Here`] as long as the redirect URI is not known to be the client's.
pub fn read_authorize(parameters: &Parameters, client: &OAuthClient) -> Result<AuthorizeRequest, AuthorizeRefusal> {
    parameters.once(&["client_id", "redirect_uri", "state", "response_mode"]).map_err(AuthorizeRefusal::Here)?;
    let redirect_uri = own_redirect_uri(parameters, client).map_err(AuthorizeRefusal::Here)?;
    let state = parameters.get("state").filter(|state| state.len() <= MAX_ECHO_BYTES).map(str::to_owned);
    let mode = parameters.get("response_mode");
    let known_mode = mode.filter(|mode| matches!(*mode, "query" | "fragment")).map(str::to_owned);
    let target = ResponseTarget { redirect_uri, response_mode: known_mode.clone(), state };
    let refuse = |error| AuthorizeRefusal::AtClient(target.clone(), error);
    if mode.is_some() && known_mode.is_none() {
        return Err(refuse(OAuthError::new("unsupported_response_mode", "The response_mode is query or fragment.")));
    }
    if parameters.get("request").is_some() || parameters.get("request_uri").is_some() {
        return Err(refuse(OAuthError::new("request_not_supported", "Request objects are not supported.")));
    }
    check_response_type(parameters, client).map_err(refuse)?;
    let binding = read_binding(parameters, client, ClientFace::Authorize, &target).map_err(refuse)?;
    let prompt = match parameters.get("prompt") {
        None | Some("consent" | "select_account") => Prompt::IfNeeded,
        Some("none") => Prompt::Never,
        Some("login") => Prompt::Login,
        Some(_) => return Err(refuse(OAuthError::invalid_request("The prompt is none, login or consent."))),
    };
    let max_age = match parameters.get("max_age").map(str::parse::<u64>) {
        None => None,
        Some(Ok(seconds)) => Some(seconds),
        Some(Err(_)) => return Err(refuse(OAuthError::invalid_request("The max_age is a number of seconds."))),
    };
    Ok(AuthorizeRequest { binding, prompt, max_age })
}

/// Reads a request of `interact`.
///
/// # Errors
/// What is wrong with it.
pub fn read_interact(parameters: &Parameters, client: &OAuthClient) -> Result<ClientBinding, OAuthError> {
    let redirect_uri = own_redirect_uri(parameters, client)?;
    if !client.allows(GrantType::InteractionCode) {
        return Err(OAuthError::new("unauthorized_client", "The client is not allowed to use interaction_code."));
    }
    let state = parameters.get("state").map(str::to_owned);
    let target = ResponseTarget { redirect_uri, response_mode: None, state };
    let binding = read_binding(parameters, client, ClientFace::Interaction, &target)?;
    if binding.code_challenge.is_none() {
        return Err(OAuthError::invalid_request("PKCE is needed: code_challenge is missing."));
    }
    Ok(binding)
}

/// Whether a text could be a PKCE code verifier (RFC 7636 section 4.1).
#[must_use]
pub fn is_code_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

/// The redirect URI, which must be one of the client's letter by letter (RFC 9700 section 2.1).
fn own_redirect_uri(parameters: &Parameters, client: &OAuthClient) -> Result<String, OAuthError> {
    let given = parameters.required("redirect_uri")?;
    if client.redirect_uris.iter().any(|own| own == given) {
        return Ok(given.to_owned());
    }
    let text = "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.";
    Err(OAuthError::invalid_request(text))
}

fn check_response_type(parameters: &Parameters, client: &OAuthClient) -> Result<(), OAuthError> {
    if parameters.required("response_type")? != "code" {
        return Err(OAuthError::new("unsupported_response_type", "The response_type is code."));
    }
    if client.allows(GrantType::AuthorizationCode) && client.response_types.contains(&ResponseType::Code) {
        return Ok(());
    }
    Err(OAuthError::new("unauthorized_client", "The client is not allowed to use authorization_code."))
}

fn read_binding(
    parameters: &Parameters,
    client: &OAuthClient,
    face: ClientFace,
    target: &ResponseTarget,
) -> Result<ClientBinding, OAuthError> {
    parameters.once(&ONCE)?;
    for name in ["state", "nonce"] {
        if parameters.get(name).is_some_and(|value| value.len() > MAX_ECHO_BYTES) {
            return Err(OAuthError::invalid_request(format!("The parameter {name} is too long.")));
        }
    }
    let scope = Scopes::read(parameters.required("scope")?, client.allows(GrantType::RefreshToken))?.to_text();
    Ok(ClientBinding {
        face,
        client_id: client.client_id.clone(),
        redirect_uri: target.redirect_uri.clone(),
        scope,
        state: target.state.clone(),
        nonce: parameters.get("nonce").map(str::to_owned),
        code_challenge: read_challenge(parameters, client)?,
        response_mode: target.response_mode.clone(),
    })
}

/// The PKCE challenge. Only `S256`: a plain one is the verifier itself.
fn read_challenge(parameters: &Parameters, client: &OAuthClient) -> Result<Option<String>, OAuthError> {
    let Some(challenge) = parameters.get("code_challenge") else {
        if client.pkce_required {
            return Err(OAuthError::invalid_request("PKCE is needed: code_challenge is missing."));
        }
        return Ok(None);
    };
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("The code_challenge_method is S256."));
    }
    let is_sha256 =
        challenge.len() == 43 && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_sha256 {
        return Err(OAuthError::invalid_request("The code_challenge is a SHA-256 in base64url without padding."));
    }
    Ok(Some(challenge.to_owned()))
}

#[cfg(test)]
mod tests;
