//! Reading `channel`, and keeping the secret that a client doesn't send again.

use hookwright_contract::json::Value;
use secrecy::{ExposeSecret, SecretString};

use super::{MISSING, header, read_text};
use crate::Violations;
use crate::address::AddressPolicy;
use crate::channel::{Channel, ChannelAuth, HEADER_SCHEME, OAuthClientAuth, OAuthConfig};
use crate::hook_uri::HookUri;
use crate::secret_display::SECRET_MASK;

/// The longest client id, scope or hook key id.
const MAX_PARAMETER_CHARACTERS: usize = 1024;

/// Reads `channel`. `stored` is the channel that is being replaced, whose secret stays if none is sent.
pub(super) fn read(
    value: Option<&Value<'_>>,
    stored: Option<&Channel>,
    policy: &AddressPolicy,
    violations: &mut Violations,
) -> Option<Channel> {
    let channel = read_object(value, "channel", violations)?;
    let oauth = match read_text(channel.get("type"), "channel.type", violations).as_deref() {
        Some("HTTP" | "HTTPS") => false,
        Some("OAUTH") => true,
        Some(_) => {
            violations.add("channel.type", "The field must be one of HTTP, OAUTH");
            return None;
        }
        None => return None,
    };
    match channel.get("version") {
        None | Some(Value::Null) => {}
        Some(Value::String(version)) if version == "1.0.0" => {}
        Some(_) => violations.add("channel.version", "The field must be 1.0.0"),
    }
    let config = read_object(channel.get("config"), "channel.config", violations)?;
    match config.get("method") {
        None | Some(Value::Null) => {}
        Some(Value::String(method)) if method == "POST" => {}
        Some(_) => violations.add("channel.config.method", "The field must be POST"),
    }
    let uri = read_uri(config.get("uri"), "channel.config.uri", policy, violations);
    let reader = AuthReader { config, stored, uri: uri.as_ref(), policy };
    let auth = if oauth { reader.oauth(violations) } else { reader.header(violations) };
    let auth_key = match &auth {
        Some(ChannelAuth::Header { key, .. }) => Some(key.as_str()),
        Some(ChannelAuth::OAuth(_)) => Some("authorization"),
        _ => None,
    };
    let headers = header::read_list(config.get("headers"), auth_key, violations);
    Some(Channel { uri: uri?, headers, auth: auth? })
}

/// An object; says so if it is missing or something else.
fn read_object<'a, 'b>(
    value: Option<&'a Value<'b>>,
    field: &str,
    violations: &mut Violations,
) -> Option<&'a Value<'b>> {
    match value {
        Some(object @ Value::Object(_)) => Some(object),
        None | Some(Value::Null) => {
            violations.add(field, MISSING);
            None
        }
        Some(_) => {
            violations.add(field, "The field must be an object");
            None
        }
    }
}

fn read_uri(
    value: Option<&Value<'_>>,
    field: &str,
    policy: &AddressPolicy,
    violations: &mut Violations,
) -> Option<HookUri> {
    let text = read_text(value, field, violations)?;
    match HookUri::parse(&text, policy) {
        Ok(uri) => Some(uri),
        Err(message) => {
            violations.add(field, message);
            None
        }
    }
}

struct AuthReader<'a> {
    config: &'a Value<'a>,
    stored: Option<&'a Channel>,
    uri: Option<&'a HookUri>,
    policy: &'a AddressPolicy,
}

impl AuthReader<'_> {
    fn header(&self, violations: &mut Violations) -> Option<ChannelAuth> {
        let field = "channel.config.authScheme";
        let scheme = match self.config.get("authScheme") {
            None | Some(Value::Null) => return Some(ChannelAuth::None),
            value => read_object(value, field, violations)?,
        };
        // Python's SDK drops empty objects, Terraform sends every member; an empty object means no scheme.
        if scheme.as_object().is_some_and(<[_]>::is_empty) {
            return Some(ChannelAuth::None);
        }
        let scheme_type = match scheme.get("type") {
            Some(Value::String(text)) if text.eq_ignore_ascii_case(HEADER_SCHEME) => text.to_string(),
            None | Some(Value::Null) => HEADER_SCHEME.to_owned(),
            Some(_) => {
                violations.add("channel.config.authScheme.type", "The field must be HEADER");
                HEADER_SCHEME.to_owned()
            }
        };
        let key = read_text(scheme.get("key"), "channel.config.authScheme.key", violations)?;
        if let Err(message) = header::check_auth_key(&key) {
            violations.add("channel.config.authScheme.key", message);
            return None;
        }
        let kept = match self.stored.map(|channel| &channel.auth) {
            Some(ChannelAuth::Header { key: stored_key, value, .. }) if stored_key.eq_ignore_ascii_case(&key) => {
                Some(value)
            }
            _ => None,
        };
        let origin_kept = self.stored.zip(self.uri).is_some_and(|(stored, uri)| stored.uri.same_origin(uri));
        let value = self.secret(
            scheme.get("value"),
            "channel.config.authScheme.value",
            Kept { secret: kept, origin_kept },
            violations,
        )?;
        Some(ChannelAuth::Header { scheme_type, key, value })
    }

    fn oauth(&self, violations: &mut Violations) -> Option<ChannelAuth> {
        let config = self.config;
        if config.get("authScheme").is_some_and(|scheme| scheme.as_object().is_some_and(|members| !members.is_empty()))
        {
            violations.add("channel.config.authScheme", "The field must be absent for a channel of type OAUTH");
        }
        let auth_type = read_text(config.get("authType"), "channel.config.authType", violations)?;
        let client_id = self.required(config.get("clientId"), "channel.config.clientId", violations);
        let token_url = read_uri(config.get("tokenUrl"), "channel.config.tokenUrl", self.policy, violations);
        let scope = match config.get("scope") {
            None | Some(Value::Null) => None,
            value => read_text(value, "channel.config.scope", violations)
                .filter(|scope| !scope.is_empty())
                .and_then(|scope| visible(scope, "channel.config.scope", violations)),
        };
        let client_auth = match auth_type.as_str() {
            "client_secret_post" => {
                let kept = match self.stored.map(|channel| &channel.auth) {
                    Some(ChannelAuth::OAuth(stored)) => Some(stored),
                    _ => None,
                };
                let same_client = kept.filter(|stored| Some(&stored.client_id) == client_id.as_ref());
                let secret = match same_client.map(|stored| &stored.client_auth) {
                    Some(OAuthClientAuth::ClientSecretPost(secret)) => Some(secret),
                    _ => None,
                };
                // The access token that the secret buys goes to the hook's own place, so both must stay.
                let origin_kept =
                    kept.zip(token_url.as_ref()).is_some_and(|(stored, url)| stored.token_url.same_origin(url))
                        && self.stored.zip(self.uri).is_some_and(|(stored, uri)| stored.uri.same_origin(uri));
                let field = "channel.config.clientSecret";
                let kept = Kept { secret, origin_kept };
                OAuthClientAuth::ClientSecretPost(self.secret(config.get("clientSecret"), field, kept, violations)?)
            }
            "private_key_jwt" => OAuthClientAuth::PrivateKeyJwt {
                hook_key_id: self.required(config.get("hookKeyId"), "channel.config.hookKeyId", violations)?,
            },
            _ => {
                let allowed = "The field must be one of client_secret_post, private_key_jwt";
                violations.add("channel.config.authType", allowed);
                return None;
            }
        };
        Some(ChannelAuth::OAuth(OAuthConfig { client_id: client_id?, token_url: token_url?, scope, client_auth }))
    }

    fn required(&self, value: Option<&Value<'_>>, field: &str, violations: &mut Violations) -> Option<String> {
        let text = read_text(value, field, violations)?;
        if text.is_empty() {
            violations.add(field, MISSING);
            return None;
        }
        visible(text, field, violations)
    }

    /// A new secret, or the kept one if none, or the mask, was sent.
    fn secret(
        &self,
        sent: Option<&Value<'_>>,
        field: &str,
        kept: Kept<'_>,
        violations: &mut Violations,
    ) -> Option<SecretString> {
        match sent {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text == SECRET_MASK || text.is_empty() => {}
            Some(Value::String(text)) => {
                if let Err(message) = header::check_value(text) {
                    violations.add(field, message);
                    return None;
                }
                return Some(SecretString::from(text.as_ref()));
            }
            Some(_) => {
                violations.add(field, "The field must be a string");
                return None;
            }
        }
        match kept {
            Kept { secret: Some(secret), origin_kept: true } => Some(SecretString::from(secret.expose_secret())),
            Kept { secret: Some(_), origin_kept: false } => {
                violations
                    .add(field, "The secret must be sent again when the hook moves to another scheme, host or port");
                None
            }
            Kept { secret: None, .. } => {
                violations.add(field, MISSING);
                None
            }
        }
    }
}

/// A parameter of OAuth: visible ASCII and blanks (RFC 6749 appendix A), of a bounded length.
fn visible(text: String, field: &str, violations: &mut Violations) -> Option<String> {
    if text.len() > MAX_PARAMETER_CHARACTERS {
        violations.add(field, format!("The field must be at most {MAX_PARAMETER_CHARACTERS} characters long"));
    } else if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        violations.add(field, "The field must consist of visible ASCII characters");
    } else {
        return Some(text);
    }
    None
}

/// What is kept of a secret, and whether it was given for the place that the hook leads to now.
struct Kept<'a> {
    secret: Option<&'a SecretString>,
    origin_kept: bool,
}
