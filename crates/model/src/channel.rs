//! How a hook reaches its external service: address, headers, authentication.

use secrecy::SecretString;
use serde::Serialize;

use crate::hook_uri::HookUri;

/// The channel of an inline hook. Its method is always POST and its version always `1.0.0`.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Where the service is.
    pub uri: HookUri,
    /// Extra headers in the order they were given.
    pub headers: Vec<Header>,
    /// How we prove who we are.
    pub auth: ChannelAuth,
}

/// One configured header. Its value is shown to administrators, so it is no place for a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The name as it was sent; names that HTTP forbids are kept but never sent.
    pub key: String,
    /// The value.
    pub value: String,
}

/// The one `authScheme.type`, compared without letter case.
pub const HEADER_SCHEME: &str = "HEADER";

/// What stands in front of an external service.
#[derive(Debug, Clone)]
pub enum ChannelAuth {
    /// Nothing (`channel.type` `HTTP` without `authScheme`).
    None,
    /// A header that holds a secret (`authScheme` of type `HEADER`).
    Header {
        /// `HEADER`, as it was sent.
        scheme_type: String,
        /// The header's name as it was sent.
        key: String,
        /// The secret; write-only.
        value: SecretString,
    },
    /// An access token of an authorization server (`channel.type` `OAUTH`).
    OAuth(OAuthConfig),
}

/// How an access token for the external service is asked for.
#[derive(Debug, Clone)]
pub struct OAuthConfig {
    /// The client's id at the authorization server.
    pub client_id: String,
    /// Where tokens are asked for.
    pub token_url: HookUri,
    /// The scope to ask for, if any.
    pub scope: Option<String>,
    /// How the client authenticates.
    pub client_auth: OAuthClientAuth,
}

/// The two ways in which an OAuth client authenticates (`authType`).
#[derive(Debug, Clone)]
pub enum OAuthClientAuth {
    /// `client_secret_post`: id and secret in the form; the secret is write-only.
    ClientSecretPost(SecretString),
    /// `private_key_jwt`: an assertion signed with the hook key of this id.
    PrivateKeyJwt {
        /// The hook key's id, `HKY…`.
        hook_key_id: String,
    },
}

impl ChannelAuth {
    /// `channel.type`.
    #[must_use]
    pub(crate) fn channel_type(&self) -> &'static str {
        match self {
            Self::None | Self::Header { .. } => "HTTP",
            Self::OAuth(_) => "OAUTH",
        }
    }

    /// The hook key that signs for the hook, if one does.
    #[must_use]
    pub fn hook_key_id(&self) -> Option<&str> {
        match self {
            Self::OAuth(OAuthConfig { client_auth: OAuthClientAuth::PrivateKeyJwt { hook_key_id }, .. }) => {
                Some(hook_key_id)
            }
            _ => None,
        }
    }

    /// The secret that is sealed at rest, if there is one.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretString> {
        match self {
            Self::Header { value, .. } => Some(value),
            Self::OAuth(OAuthConfig { client_auth: OAuthClientAuth::ClientSecretPost(secret), .. }) => Some(secret),
            _ => None,
        }
    }
}
