//! What every org has from its first start: the user schema, the group of everybody, the default policy, the dashboard.

use hookwright_model::application::Application;
use hookwright_model::enrollment_policy::{EnrollmentPolicy, PolicyIds};
use hookwright_model::group::Group;
use hookwright_model::id::{AppId, GroupId, PolicyId, PolicyRuleId, RegistrationSourceId};
use hookwright_model::user_schema::UserSchema;
use hookwright_store::{Change, CommitError, Conflict};

use crate::{App, Error};

impl App {
    /// Makes what every org has, if it is not there yet. Nodes that start together make it once.
    ///
    /// # Errors
    /// The store's.
    pub async fn prepare_org(&self) -> Result<(), Error> {
        if self.inner.store.user_schema().await?.is_some() {
            return Ok(());
        }
        let now = self.now();
        let policy = EnrollmentPolicy::default_policy(self.mint_policy_ids(), now);
        let dashboard = Application::dashboard(AppId::mint_at(now, self.entropy()), policy.id.clone(), now);
        let changes = vec![
            Change::InsertUserSchema(UserSchema::new(now)),
            Change::InsertGroup(Group::everyone(GroupId::mint_at(now, self.entropy()), now)),
            Change::InsertEnrollmentPolicy { policy: Box::new(policy), limit: 1 },
            Change::InsertApplication(Box::new(dashboard)),
        ];
        match self.inner.store.commit(changes).await {
            Ok(()) | Err(CommitError::Conflict(Conflict::AlreadyThere)) => {
                self.forget_schema();
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn mint_policy_ids(&self) -> PolicyIds {
        let now = self.now();
        PolicyIds {
            policy: PolicyId::mint_at(now, self.entropy()),
            rule: PolicyRuleId::mint_at(now, self.entropy()),
            source: RegistrationSourceId::mint(self.entropy()),
        }
    }
}
