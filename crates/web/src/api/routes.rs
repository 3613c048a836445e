//! The routes of people, groups, policies, apps, origins and tokens, on one page.

use axum::Router;
use axum::routing::{delete, get, post, put};
use hookwright_app::App;

use super::{api_tokens, apps, groups, policies, trusted_origins, users};

/// Adds them.
pub(crate) fn identity_routes(router: Router<App>) -> Router<App> {
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

fn user_routes(router: Router<App>) -> Router<App> {
    let user = get(users::get).post(users::update).put(users::replace).delete(users::delete);
    router
        .route("/api/v1/users", get(users::list).post(users::create))
        .route("/api/v1/users/{id}", user)
        .route("/api/v1/users/{id}/groups", get(users::groups))
        .route("/api/v1/users/{id}/lifecycle/{step}", post(users::lifecycle))
        .route("/api/v1/users/{id}/credentials/change_password", post(users::change_password))
        .route("/api/v1/meta/types/user", get(users::types))
        .route("/api/v1/meta/types/user/{id}", get(users::get_type))
        .route("/api/v1/meta/schemas/user/{id}", get(users::get_schema).post(users::update_schema))
}

fn policy_routes(router: Router<App>) -> Router<App> {
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
