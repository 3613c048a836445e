//! `/api/v1/policies`: user profile policies (`PROFILE_ENROLLMENT`) and their one rule each.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use hookwright_app::{App, Error, PolicyQuery};
use hookwright_model::id::{PolicyId, PolicyKind, PolicyRuleId};
use hookwright_model::lifecycle::LifecycleStatus;

use super::auth::Authenticated;
use super::body::{JsonBytes, JsonObject};
use super::listing::{listed, page_query};
use super::path::{PathId, PathTexts};
use super::query::Query;
use super::{Result, shown};

type Policy = PathId<PolicyKind>;

/// `POST /api/v1/policies?activate=`
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: Query,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.create_policy(&caller, &body, query.is_on("activate", true)).await?))
}

/// `GET /api/v1/policies?type=&status=&q=&resourceId=&after=&limit=`
pub(crate) async fn list(State(app): State<App>, _: Authenticated, uri: Uri, query: Query) -> Result {
    let asked = PolicyQuery {
        policy_type: query.owned("type"),
        status: query.owned("status"),
        q: query.owned("q"),
        resource_id: query.owned("resourceId"),
        page: page_query(&query),
    };
    let listing = app.policies(&asked).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/policies/{id}`
pub(crate) async fn get(State(app): State<App>, _: Authenticated, PathId(id): Policy) -> Result {
    Ok(shown(&app.policy(&id).await?))
}

/// `PUT /api/v1/policies/{id}`
pub(crate) async fn replace(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): Policy,
    JsonObject(body): JsonObject,
) -> Result {
    Ok(shown(&app.replace_policy(&caller, &id, &body).await?))
}

/// `DELETE /api/v1/policies/{id}`
pub(crate) async fn delete(State(app): State<App>, Authenticated(caller): Authenticated, PathId(id): Policy) -> Result {
    app.delete_policy(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/v1/policies/{id}/lifecycle/activate`
pub(crate) async fn activate(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): Policy,
) -> Result {
    app.set_policy_status(&caller, &id, LifecycleStatus::Active).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/v1/policies/{id}/lifecycle/deactivate`
pub(crate) async fn deactivate(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): Policy,
) -> Result {
    app.set_policy_status(&caller, &id, LifecycleStatus::Inactive).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /api/v1/policies/{id}/rules`
pub(crate) async fn rules(
    State(app): State<App>,
    _: Authenticated,
    PathId(id): Policy,
    uri: Uri,
    query: Query,
) -> Result {
    let listing = app.policy_rules(&id).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/policies/{id}/rules/{rule}`
pub(crate) async fn get_rule(State(app): State<App>, _: Authenticated, ids: PathTexts) -> Result {
    let (id, rule) = rule_ids(ids);
    Ok(shown(&app.policy_rule(&id, &rule).await?))
}

/// `PUT /api/v1/policies/{id}/rules/{rule}`
pub(crate) async fn replace_rule(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    ids: PathTexts,
    JsonObject(body): JsonObject,
) -> Result {
    let (id, rule) = rule_ids(ids);
    Ok(shown(&app.replace_policy_rule(&caller, &id, &rule, &body).await?))
}

/// `POST /api/v1/policies/{id}/rules`: refused, such a policy has its one rule already.
pub(crate) async fn create_rule(State(app): State<App>, _: Authenticated, PathId(id): Policy, _: JsonBytes) -> Result {
    app.refuse_rule_change(&id, None).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/policies/{id}/rules/{rule}`: refused, the rule goes with the policy.
pub(crate) async fn delete_rule(State(app): State<App>, _: Authenticated, ids: PathTexts) -> Result {
    let (id, rule) = rule_ids(ids);
    app.refuse_rule_change(&id, Some(&rule)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /api/v1/policies/{id}/app`
pub(crate) async fn applications(
    State(app): State<App>,
    _: Authenticated,
    PathId(id): Policy,
    uri: Uri,
    query: Query,
) -> Result {
    let listing = app.policy_applications(&id).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/policies/{id}/mappings`
pub(crate) async fn mappings(
    State(app): State<App>,
    _: Authenticated,
    PathId(id): Policy,
    uri: Uri,
    query: Query,
) -> Result {
    let listing = app.policy_mappings(&id).await?;
    listed(&app, &uri, &query, listing)
}

/// `GET /api/v1/policies/{id}/mappings/{mapping}`
pub(crate) async fn mapping(State(app): State<App>, _: Authenticated, PathTexts(id, mapping): PathTexts) -> Result {
    Ok(shown(&app.policy_mapping(&PolicyId::from_text(id), &mapping).await?))
}

/// `POST /api/v1/policies/{id}/mappings`: refused as live orgs refuse it; apps are put under a policy at the app.
pub(crate) async fn create_mapping(
    State(app): State<App>,
    _: Authenticated,
    PathId(id): Policy,
    _: JsonBytes,
) -> Result {
    app.policy(&id).await?;
    let object = "Policy mappings are no longer supported on this endpoint.";
    Err(Error::invalid(object, "", "Use PUT /api/v1/apps/{appId}/policies/{policyId} instead.").into())
}

fn rule_ids(PathTexts(policy, rule): PathTexts) -> (PolicyId, PolicyRuleId) {
    (PolicyId::from_text(policy), PolicyRuleId::from_text(rule))
}
