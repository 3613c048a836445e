//! Every route, on one page.

use axum::Router;
use axum::routing::{get, post};
use hookwright_app::App;

use crate::api::routes::identity_routes;
use crate::api::{executions, inline_hooks, logs};
use crate::error::ApiError;
use crate::operations;

/// The routes of an org.
pub fn router(app: App) -> Router {
    let router = Router::new()
        .route("/api/v1/logs", get(logs::list))
        .route("/hookwright/v1/executions", get(executions::list))
        .route("/hookwright/v1/executions/{id}", get(executions::get))
        .route("/hookwright/v1/openapi.json", get(operations::openapi))
        .route("/healthz", get(operations::health))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics));
    let router = inline_hook_routes(router, "/api/v1/inlineHooks");
    // The curl lines of the 2018 document spell it so.
    let router = inline_hook_routes(router, "/api/v1/inlineHook");
    let router = identity_routes(router);
    router
        .fallback(async || ApiError::unknown_path())
        .method_not_allowed_fallback(async || ApiError::wrong_method())
        .with_state(app)
}

fn inline_hook_routes(router: Router<App>, base: &str) -> Router<App> {
    let one = get(inline_hooks::get).put(inline_hooks::replace).post(inline_hooks::update).delete(inline_hooks::delete);
    router
        .route(base, get(inline_hooks::list).post(inline_hooks::create))
        .route(&format!("{base}/{{id}}"), one)
        .route(&format!("{base}/{{id}}/lifecycle/activate"), post(inline_hooks::activate))
        .route(&format!("{base}/{{id}}/lifecycle/deactivate"), post(inline_hooks::deactivate))
        .route(&format!("{base}/{{id}}/execute"), post(inline_hooks::execute))
}
