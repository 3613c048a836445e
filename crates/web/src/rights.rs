//! What each route asks of whoever calls it: the one table of rights.
//!
//! A handler that wants a caller gets one only through [`of`], so that a route without its row here answers nobody; the test of
//! this file walks every route and every method.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;
use hookwright_model::api_scope::{ApiAccess, ApiArea, ApiScope};

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Nothing: the route is for everybody, or has rules of its own, such as the flows of sign-in.
    Public,
    /// A token that works, whatever it may do: it can always be given up.
    Token,
    /// A token whose owner and whose scopes allow this.
    Scope(ApiScope),
}

/// A route with its methods.
struct Row {
    path: &'static str,
    rights: &'static [(&'static [&'static str], Right)],
}

const fn right(area: ApiArea, access: ApiAccess) -> Right {
    Right::Scope(ApiScope { area, access })
}

const fn read(area: ApiArea) -> Right {
    right(area, ApiAccess::Read)
}

const fn manage(area: ApiArea) -> Right {
    right(area, ApiAccess::Manage)
}

/// Rows, a line a route: the path, then methods with what they ask for.
macro_rules! table {
    ($($path:literal: $($($method:ident)|+ => $right:expr),+;)*) => {
        &[$(Row { path: $path, rights: &[$((&[$(stringify!($method)),+], $right)),+] },)*]
    };
}

use ApiArea::{
    ApiTokens, Apps, AuthorizationServers, Groups, InlineHooks, Logs, Policies, Roles, Schemas, TrustedOrigins,
    UserTypes, Users,
};
use Right::{Public, Token};

/// Every route of the router. HEAD asks for what GET does.
const ROWS: &[Row] = table! {
    // The Inline Hooks API, under its present path and that of 2018. Who calls a hook acts, so that executing is managing.
    "/api/v1/inlineHooks": GET => read(InlineHooks), POST => manage(InlineHooks);
    "/api/v1/inlineHooks/{id}": GET => read(InlineHooks), PUT | POST | DELETE => manage(InlineHooks);
    "/api/v1/inlineHooks/{id}/lifecycle/activate": POST => manage(InlineHooks);
    "/api/v1/inlineHooks/{id}/lifecycle/deactivate": POST => manage(InlineHooks);
    "/api/v1/inlineHooks/{id}/execute": POST => manage(InlineHooks);
    "/api/v1/inlineHook": GET => read(InlineHooks), POST => manage(InlineHooks);
    "/api/v1/inlineHook/{id}": GET => read(InlineHooks), PUT | POST | DELETE => manage(InlineHooks);
    "/api/v1/inlineHook/{id}/lifecycle/activate": POST => manage(InlineHooks);
    "/api/v1/inlineHook/{id}/lifecycle/deactivate": POST => manage(InlineHooks);
    "/api/v1/inlineHook/{id}/execute": POST => manage(InlineHooks);
    // Hook keys come under the scopes of inline hooks, as at Okta.
    "/api/v1/hook-keys": GET => read(InlineHooks), POST => manage(InlineHooks);
    "/api/v1/hook-keys/{id}": GET => read(InlineHooks), PUT | DELETE => manage(InlineHooks);
    "/api/v1/hook-keys/public/{keyId}": GET => read(InlineHooks);
    "/hookwright/v1/hook-keys/jwks": GET => Public;
    "/hookwright/v1/inlineHooks/{id}/settings": GET => read(InlineHooks), PUT | DELETE => manage(InlineHooks);
    "/hookwright/v1/inlineHooks/{id}/signingSecrets": GET => read(InlineHooks), POST => manage(InlineHooks);
    "/hookwright/v1/inlineHooks/{id}/signingSecrets/{secret}": DELETE => manage(InlineHooks);
    "/hookwright/v1/executions": GET => read(InlineHooks);
    "/hookwright/v1/executions/{id}": GET => read(InlineHooks);
    // People.
    "/api/v1/users": GET => read(Users), POST => manage(Users);
    "/api/v1/users/me": GET => right(Users, ApiAccess::ReadSelf), POST | PUT => manage(Users);
    "/api/v1/users/{id}": GET => read(Users), POST | PUT | DELETE => manage(Users);
    "/api/v1/users/{id}/groups": GET => read(Users);
    "/api/v1/users/{id}/roles": GET => read(Roles), POST => manage(Roles);
    "/api/v1/users/{id}/roles/{role}": GET => read(Roles), DELETE => manage(Roles);
    "/api/v1/users/{id}/lifecycle/{step}": POST => manage(Users);
    "/api/v1/users/{id}/credentials/forgot_password": POST => manage(Users);
    "/api/v1/users/{id}/credentials/change_password": POST => manage(Users);
    "/api/v1/meta/types/user": GET => read(UserTypes);
    "/api/v1/meta/types/user/{id}": GET => read(UserTypes);
    "/api/v1/meta/schemas/user/{id}": GET => read(Schemas), POST => manage(Schemas);
    "/api/v1/groups": GET => read(Groups), POST => manage(Groups);
    "/api/v1/groups/{id}": GET => read(Groups), PUT | DELETE => manage(Groups);
    "/api/v1/groups/{id}/users": GET => read(Groups);
    "/api/v1/groups/{id}/users/{user}": PUT | DELETE => manage(Groups);
    // What they sign in to, and how.
    "/api/v1/policies": GET => read(Policies), POST => manage(Policies);
    "/api/v1/policies/{id}": GET => read(Policies), PUT | DELETE => manage(Policies);
    "/api/v1/policies/{id}/lifecycle/activate": POST => manage(Policies);
    "/api/v1/policies/{id}/lifecycle/deactivate": POST => manage(Policies);
    "/api/v1/policies/{id}/rules": GET => read(Policies), POST => manage(Policies);
    "/api/v1/policies/{id}/rules/{rule}": GET => read(Policies), PUT | DELETE => manage(Policies);
    "/api/v1/policies/{id}/rules/{rule}/lifecycle/activate": POST => manage(Policies);
    "/api/v1/policies/{id}/rules/{rule}/lifecycle/deactivate": POST => manage(Policies);
    "/api/v1/policies/{id}/app": GET => read(Policies);
    "/api/v1/policies/{id}/mappings": GET => read(Policies), POST => manage(Policies);
    "/api/v1/policies/{id}/mappings/{mapping}": GET => read(Policies);
    "/api/v1/apps": GET => read(Apps), POST => manage(Apps);
    "/api/v1/apps/{id}": GET => read(Apps), PUT | DELETE => manage(Apps);
    "/api/v1/apps/{id}/lifecycle/activate": POST => manage(Apps);
    "/api/v1/apps/{id}/lifecycle/deactivate": POST => manage(Apps);
    "/api/v1/apps/{id}/policies/{policy}": PUT => manage(Apps);
    "/api/v1/trustedOrigins": GET => read(TrustedOrigins), POST => manage(TrustedOrigins);
    "/api/v1/trustedOrigins/{id}": GET => read(TrustedOrigins), PUT | DELETE => manage(TrustedOrigins);
    "/api/v1/trustedOrigins/{id}/lifecycle/activate": POST => manage(TrustedOrigins);
    "/api/v1/trustedOrigins/{id}/lifecycle/deactivate": POST => manage(TrustedOrigins);
    "/api/v1/authorizationServers/{id}/credentials/keys": GET => read(AuthorizationServers);
    "/api/v1/authorizationServers/{id}/credentials/lifecycle/keyRotate": POST => manage(AuthorizationServers);
    // Tokens and the log. Whoever has a token may end it.
    "/api/v1/api-tokens": GET => read(ApiTokens);
    "/api/v1/api-tokens/current": DELETE => Token;
    "/api/v1/api-tokens/{id}": GET => read(ApiTokens), DELETE => manage(ApiTokens);
    "/api/v1/logs": GET => read(Logs);
    // Operations: metrics, and the details of readiness, from elsewhere than this machine.
    "/healthz": GET => Public;
    "/readyz": GET => read(Logs);
    "/metrics": GET => read(Logs);
    "/hookwright/v1/openapi.json": GET => Public;
    // The authorization server, whose callers are apps, and the flows of sign-in, whose callers are people.
    "/oauth2/default/.well-known/openid-configuration": GET => Public;
    "/oauth2/default/.well-known/oauth-authorization-server": GET => Public;
    "/oauth2/default/v1/keys": GET => Public;
    "/oauth2/default/v1/interact": POST => Public;
    "/oauth2/default/v1/authorize": GET | POST => Public;
    "/oauth2/default/v1/token": POST => Public;
    "/oauth2/default/v1/introspect": POST => Public;
    "/oauth2/default/v1/revoke": POST => Public;
    "/oauth2/default/v1/userinfo": GET | POST => Public;
    "/oauth2/default/v1/logout": GET | POST => Public;
    "/idp/idx/introspect": POST => Public;
    "/idp/idx/recover": POST => Public;
    "/idp/idx/unlock-account": POST => Public;
    "/idp/idx/challenge": POST => Public;
    "/idp/idx/identify": POST => Public;
    "/idp/idx/identify/select": POST => Public;
    "/idp/idx/challenge/answer": POST => Public;
    "/idp/idx/challenge/resend": POST => Public;
    "/idp/idx/enroll": POST => Public;
    "/idp/idx/enroll/new": POST => Public;
    "/idp/idx/enroll/update": POST => Public;
    "/idp/idx/skip": POST => Public;
    "/idp/idx/cancel": POST => Public;
    "/": GET => Public;
    "/signin/reset-password/{token}": GET => Public;
    "/tokens/{token}/verify": GET => Public;
    "/signin": GET => Public;
    "/signin/{action}": GET | POST => Public;
    "/signin/assets/style.css": GET => Public;
    "/app/UserHome": GET => Public;
    "/app/sign-out": POST => Public;
    "/hookwright/outbox": GET => Public;
};

static BY_PATH: LazyLock<HashMap<&'static str, &'static Row>> =
    LazyLock::new(|| ROWS.iter().map(|row| (row.path, row)).collect());

/// What a route asks for, by its path as the router has it; `None` if it has no row for this method.
pub(crate) fn of(path: &str, method: &Method) -> Option<Right> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let found = BY_PATH.get(path)?.rights.iter().find(|(methods, _)| methods.contains(&method));
    found.map(|(_, right)| *right)
}

#[cfg(test)]
mod tests;
