//! Every route, on one page.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, post, put};
use hookwright_app::App;

use crate::api::{
    api_tokens, apps, executions, groups, hook_keys, inline_hooks, logs, policies, roles, signing_secrets,
    trusted_origins, users,
};
use crate::error::ApiError;
use crate::{idx, oauth, operations, signin};

/// Routes, and which paths they have: each of them needs its row in `rights.rs`.
struct Routes {
    router: Router<App>,
    paths: Vec<String>,
}

impl Routes {
    fn new() -> Self {
        Self { router: Router::new(), paths: Vec::new() }
    }

    fn route(mut self, path: &str, methods: MethodRouter<App>) -> Self {
        self.paths.push(path.to_owned());
        Self { router: self.router.route(path, methods), ..self }
    }

    fn merge(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        Self { router: self.router.merge(other.router), ..self }
    }
}

/// The routes of an org.
pub fn router(app: App) -> Router {
    routes()
        .router
        .fallback(async || ApiError::unknown_path())
        .method_not_allowed_fallback(async || ApiError::wrong_method())
        .with_state(app)
}

/// The path of every route, with names in braces for what varies.
#[cfg(test)]
pub(crate) fn paths() -> Vec<String> {
    routes().paths
}

fn routes() -> Routes {
    let settings = get(inline_hooks::settings).put(inline_hooks::replace_settings).delete(inline_hooks::reset_settings);
    let router = Routes::new()
        .route("/api/v1/logs", get(logs::list))
        .route("/hookwright/v1/inlineHooks/{id}/settings", settings)
        .route("/hookwright/v1/executions", get(executions::list))
        .route("/hookwright/v1/executions/{id}", get(executions::get))
        .route("/hookwright/v1/openapi.json", get(operations::openapi))
        .route("/healthz", get(operations::health))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics));
    let router = signin_routes(oauth_routes(idx_routes(router)));
    let router = inline_hook_routes(router, "/api/v1/inlineHooks");
    // The curl lines of the 2018 document spell it so.
    let router = inline_hook_routes(router, "/api/v1/inlineHook");
    let router = hook_key_routes(router);
    identity_routes(router)
}

/// The routes for those who run the org, on an address of their own: nothing there asks for a token.
pub(crate) fn operators(app: App) -> Router {
    Router::new()
        .route("/healthz", get(operations::health))
        .route("/readyz", get(operations::ready_for_operators))
        .route("/metrics", get(operations::metrics_for_operators))
        .fallback(async || ApiError::unknown_path())
        .method_not_allowed_fallback(async || ApiError::wrong_method())
        .with_state(app)
}

fn inline_hook_routes(router: Routes, base: &str) -> Routes {
    let one = get(inline_hooks::get).put(inline_hooks::replace).post(inline_hooks::update).delete(inline_hooks::delete);
    router
        .route(base, get(inline_hooks::list).post(inline_hooks::create))
        .route(&format!("{base}/{{id}}"), one)
        .route(&format!("{base}/{{id}}/lifecycle/activate"), post(inline_hooks::activate))
        .route(&format!("{base}/{{id}}/lifecycle/deactivate"), post(inline_hooks::deactivate))
        .route(&format!("{base}/{{id}}/execute"), post(inline_hooks::execute))
}

/// The sign-in flows for clients that drive them by themselves.
fn idx_routes(router: Routes) -> Routes {
    router
        .route("/idp/idx/introspect", post(idx::introspect))
        .route("/idp/idx/identify", post(idx::identify))
        .route("/idp/idx/identify/select", post(idx::select_identify))
        .route("/idp/idx/recover", post(idx::recover))
        .route("/idp/idx/unlock-account", post(idx::unlock_account))
        .route("/idp/idx/challenge", post(idx::challenge))
        .route("/idp/idx/challenge/answer", post(idx::answer_challenge))
        .route("/idp/idx/challenge/resend", post(idx::resend))
        .route("/idp/idx/enroll", post(idx::enroll))
        .route("/idp/idx/enroll/new", post(idx::enroll_new))
        .route("/idp/idx/enroll/update", post(idx::enroll_update))
        .route("/idp/idx/skip", post(idx::skip))
        .route("/idp/idx/cancel", post(idx::cancel))
}

/// The authorization server.
fn oauth_routes(router: Routes) -> Routes {
    let of_server = "/api/v1/authorizationServers/{id}/credentials";
    router
        .route("/oauth2/default/.well-known/openid-configuration", get(oauth::discovery))
        .route("/oauth2/default/.well-known/oauth-authorization-server", get(oauth::discovery))
        .route("/oauth2/default/v1/keys", get(oauth::keys))
        .route("/oauth2/default/v1/interact", post(oauth::interact))
        .route("/oauth2/default/v1/authorize", get(oauth::authorize).post(oauth::authorize))
        .route("/oauth2/default/v1/token", post(oauth::token))
        .route("/oauth2/default/v1/introspect", post(oauth::introspect))
        .route("/oauth2/default/v1/revoke", post(oauth::revoke))
        .route("/oauth2/default/v1/userinfo", get(oauth::userinfo).post(oauth::userinfo))
        .route("/oauth2/default/v1/logout", get(oauth::logout).post(oauth::logout))
        .route(&format!("{of_server}/keys"), get(oauth::server_keys))
        .route(&format!("{of_server}/lifecycle/keyRotate"), post(oauth::rotate_keys))
}

/// The hosted pages. Who opens the address that `serve` prints looks for them, too.
fn signin_routes(router: Routes) -> Routes {
    let pages = Routes::new()
        .route("/", get(signin::front))
        .route("/signin", get(signin::show))
        .route("/signin/{action}", get(signin::show_again).post(signin::act))
        .route("/signin/reset-password/{token}", get(signin::open_link))
        .route("/tokens/{token}/verify", get(signin::open_link))
        .route("/signin/assets/style.css", get(signin::style))
        .route("/app/UserHome", get(signin::home))
        .route("/app/sign-out", post(signin::sign_out))
        .route("/hookwright/outbox", get(signin::outbox));
    let router_of_pages = pages.router.route_layer(axum::middleware::from_fn(signin::refusal::mark));
    router.merge(Routes { router: router_of_pages, ..pages })
}

fn hook_key_routes(router: Routes) -> Routes {
    router
        .route("/api/v1/hook-keys", get(hook_keys::list).post(hook_keys::create))
        .route("/api/v1/hook-keys/{id}", get(hook_keys::get).put(hook_keys::rename).delete(hook_keys::delete))
        .route("/api/v1/hook-keys/public/{keyId}", get(hook_keys::public))
        .route("/hookwright/v1/hook-keys/jwks", get(hook_keys::key_set))
        .route(
            "/hookwright/v1/inlineHooks/{id}/signingSecrets",
            get(signing_secrets::list).post(signing_secrets::create),
        )
        .route("/hookwright/v1/inlineHooks/{id}/signingSecrets/{secret}", delete(signing_secrets::delete))
}

/// People, groups, policies, apps, origins and tokens.
fn identity_routes(router: Routes) -> Routes {
    let router = user_routes(router);
    let router = policy_routes(router);
    let group = get(groups::get).put(groups::replace).delete(groups::delete);
    let app = get(apps::get).put(apps::replace).delete(apps::delete);
    let origin = get(trusted_origins::get).put(trusted_origins::replace).delete(trusted_origins::delete);
    router
        .route("/api/v1/groups", get(groups::list).post(groups::create))
        .route("/api/v1/groups/{id}", group)
        .route("/api/v1/groups/{id}/users", get(groups::members))
        .route("/api/v1/groups/{id}/users/{user}", put(groups::add_member).delete(groups::remove_member))
        .route("/api/v1/apps", get(apps::list).post(apps::create))
        .route("/api/v1/apps/{id}", app)
        .route("/api/v1/apps/{id}/lifecycle/activate", post(apps::activate))
        .route("/api/v1/apps/{id}/lifecycle/deactivate", post(apps::deactivate))
        .route("/api/v1/apps/{id}/policies/{policy}", put(apps::assign_policy))
        .route("/api/v1/trustedOrigins", get(trusted_origins::list).post(trusted_origins::create))
        .route("/api/v1/trustedOrigins/{id}", origin)
        .route("/api/v1/trustedOrigins/{id}/lifecycle/activate", post(trusted_origins::activate))
        .route("/api/v1/trustedOrigins/{id}/lifecycle/deactivate", post(trusted_origins::deactivate))
        .route("/api/v1/api-tokens", get(api_tokens::list))
        .route("/api/v1/api-tokens/current", delete(api_tokens::revoke_current))
        .route("/api/v1/api-tokens/{id}", get(api_tokens::get).delete(api_tokens::revoke))
}

fn user_routes(router: Routes) -> Routes {
    let user = get(users::get).post(users::update).put(users::replace).delete(users::delete);
    router
        .route("/api/v1/users", get(users::list).post(users::create))
        .route("/api/v1/users/me", get(users::get_own).post(users::update_own).put(users::replace_own))
        .route("/api/v1/users/{id}", user)
        .route("/api/v1/users/{id}/roles", get(roles::list).post(roles::grant))
        .route("/api/v1/users/{id}/roles/{role}", get(roles::get).delete(roles::revoke))
        .route("/api/v1/users/{id}/groups", get(users::groups))
        .route("/api/v1/users/{id}/lifecycle/{step}", post(users::lifecycle))
        .route("/api/v1/users/{id}/credentials/forgot_password", post(users::forgot_password))
        .route("/api/v1/users/{id}/credentials/change_password", post(users::change_password))
        .route("/api/v1/meta/types/user", get(users::types))
        .route("/api/v1/meta/types/user/{id}", get(users::get_type))
        .route("/api/v1/meta/schemas/user/{id}", get(users::get_schema).post(users::update_schema))
}

fn policy_routes(router: Routes) -> Routes {
    let policy = get(policies::get).put(policies::replace).delete(policies::delete);
    let rule = get(policies::get_rule).put(policies::replace_rule).delete(policies::delete_rule);
    router
        .route("/api/v1/policies", get(policies::list).post(policies::create))
        .route("/api/v1/policies/{id}", policy)
        .route("/api/v1/policies/{id}/lifecycle/activate", post(policies::activate))
        .route("/api/v1/policies/{id}/lifecycle/deactivate", post(policies::deactivate))
        .route("/api/v1/policies/{id}/rules", get(policies::rules).post(policies::create_rule))
        .route("/api/v1/policies/{id}/rules/{rule}", rule)
        .route("/api/v1/policies/{id}/rules/{rule}/lifecycle/activate", post(policies::delete_rule))
        .route("/api/v1/policies/{id}/rules/{rule}/lifecycle/deactivate", post(policies::delete_rule))
        .route("/api/v1/policies/{id}/app", get(policies::applications))
        .route("/api/v1/policies/{id}/mappings", get(policies::mappings).post(policies::create_mapping))
        .route("/api/v1/policies/{id}/mappings/{mapping}", get(policies::mapping))
}
