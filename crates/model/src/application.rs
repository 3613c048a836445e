//! Apps: what people sign in to. An OIDC app is an OAuth 2.0 client too.

mod input;
mod representation;

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::id::{AppId, PolicyId};
use crate::lifecycle::LifecycleStatus;
use crate::names::names;

names! {
    /// How an app signs people in.
    SignOnMode {
        /// An OpenID Connect client.
        OpenIdConnect = "OPENID_CONNECT",
        /// A link to a page.
        Bookmark = "BOOKMARK",
    }
}

/// An app.
#[derive(Debug, Clone)]
pub struct Application {
    /// Unique key, `0oa…`.
    pub id: AppId,
    /// The key of the kind of app: `oidc_client`, `bookmark`, or `okta_enduser` for the built-in dashboard.
    pub name: String,
    /// What people see.
    pub label: String,
    /// Whether people can sign in to it.
    pub status: LifecycleStatus,
    /// How it signs people in.
    pub sign_on_mode: SignOnMode,
    /// The members `accessibility`, `visibility`, `profile` and `settings` (without `oauthClient`) as they are shown.
    pub shown: Map<String, Value>,
    /// The OAuth client, of an OIDC app.
    pub oauth: Option<OAuthClient>,
    /// The user profile policy that people who sign in to it come under.
    pub policy_id: PolicyId,
    /// Whether it is the built-in dashboard, which can't be changed but for its policy.
    pub system: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed; never before `created`.
    pub last_updated: Timestamp,
    /// Counts the writes. Starts at 1.
    pub revision: i64,
}

/// The OAuth 2.0 client of an app.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// What the client calls itself; the app's id unless the creator chose another.
    pub client_id: String,
    /// The client's secret; shown once, when it is made. `None` for public clients.
    pub client_secret: Option<SecretString>,
    /// Where the client runs.
    pub application_type: ApplicationType,
    /// Where people may be sent back to with a code; compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// Where people may be sent back to after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// What the client may exchange for tokens.
    pub grant_types: Vec<GrantType>,
    /// What the client may ask `authorize` for: `code`, `token`, `id_token`.
    pub response_types: Vec<ResponseType>,
    /// How the client proves who it is at the token endpoint.
    pub token_endpoint_auth_method: ClientAuthMethod,
    /// Whether an authorization code is given for a PKCE challenge only.
    pub pkce_required: bool,
    /// Other members of `settings.oauthClient` as they are shown.
    pub shown: Map<String, Value>,
}

impl OAuthClient {
    /// Whether the client may use this grant.
    #[must_use]
    pub fn allows(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether the client has no secret to prove who it is with.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.token_endpoint_auth_method, ClientAuthMethod::None)
    }
}

names! {
    /// Where an OAuth client runs.
    ApplicationType {
        /// On a server that can keep a secret.
        Web = "web",
        /// In a browser.
        Browser = "browser",
        /// On a person's device.
        Native = "native",
        /// Without people.
        Service = "service",
    }
}

names! {
    /// What a client exchanges for tokens.
    GrantType {
        /// A code from `authorize` (RFC 6749 section 4.1).
        AuthorizationCode = "authorization_code",
        /// A code from a sign-in flow that the client drove itself.
        InteractionCode = "interaction_code",
        /// A refresh token (RFC 6749 section 6).
        RefreshToken = "refresh_token",
        /// The client's own credentials (RFC 6749 section 4.4).
        ClientCredentials = "client_credentials",
        /// Tokens straight from `authorize`; kept and shown, not spoken.
        Implicit = "implicit",
        /// The user's password; kept and shown, not spoken.
        Password = "password",
        /// A code for a device without a browser; kept and shown, not spoken.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// Another token; kept and shown, not spoken.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
    }
}

names! {
    /// What a client asks `authorize` for.
    ResponseType {
        /// A code.
        Code = "code",
        /// An access token.
        Token = "token",
        /// An ID token.
        IdToken = "id_token",
    }
}

names! {
    /// How a client proves who it is at the token endpoint.
    ClientAuthMethod {
        /// Not at all: it can't keep a secret.
        None = "none",
        /// Its secret in the `Authorization` header.
        ClientSecretBasic = "client_secret_basic",
        /// Its secret in the body.
        ClientSecretPost = "client_secret_post",
        /// A token that it signed with its secret; kept and shown, not spoken.
        ClientSecretJwt = "client_secret_jwt",
        /// A token that it signed with its key; kept and shown, not spoken.
        PrivateKeyJwt = "private_key_jwt",
    }
}

#[cfg(test)]
mod tests;
