//! Groups of users: create, read, replace, delete, and who is in them.

use hookwright_model::Violations;
use hookwright_model::group::Group;
use hookwright_model::id::{GroupId, GroupKind, UserKind};
use hookwright_model::profile::TAKEN;
use hookwright_model::user::Detail;
use hookwright_store::{Change, CommitError, Conflict, UserQuery};
use serde_json::{Map, Value};

use crate::events::{self, group_target, user_target};
use crate::listing::{Listing, PageQuery, page};
use crate::searching::{Scan, read_criteria};
use crate::{App, Caller, Error};

const OBJECT: &str = "group";

/// What `filter` and `search` of groups may look at.
const SEARCHED: [&str; 7] =
    ["id", "type", "created", "lastUpdated", "lastMembershipUpdated", "profile.name", "profile.description"];

/// The most groups of one page.
const MAX_PAGE: usize = 10_000;

/// The most members of one page.
const MAX_MEMBERS: usize = 1_000;

/// Which groups to list, as the query says it.
#[derive(Debug, Default)]
pub struct GroupQuery {
    /// Only those whose name begins so.
    pub q: Option<String>,
    /// Only those for which this SCIM expression holds.
    pub filter: Option<String>,
    /// As `filter`; both must hold.
    pub search: Option<String>,
    /// Which page.
    pub page: PageQuery,
}

impl App {
    /// Makes a group.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each wrong field or a taken name.
    pub async fn create_group(&self, caller: &Caller, body: &Map<String, Value>) -> Result<Value, Error> {
        let now = self.now();
        let id = GroupId::mint_at(now, self.entropy());
        let group = Group::create(id, body, now).map_err(invalid)?;
        let event = self.event(events::GROUP_CREATED, caller, group_target(&group), now);
        let changes = vec![Change::InsertGroup(group.clone()), Change::AppendEvents(vec![event])];
        self.commit(changes, |_| ()).await.map_err(refusal)?;
        Ok(group.to_json(&self.settings().public_url))
    }

    /// A group as the API shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn group(&self, id: &GroupId) -> Result<Value, Error> {
        Ok(self.stored_group(id).await?.to_json(&self.settings().public_url))
    }

    /// A page of groups.
    ///
    /// # Errors
    /// [`Error::InvalidSearch`], [`Error::InvalidQuery`], [`Error::BadCursor`].
    pub async fn groups(&self, query: &GroupQuery) -> Result<Listing, Error> {
        let limit = query.page.limit(MAX_PAGE, MAX_PAGE)?;
        let criteria = read_criteria([&query.filter, &query.search], |name| SEARCHED.contains(&name))?;
        let base = &self.settings().public_url;
        let prefix = query.q.as_deref().unwrap_or_default();
        let after = query.page.after::<GroupKind>()?;
        let mut scan = Scan::new(criteria, after, limit);
        while let Some((after, step)) = scan.wanted() {
            let groups = self.inner.store.groups(prefix, &after, step).await?;
            scan.look_at(groups.iter().map(|group| (group.id.to_string(), group.to_json(base))));
        }
        Ok(scan.listing())
    }

    /// Replaces a group's name and description (PUT).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::WrongState`] for the built-in group.
    pub async fn replace_group(
        &self,
        caller: &Caller,
        id: &GroupId,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let now = self.now();
            let stored = self.own_group(id).await?;
            let group = stored.replaced(body, now).map_err(invalid)?;
            let event = self.event(events::GROUP_UPDATED, caller, group_target(&group), now);
            let changes = vec![Change::UpdateGroup(group.clone()), Change::AppendEvents(vec![event])];
            match self.commit(changes, |_| ()).await {
                Ok(()) => return Ok(group.to_json(&self.settings().public_url)),
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// Deletes a group for good.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] for the built-in group and one that a policy adds people to.
    pub async fn delete_group(&self, caller: &Caller, id: &GroupId) -> Result<(), Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let group = self.own_group(id).await?;
            let event = self.event(events::GROUP_DELETED, caller, group_target(&group), self.now());
            let deletion = Change::DeleteGroup { id: id.clone(), revision: group.revision };
            match self.commit(vec![deletion, Change::AppendEvents(vec![event])], |_| ()).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(CommitError::Conflict(Conflict::Reference)) => return Err(self.group_in_use(id).await?),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A page of the users in a group.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InvalidQuery`], [`Error::BadCursor`].
    pub async fn group_members(&self, id: &GroupId, query: &PageQuery) -> Result<Listing, Error> {
        self.stored_group(id).await?;
        let limit = query.limit(MAX_MEMBERS, MAX_MEMBERS)?;
        let asked = UserQuery {
            group: Some(id.to_string()),
            deprovisioned: true,
            after: Some(query.after::<UserKind>()?.to_owned()),
            limit: limit + 1,
            ..UserQuery::default()
        };
        let (users, next) = page(self.inner.store.users(&asked).await?, limit, |user| user.id.to_string());
        let base = &self.settings().public_url;
        Ok(Listing { items: users.iter().map(|user| user.to_json(base, Detail::Listed)).collect(), next })
    }

    /// Adds a user to a group; adding again changes nothing and logs nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] for the built-in group.
    pub async fn add_group_member(&self, caller: &Caller, id: &GroupId, user: &str) -> Result<(), Error> {
        self.change_membership(caller, id, user, true).await
    }

    /// Takes a user out of a group; taking out again changes nothing and logs nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] for the built-in group.
    pub async fn remove_group_member(&self, caller: &Caller, id: &GroupId, user: &str) -> Result<(), Error> {
        self.change_membership(caller, id, user, false).await
    }

    async fn change_membership(&self, caller: &Caller, id: &GroupId, user: &str, join: bool) -> Result<(), Error> {
        let group = self.own_group(id).await?;
        let user = self.stored_user(user).await?;
        let groups = self.inner.store.groups_of_user(user.id.as_str()).await?;
        if groups.iter().any(|other| other.id == *id) == join {
            return Ok(());
        }
        let at = self.now();
        let (kind, change) = if join {
            (events::USER_JOINED_GROUP, Change::AddGroupMember { group: id.clone(), user: user.id.clone() })
        } else {
            (events::MEMBER_REMOVED, Change::RemoveGroupMember { group: id.clone(), user: user.id.clone() })
        };
        let mut event = self.event(kind, caller, user_target(&user), at);
        event.targets.push(group_target(&group));
        let touch = Change::TouchGroupMembership { group: id.clone(), at: at.whole_seconds() };
        match self.commit(vec![change, touch, Change::AppendEvents(vec![event])], |_| ()).await {
            // One of the two went in this moment.
            Err(CommitError::Conflict(Conflict::Reference)) => Err(Error::not_found(id)),
            other => Ok(other?),
        }
    }

    pub(crate) async fn stored_group(&self, id: &GroupId) -> Result<Group, Error> {
        if !id.is_plausible() {
            return Err(Error::not_found(id));
        }
        self.inner.store.group(id.as_str()).await?.ok_or_else(|| Error::not_found(id))
    }

    /// A group that is not the built-in one.
    async fn own_group(&self, id: &GroupId) -> Result<Group, Error> {
        let group = self.stored_group(id).await?;
        if group.built_in {
            return Err(Error::WrongState(format!("The group {} is built in and cannot be changed.", group.name)));
        }
        Ok(group)
    }

    async fn group_in_use(&self, id: &GroupId) -> Result<Error, Error> {
        let policies = self.inner.store.enrollment_policies_with_group(id.as_str()).await?;
        let named = policies.first().map_or_else(String::new, |policy| format!(" {} ({})", policy.name, policy.id));
        Ok(Error::WrongState(format!("The group {id} is used by the user profile policy{named}.")))
    }
}

fn refusal(error: CommitError) -> Error {
    match error {
        CommitError::Conflict(Conflict::NameTaken) => Error::invalid(OBJECT, "name", TAKEN),
        error => error.into(),
    }
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}
