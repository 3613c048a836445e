//! A commit made ready: changes turned into statements and chunks, before any connection is held.

use crate::change::Change;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::journal::chunk::{Chunk, Kind};
use crate::keyring::Keyring;
use crate::statement::{Argument, Statement};
use crate::{
    api_tokens, applications, enrollment_policies, flows, groups, hook_keys, inline_hooks, oauth_change,
    signing_secrets, trusted_origins, user_schemas, users,
};

/// What one commit writes: the statements in order, then the chunks for the journal.
#[derive(Clone, Default)]
pub(crate) struct Work {
    pub(crate) statements: Vec<Statement>,
    pub(crate) chunks: Vec<Chunk>,
}

impl Work {
    /// Seals, encodes and packs, on the caller's time.
    pub(crate) fn of(changes: Vec<Change>, dialect: Dialect, keyring: &Keyring) -> Result<Self, StoreError> {
        let mut work = Self::default();
        for change in changes {
            work.add(change, dialect, keyring)?;
        }
        work.check_texts()?;
        Ok(work)
    }

    fn add(&mut self, change: Change, dialect: Dialect, keyring: &Keyring) -> Result<(), StoreError> {
        match change {
            Change::InsertInlineHook { hook, limit } => {
                self.statements.extend(inline_hooks::insert(dialect, keyring, &hook, limit)?);
            }
            Change::UpdateInlineHook(hook) => self.statements.extend(inline_hooks::update(keyring, &hook)?),
            Change::DeleteInlineHook { id, revision } => {
                self.statements.extend(inline_hooks::delete(dialect, &id, revision));
            }
            Change::InsertHookKey { key, private_key, limit } => {
                self.statements.extend(hook_keys::insert(keyring, &key, &private_key, limit)?);
            }
            Change::UpdateHookKey(key) => self.statements.push(hook_keys::update(&key)),
            Change::DeleteHookKey { id, revision } => self.statements.extend(hook_keys::delete(&id, revision)),
            Change::InsertSigningSecret { description, secret, hook_revision, others_end } => {
                let insert = signing_secrets::insert(keyring, &description, &secret, hook_revision, others_end)?;
                self.statements.extend(insert);
            }
            Change::DeleteSigningSecret { id, hook_id, hook_revision } => {
                self.statements.extend(signing_secrets::delete(&id, &hook_id, hook_revision));
            }
            Change::InsertApiToken(token) => self.statements.push(api_tokens::insert(&token)),
            Change::TouchApiToken { id, last_used, expires } => {
                self.statements.push(api_tokens::touch(&id, last_used, expires));
            }
            Change::RevokeApiToken { id, at } => self.statements.push(api_tokens::revoke(&id, at)),
            Change::AppendEvents(events) => {
                for event in &events {
                    self.add_item(Kind::Events, |chunk| chunk.add_event(event))?;
                }
            }
            Change::AppendExecution(execution) => {
                self.add_item(Kind::Executions, |chunk| chunk.add_execution(&execution))?;
            }
            Change::Flow(change) => self.statements.extend(flows::statements(change)?),
            Change::OAuth(change) => self.statements.extend(oauth_change::statements(change, keyring)?),
            change => self.add_identity(change, dialect, keyring)?,
        }
        Ok(())
    }

    /// People, groups, their schema, policies, apps and origins.
    fn add_identity(&mut self, change: Change, dialect: Dialect, keyring: &Keyring) -> Result<(), StoreError> {
        let statement = match change {
            Change::InsertUserSchema(schema) => user_schemas::insert(&schema)?,
            Change::UpdateUserSchema(schema) => user_schemas::update(&schema)?,
            Change::ClaimValue { user, revision, value } => user_schemas::claim_later(&user, revision, value),
            Change::ReleaseValues { attribute } => user_schemas::release(attribute),
            Change::InsertUser { user, values, schema_revision } => {
                self.statements.extend(users::insert(dialect, &user, values, schema_revision)?);
                return Ok(());
            }
            Change::UpdateUserProfile { user, values, schema_revision } => {
                self.statements.extend(users::update_profile(dialect, &user, values, schema_revision)?);
                return Ok(());
            }
            Change::UpdateUser(user) => users::update(&user),
            Change::NoteSignIn { id, at } => users::note_sign_in(&id, at),
            Change::DeleteUser { id, revision } => users::delete(&id, revision),
            Change::InsertGroup(group) => groups::insert(&group),
            Change::UpdateGroup(group) => groups::update(&group),
            Change::DeleteGroup { id, revision } => groups::delete(&id, revision),
            Change::AddGroupMember { group, user } => groups::add_member(&group, &user),
            Change::RemoveGroupMember { group, user } => groups::remove_member(&group, &user),
            Change::TouchGroupMembership { group, at } => groups::touch(&group, at),
            Change::InsertEnrollmentPolicy { policy, limit } => enrollment_policies::insert(&policy, limit)?,
            Change::UpdateEnrollmentPolicy(policy) => enrollment_policies::update(&policy)?,
            Change::DeleteEnrollmentPolicy { id, revision } => {
                self.statements.extend(enrollment_policies::delete(&id, revision));
                return Ok(());
            }
            Change::InsertApplication(app) => applications::insert(keyring, &app)?,
            Change::UpdateApplication(app) => applications::update(keyring, &app)?,
            Change::DeleteApplication { id, revision } => applications::delete(&id, revision),
            Change::InsertTrustedOrigin(origin) => trusted_origins::insert(&origin),
            Change::UpdateTrustedOrigin(origin) => trusted_origins::update(&origin),
            Change::DeleteTrustedOrigin { id, revision } => trusted_origins::delete(&id, revision),
            Change::InsertInlineHook { .. }
            | Change::UpdateInlineHook(_)
            | Change::DeleteInlineHook { .. }
            | Change::InsertHookKey { .. }
            | Change::UpdateHookKey(_)
            | Change::DeleteHookKey { .. }
            | Change::InsertSigningSecret { .. }
            | Change::DeleteSigningSecret { .. }
            | Change::InsertApiToken(_)
            | Change::TouchApiToken { .. }
            | Change::RevokeApiToken { .. }
            | Change::Flow(_)
            | Change::OAuth(_)
            | Change::AppendEvents(_)
            | Change::AppendExecution(_) => return Ok(()),
        };
        self.statements.push(statement);
        Ok(())
    }

    /// Statements alone.
    pub(crate) fn of_statements(statements: Vec<Statement>) -> Self {
        Self { statements, chunks: Vec::new() }
    }

    /// Chunks alone.
    pub(crate) fn of_chunks(chunks: Vec<Chunk>) -> Self {
        Self { statements: Vec::new(), chunks }
    }

    /// Adds an item to the last chunk if that is of its kind and not full, or to a fresh one: items stay in order.
    fn add_item(
        &mut self,
        kind: Kind,
        add: impl FnOnce(&mut Chunk) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.kind() == kind && !chunk.is_full() => add(chunk),
            _ => {
                let mut chunk = Chunk::new(kind);
                add(&mut chunk)?;
                self.chunks.push(chunk);
                Ok(())
            }
        }
    }

    /// PostgreSQL's text has no U+0000; so that both engines keep the same, neither gets one.
    fn check_texts(&self) -> Result<(), StoreError> {
        let bad = |argument: &Argument| match argument {
            Argument::Text(text) | Argument::OptionalText(Some(text)) => text.contains('\0'),
            _ => false,
        };
        if self.statements.iter().flat_map(|statement| &statement.arguments).any(bad) {
            return Err(StoreError::Unstorable("a text with U+0000".to_owned()));
        }
        Ok(())
    }
}
