//! Users, a page at a time: by their first letters, or by SCIM expressions over what the API shows of them.

use hookwright_model::id::UserKind;
use hookwright_model::scim_filter::Filter;
use hookwright_model::user::{Detail, User};
use hookwright_model::user_schema::UniqueValue;
use hookwright_store::UserQuery;
use serde_json::Value;

use crate::listing::{Listing, PageQuery};
use crate::searching::{Scan, read_criteria};
use crate::{App, Error};

/// The most users of one page.
const MAX_PAGE: usize = 200;

/// How many `q` finds where the query sets no limit.
const DEFAULT_FOUND: usize = 10;

/// What `filter` may look at.
const FILTERED: [&str; 7] =
    ["id", "status", "lastUpdated", "profile.login", "profile.email", "profile.firstName", "profile.lastName"];

/// What `search` may look at besides the profile.
const SEARCHED: [&str; 8] =
    ["id", "status", "created", "activated", "statusChanged", "lastUpdated", "passwordChanged", "type.id"];

/// Which users to list, as the query says it.
#[derive(Debug, Default)]
pub struct UserListQuery {
    /// Only those whose login, email address, first or last name begins so.
    pub q: Option<String>,
    /// Only those for which this SCIM expression holds; it may look at few attributes.
    pub filter: Option<String>,
    /// Only those for which this SCIM expression holds; it may look at the whole profile.
    pub search: Option<String>,
    /// Which page.
    pub page: PageQuery,
}

impl App {
    /// A page of users. Without `filter` and `search` those who are DEPROVISIONED are left out.
    ///
    /// # Errors
    /// [`Error::InvalidSearch`], [`Error::InvalidQuery`], [`Error::BadCursor`].
    pub async fn users(&self, query: &UserListQuery) -> Result<Listing, Error> {
        let default = if query.q.is_some() { DEFAULT_FOUND } else { MAX_PAGE };
        let limit = query.page.limit(default, MAX_PAGE)?;
        let schema = self.cached_schema().await?;
        let in_profile = |name: &str| name.strip_prefix("profile.").is_some_and(|name| schema.get(name).is_some());
        let mut criteria = read_criteria([&query.filter], |name| FILTERED.contains(&name))?;
        criteria.extend(read_criteria([&query.search], |name| SEARCHED.contains(&name) || in_profile(name))?);
        let after = query.page.after::<UserKind>()?;
        let base = &self.settings().public_url;
        let show = |user: &User| {
            let user = User { profile: schema.known_part(&user.profile), ..user.clone() };
            user.to_json(base, Detail::Listed)
        };
        if let [only] = criteria.as_slice()
            && query.q.is_none()
            && let Some(found) = self.user_by_exact(only).await?
        {
            let there = found.filter(|user| user.id.as_str() > after);
            return Ok(Listing { items: there.iter().map(show).collect(), next: None });
        }
        let deprovisioned = !criteria.is_empty();
        let mut scan = Scan::new(criteria, after, limit);
        while let Some((after, step)) = scan.wanted() {
            let prefix = query.q.clone();
            let asked = UserQuery { prefix, deprovisioned, after: Some(after), limit: step, ..UserQuery::default() };
            let users = self.inner.store.users(&asked).await?;
            scan.look_at(users.iter().map(|user| (user.id.to_string(), show(user))));
        }
        Ok(scan.listing())
    }

    /// The groups of a user.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn groups_of_user(&self, id_or_login: &str) -> Result<Listing, Error> {
        let user = self.stored_user(id_or_login).await?;
        let groups = self.inner.store.groups_of_user(user.id.as_str()).await?;
        let base = &self.settings().public_url;
        Ok(Listing { items: groups.iter().map(|group| group.to_json(base)).collect(), next: None })
    }

    /// The user that an expression such as `profile.login eq "…"` asks for, if an index knows; `None` if it has to be
    /// looked for.
    async fn user_by_exact(&self, filter: &Filter) -> Result<Option<Option<User>>, Error> {
        let Some((attribute, text)) = filter.as_equal_text() else { return Ok(None) };
        let found = match attribute.to_string().as_str() {
            "id" => self.inner.store.user(text).await?,
            "profile.login" => self.inner.store.user_by_login(text).await?,
            "profile.email" => {
                let Some(value) = UniqueValue::of("email", &Value::from(text)) else { return Ok(None) };
                self.inner.store.user_by_unique_value(&value).await?
            }
            _ => return Ok(None),
        };
        // An index is less strict than the expression: it takes letters with and without marks for the same.
        Ok(Some(found.filter(|user| filter.matches(&user.to_json("", Detail::Listed)))))
    }
}
