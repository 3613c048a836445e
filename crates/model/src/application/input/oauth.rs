//! Reading the OAuth client of an app: `credentials.oauthClient` and `settings.oauthClient`.

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::super::{Application, ApplicationType, ClientAuthMethod, GrantType, OAuthClient, ResponseType};
use super::shown;
use crate::fields::Fields;
use crate::{Entropy, Violations};

/// The most redirect URIs of one kind.
const MAX_REDIRECT_URIS: usize = 100;

const MAX_URI_CHARACTERS: usize = 1_024;

/// How many characters a secret may have (Okta: 14 to 100).
const SECRET_CHARACTERS: std::ops::RangeInclusive<usize> = 14..=100;

/// A fresh client secret: 384 random bits in 64 characters.
#[must_use]
fn mint_client_secret(entropy: &dyn Entropy) -> SecretString {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letter = |byte: u8| ALPHABET.get(usize::from(byte & 63)).copied().map_or('A', char::from);
    SecretString::from(entropy.bytes::<64>().map(letter).iter().collect::<String>())
}

pub(super) fn read(
    app: &Application,
    fields: &Fields<'_>,
    entropy: &dyn Entropy,
    violations: &mut Violations,
) -> Option<OAuthClient> {
    let nothing = Map::new();
    let part = |outer: &str, violations: &mut Violations| {
        let outer = fields.object(outer, violations);
        let path = outer.as_ref().map_or_else(String::new, |outer| outer.path_of("oauthClient"));
        let inner = outer.and_then(|outer| outer.object("oauthClient", violations));
        inner.unwrap_or(Fields::at(path, &nothing))
    };
    let credentials = part("credentials", violations);
    let settings = part("settings", violations);
    if fields.get("settings").and_then(|settings| settings.get("oauthClient")).is_none_or(Value::is_null) {
        violations.add("settings.oauthClient", crate::profile::MISSING);
        return None;
    }

    let application_type = settings
        .choice("application_type", &ApplicationType::ALL, ApplicationType::as_str, violations)
        .unwrap_or(ApplicationType::Web);
    let grant_types = settings
        .choices("grant_types", &GrantType::ALL, GrantType::as_str, violations)
        .filter(|grants| !grants.is_empty())
        .unwrap_or_else(|| vec![GrantType::AuthorizationCode]);
    let response_types = settings
        .choices("response_types", &ResponseType::ALL, ResponseType::as_str, violations)
        .filter(|responses| !responses.is_empty())
        .unwrap_or_else(|| default_responses(&grant_types));
    let method = read_method(application_type, &credentials, violations);
    let is_public = method == ClientAuthMethod::None;
    let redirect_uris = read_uris("redirect_uris", &settings, violations);
    let sends_back = grant_types
        .iter()
        .any(|grant| matches!(grant, GrantType::AuthorizationCode | GrantType::InteractionCode | GrantType::Implicit));
    if redirect_uris.is_empty() && sends_back && application_type != ApplicationType::Service {
        settings.refuse("redirect_uris", crate::profile::MISSING, violations);
    }
    settings.choice("wildcard_redirect", &["DISABLED"], |name| name, violations);
    let pkce = credentials.boolean("pkce_required", violations);
    if is_public && pkce == Some(false) {
        credentials.refuse("pkce_required", "A client without a secret needs PKCE", violations);
    }
    let in_browser = matches!(application_type, ApplicationType::Browser | ApplicationType::Native);
    Some(OAuthClient {
        client_id: read_client_id(app, &credentials, violations),
        client_secret: read_secret(app, method, &credentials, entropy, violations),
        application_type,
        redirect_uris,
        post_logout_redirect_uris: read_uris("post_logout_redirect_uris", &settings, violations),
        grant_types,
        response_types,
        token_endpoint_auth_method: method,
        pkce_required: is_public || pkce.unwrap_or(in_browser),
        shown: shown::of_oauth_client(&settings, violations),
    })
}

fn default_responses(grants: &[GrantType]) -> Vec<ResponseType> {
    let codes = grants.iter().any(|grant| matches!(grant, GrantType::AuthorizationCode | GrantType::InteractionCode));
    if codes { vec![ResponseType::Code] } else { vec![ResponseType::Token] }
}

fn read_method(
    application_type: ApplicationType,
    credentials: &Fields<'_>,
    violations: &mut Violations,
) -> ClientAuthMethod {
    let sent =
        credentials.choice("token_endpoint_auth_method", &ClientAuthMethod::ALL, ClientAuthMethod::as_str, violations);
    sent.unwrap_or(match application_type {
        ApplicationType::Web | ApplicationType::Service => ClientAuthMethod::ClientSecretBasic,
        ApplicationType::Browser | ApplicationType::Native => ClientAuthMethod::None,
    })
}

/// The client's own name for itself, or else the app's id. It never changes.
fn read_client_id(app: &Application, credentials: &Fields<'_>, violations: &mut Violations) -> String {
    let sent = credentials.optional_text("client_id", 6..=100, violations);
    let well_formed = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"$-_.+!*'(),".contains(&byte));
    if sent.as_deref().is_some_and(|id| !well_formed(id)) {
        credentials.refuse("client_id", "The field must be made of letters, digits and $-_.+!*'(),", violations);
    }
    match (&app.oauth, sent) {
        (Some(old), Some(sent)) if sent != old.client_id => {
            credentials.refuse("client_id", "The client id cannot be changed", violations);
            old.client_id.clone()
        }
        (Some(old), _) => old.client_id.clone(),
        (None, sent) => sent.unwrap_or_else(|| app.id.to_string()),
    }
}

fn read_secret(
    app: &Application,
    method: ClientAuthMethod,
    credentials: &Fields<'_>,
    entropy: &dyn Entropy,
    violations: &mut Violations,
) -> Option<SecretString> {
    if matches!(method, ClientAuthMethod::None | ClientAuthMethod::PrivateKeyJwt) {
        return None;
    }
    if credentials.get("client_secret").is_none() {
        let kept = app.oauth.as_ref().and_then(|old| old.client_secret.clone());
        return Some(kept.unwrap_or_else(|| mint_client_secret(entropy)));
    }
    let secret = credentials.optional_text("client_secret", SECRET_CHARACTERS, violations)?;
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        credentials.refuse("client_secret", "The field must be made of visible ASCII characters", violations);
    }
    Some(SecretString::from(secret))
}

fn read_uris(name: &str, settings: &Fields<'_>, violations: &mut Violations) -> Vec<String> {
    let uris = settings.texts(name, MAX_REDIRECT_URIS, violations).unwrap_or_default();
    for (index, uri) in uris.iter().enumerate() {
        if !is_redirect_uri(uri) {
            let path = format!("{}[{index}]", settings.path_of(name));
            violations.add(path, "The field must be an absolute URI without a fragment, and not a script");
        }
    }
    uris
}

/// An absolute URI without a fragment (RFC 6749 section 3.1.2) that no browser takes for a script or a document.
fn is_redirect_uri(text: &str) -> bool {
    const NEVER: [&str; 6] = ["javascript", "data", "vbscript", "file", "blob", "about"];
    let Ok(url) = url::Url::parse(text) else { return false };
    let web = !matches!(url.scheme(), "http" | "https") || url.has_host();
    web && text.chars().count() <= MAX_URI_CHARACTERS
        && url.fragment().is_none()
        && !text.contains('*')
        && !text.contains(char::is_whitespace)
        && url.username().is_empty()
        && url.password().is_none()
        && !NEVER.contains(&url.scheme())
}
