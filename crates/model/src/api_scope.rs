//! Okta's API scopes: what a request needs, and what a token that was narrowed to some of them may do.

use std::fmt;

use crate::admin_role::AdminRole;
use crate::names::names;

names! {
    /// What a scope is about: the middle of its name.
    ApiArea {
        /// Inline hooks, their executions, signing secrets and settings, and hook keys.
        InlineHooks = "inlineHooks",
        /// Users, without their roles.
        Users = "users",
        /// Which administrator roles users have.
        Roles = "roles",
        /// Groups and their members.
        Groups = "groups",
        /// Policies and their rules.
        Policies = "policies",
        /// The user schema.
        Schemas = "schemas",
        /// User types.
        UserTypes = "userTypes",
        /// Apps.
        Apps = "apps",
        /// Authorization servers and their keys.
        AuthorizationServers = "authorizationServers",
        /// Trusted origins.
        TrustedOrigins = "trustedOrigins",
        /// API tokens.
        ApiTokens = "apiTokens",
        /// The System Log, and what is measured.
        Logs = "logs",
        /// The org itself.
        Orgs = "orgs",
    }
}

names! {
    /// What a scope lets its bearer do: the end of its name.
    ApiAccess {
        /// Look at oneself.
        ReadSelf = "read.self",
        /// Look.
        Read = "read",
        /// Look and change.
        Manage = "manage",
    }
}

/// A scope such as `okta.inlineHooks.manage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiScope {
    /// What it is about.
    pub area: ApiArea,
    /// What it lets its bearer do.
    pub access: ApiAccess,
}

impl ApiScope {
    /// All scopes that there are, in the order of their areas.
    pub fn all() -> impl Iterator<Item = Self> {
        let known = |scope: &Self| match scope.access {
            ApiAccess::ReadSelf => scope.area == ApiArea::Users,
            ApiAccess::Read => true,
            ApiAccess::Manage => scope.area != ApiArea::Logs,
        };
        let of_area = |area| ApiAccess::ALL.into_iter().map(move |access| Self { area, access });
        ApiArea::ALL.into_iter().flat_map(of_area).filter(known)
    }

    /// Reads the name of a scope, in this very spelling.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (area, access) = name.strip_prefix("okta.")?.split_once('.')?;
        let found = Self { area: ApiArea::parse(area)?, access: ApiAccess::parse(access)? };
        Self::all().find(|scope| *scope == found)
    }

    /// Whether who has this scope may do what `other` names: who may change may look, and who may look may look at themselves.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        let rank = |access| match access {
            ApiAccess::ReadSelf => 0,
            ApiAccess::Read => 1,
            ApiAccess::Manage => 2,
        };
        self.area == other.area && rank(self.access) >= rank(other.access)
    }
}

impl fmt::Display for ApiScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "okta.{}.{}", self.area.as_str(), self.access.as_str())
    }
}

/// The scopes that a token was narrowed to; none for a token that may do all that its owner may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiScopes(Vec<ApiScope>);

/// A scope that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope {name:?}{}", .nearest.map(|scope| format!("; did you mean {scope}?")).unwrap_or_default())]
pub struct UnknownScope {
    /// What was given.
    pub name: String,
    /// The scope with the most similar name.
    pub nearest: Option<ApiScope>,
}

impl ApiScopes {
    /// Reads names of scopes, between commas or blanks.
    ///
    /// # Errors
    /// [`UnknownScope`] for the first that there is not.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        let mut scopes = Vec::new();
        for name in text.split([',', ' ']).filter(|name| !name.is_empty()) {
            let Some(scope) = ApiScope::parse(name) else {
                let names: Vec<String> = ApiScope::all().map(|scope| scope.to_string()).collect();
                let nearest = hookwright_contract::nearest(name, names.iter().map(String::as_str));
                return Err(UnknownScope { name: name.to_owned(), nearest: nearest.and_then(ApiScope::parse) });
            };
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Ok(Self(scopes))
    }

    /// Whether there is none, which narrows nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in the order that they were given.
    pub fn iter(&self) -> impl Iterator<Item = ApiScope> {
        self.0.iter().copied()
    }
}

/// As they are kept and listed: their names with blanks between them.
impl fmt::Display for ApiScopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.iter().map(|scope| scope.to_string()).collect();
        formatter.write_str(&names.join(" "))
    }
}

/// Why somebody may not do what they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lacking {
    /// The owner of the token is no administrator.
    #[error("The owner of this API token has no administrator role")]
    Role,
    /// The owner of the token may only look.
    #[error("The owner of this API token is a read-only administrator")]
    SuperAdmin,
    /// The token was narrowed to other scopes.
    #[error("This API token lacks the scope {0}")]
    Scope(ApiScope),
}

/// Whether the owner of a token, with this role, may do what `need` names with a token of these scopes.
///
/// # Errors
/// What is lacking.
pub fn check(role: Option<AdminRole>, scopes: &ApiScopes, need: ApiScope) -> Result<(), Lacking> {
    match (role, need.access) {
        (Some(AdminRole::SuperAdmin), _)
        | (Some(AdminRole::ReadOnlyAdmin), ApiAccess::Read)
        | (_, ApiAccess::ReadSelf) => {}
        (Some(AdminRole::ReadOnlyAdmin), ApiAccess::Manage) => return Err(Lacking::SuperAdmin),
        (None, _) => return Err(Lacking::Role),
    }
    if scopes.is_empty() || scopes.iter().any(|scope| scope.covers(need)) { Ok(()) } else { Err(Lacking::Scope(need)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(name: &str) -> ApiScope {
        ApiScope::parse(name).unwrap()
    }

    #[test]
    fn each_scope_is_read_by_its_name() {
        for scope in ApiScope::all() {
            assert_eq!(ApiScope::parse(&scope.to_string()), Some(scope));
        }
        for wrong in
            ["", "okta", "okta.users", "okta.logs.manage", "okta.apps.read.self", "okta.users.Read", "users.read"]
        {
            assert_eq!(ApiScope::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn scopes_are_kept_as_they_are_listed() {
        let scopes = ApiScopes::parse("okta.users.manage,okta.logs.read okta.users.manage").unwrap();
        assert_eq!(scopes.to_string(), "okta.users.manage okta.logs.read");
        assert_eq!(ApiScopes::parse(&scopes.to_string()), Ok(scopes));
        assert!(ApiScopes::parse(" ,").unwrap().is_empty());
    }

    #[test]
    fn an_unknown_scope_is_refused_with_the_nearest_one() {
        let unknown = ApiScopes::parse("okta.users.read,okta.inlinehook.manage").unwrap_err();
        assert_eq!(unknown.nearest, Some(scope("okta.inlineHooks.manage")));
        assert!(unknown.to_string().ends_with("did you mean okta.inlineHooks.manage?"), "{unknown}");
        assert_eq!(ApiScopes::parse("nothing").unwrap_err().to_string(), "there is no scope \"nothing\"");
    }

    #[test]
    fn who_may_change_may_look_and_no_further() {
        assert!(scope("okta.users.manage").covers(scope("okta.users.read")));
        assert!(scope("okta.users.read").covers(scope("okta.users.read.self")));
        assert!(!scope("okta.users.read").covers(scope("okta.users.manage")));
        assert!(!scope("okta.users.read.self").covers(scope("okta.users.read")));
        assert!(!scope("okta.users.manage").covers(scope("okta.roles.read")));
    }

    #[test]
    fn role_and_scopes_both_have_to_allow_it() {
        let (all, some) = (ApiScopes::default(), ApiScopes::parse("okta.apps.manage").unwrap());
        let (read, manage) = (scope("okta.apps.read"), scope("okta.apps.manage"));
        let (full, reader) = (Some(AdminRole::SuperAdmin), Some(AdminRole::ReadOnlyAdmin));
        assert_eq!(check(full, &all, manage), Ok(()));
        assert_eq!(check(full, &some, manage), Ok(()));
        assert_eq!(check(full, &some, scope("okta.users.read")), Err(Lacking::Scope(scope("okta.users.read"))));
        assert_eq!(check(reader, &all, read), Ok(()));
        assert_eq!(check(reader, &some, manage), Err(Lacking::SuperAdmin));
        assert_eq!(check(None, &all, read), Err(Lacking::Role));
        assert_eq!(check(None, &all, scope("okta.users.read.self")), Ok(()));
    }
}
