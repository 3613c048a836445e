//! What a commit writes: each change as statements for its tables, or as an item of the journal.

use crate::change::Change;
use crate::dialect::Dialect;
use crate::error::{CommitError, StoreError};
use crate::flow_change::FlowChange;
use crate::journal::chunk::Kind;
use crate::keyring::Keyring;
use crate::oauth_change::OAuthChange;
use crate::statement::Statement;
use crate::store::Store;
use crate::work::Work;
use crate::{
    account_links, api_tokens, applications, enrollment_policies, flow_codes, flows, groups, hook_keys, inline_hooks,
    mails, notices, oauth_grants, sessions, sign_in_failures, signing_keys, signing_secrets, trusted_origins,
    user_roles, user_schemas, users,
};

impl Store {
    /// Applies all changes or none; they are durable when it returns. Goes on also if the caller hangs up.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let touched = self.node().map(|node| notices::notify_of(&node.name, &changes));
        let mut work = work_of(changes, self.dialect(), &self.keyring())?;
        work.statements.extend(touched.flatten());
        self.write(work).await
    }
}

/// Seals, encodes and packs, on the caller's time.
fn work_of(changes: Vec<Change>, dialect: Dialect, keyring: &Keyring) -> Result<Work, StoreError> {
    let mut work = Work::default();
    for change in changes {
        add(change, &mut work, dialect, keyring)?;
    }
    work.check_texts()?;
    Ok(work)
}

fn add(change: Change, work: &mut Work, dialect: Dialect, keyring: &Keyring) -> Result<(), StoreError> {
    let statements = &mut work.statements;
    match change {
        Change::InsertInlineHook { hook, limit } => {
            work.add_counted(inline_hooks::insert(keyring, &hook, limit)?);
        }
        Change::UpdateInlineHook(hook) => statements.push(inline_hooks::update(keyring, &hook)?),
        Change::DeleteInlineHook { id, revision } => statements.extend(inline_hooks::delete(&id, revision)),
        Change::InsertHookKey { key, private_key, limit } => {
            work.add_counted(hook_keys::insert(keyring, &key, &private_key, limit)?);
        }
        Change::UpdateHookKey(key) => statements.push(hook_keys::update(&key)),
        Change::DeleteHookKey { id, revision } => statements.extend(hook_keys::delete(&id, revision)),
        Change::InsertSigningSecret { description, secret, hook_revision, others_end } => {
            let insert = signing_secrets::insert(keyring, &description, &secret, hook_revision, others_end)?;
            statements.extend(insert);
        }
        Change::DeleteSigningSecret { id, hook_id, hook_revision } => {
            statements.extend(signing_secrets::delete(&id, &hook_id, hook_revision));
        }
        Change::InsertApiToken(token) => statements.push(api_tokens::insert(&token)),
        Change::TouchApiToken { id, last_used, expires } => {
            statements.push(api_tokens::touch(&id, last_used, expires));
        }
        Change::RevokeApiToken { id, at } => statements.push(api_tokens::revoke(&id, at)),
        Change::RevokeApiTokensOfUser { user, at } => statements.push(api_tokens::revoke_of_user(&user, at)),
        Change::AdoptApiTokens { user } => statements.push(api_tokens::adopt(&user)),
        Change::InsertUserRole(role) => statements.push(user_roles::insert(&role)),
        Change::DeleteUserRole { id, user } => statements.push(user_roles::delete(&id, &user)),
        Change::LockAdministrators => statements.push(user_roles::lock()),
        Change::KeepAnAdministrator => statements.push(user_roles::check()),
        Change::InsertUserSchema(schema) => statements.push(user_schemas::insert(&schema)?),
        Change::UpdateUserSchema(schema) => statements.push(user_schemas::update(&schema)?),
        Change::ClaimValue { user, revision, value } => {
            statements.push(user_schemas::claim_later(&user, revision, value));
        }
        Change::ReleaseValues { attribute } => statements.push(user_schemas::release(attribute)),
        Change::InsertUser { user, values, schema_revision } => {
            statements.extend(users::insert(dialect, &user, values, schema_revision)?);
        }
        Change::UpdateUserProfile { user, values, schema_revision } => {
            statements.extend(users::update_profile(dialect, &user, values, schema_revision)?);
        }
        Change::UpdateUser(user) => statements.push(users::update(&user)),
        Change::NoteSignIn { id, proof_epoch, at } => {
            statements.push(users::note_sign_in(&id, proof_epoch, at));
        }
        Change::DeleteUser { id, revision } => statements.push(users::delete(&id, revision)),
        Change::InsertGroup(group) => statements.push(groups::insert(&group)),
        Change::UpdateGroup(group) => statements.push(groups::update(&group)),
        Change::DeleteGroup { id, revision } => statements.push(groups::delete(&id, revision)),
        Change::AddGroupMember { group, user } => statements.push(groups::add_member(&group, &user)),
        Change::RemoveGroupMember { group, user } => statements.push(groups::remove_member(&group, &user)),
        Change::TouchGroupMembership { group, at } => statements.push(groups::touch(&group, at)),
        Change::InsertEnrollmentPolicy { policy, limit } => {
            statements.push(enrollment_policies::insert(&policy, limit)?);
        }
        Change::UpdateEnrollmentPolicy(policy) => statements.push(enrollment_policies::update(&policy)?),
        Change::DeleteEnrollmentPolicy { id, revision } => {
            statements.extend(enrollment_policies::delete(&id, revision));
        }
        Change::InsertApplication(app) => statements.push(applications::insert(keyring, &app)?),
        Change::UpdateApplication(app) => statements.push(applications::update(keyring, &app)?),
        Change::DeleteApplication { id, revision } => statements.push(applications::delete(&id, revision)),
        Change::InsertTrustedOrigin(origin) => statements.push(trusted_origins::insert(&origin)),
        Change::UpdateTrustedOrigin(origin) => statements.push(trusted_origins::update(&origin)),
        Change::DeleteTrustedOrigin { id, revision } => statements.push(trusted_origins::delete(&id, revision)),
        Change::Flow(change) => add_flow(change, statements, keyring)?,
        Change::OAuth(change) => add_oauth(change, statements, keyring)?,
        Change::AppendEvents(events) => {
            for event in &events {
                work.add_item(Kind::Events, |chunk| chunk.add_event(event))?;
            }
        }
        Change::AppendExecution(execution) => {
            work.add_item(Kind::Executions, |chunk| chunk.add_execution(&execution))?;
        }
    }
    Ok(())
}

fn add_flow(change: FlowChange, statements: &mut Vec<Statement>, keyring: &Keyring) -> Result<(), StoreError> {
    match change {
        FlowChange::Insert(flow) => statements.push(flows::insert(&flow)?),
        FlowChange::InsertWithin { flow, network, most } => {
            statements.push(flows::insert_within(&flow, &network, most)?);
        }
        FlowChange::Update { flow, expected, is_over } => statements.push(flows::update(&flow, expected, is_over)?),
        FlowChange::Delete(id) => statements.push(flows::delete(&id)),
        FlowChange::InsertCode(code) => statements.push(flow_codes::insert(&code)?),
        FlowChange::TakeCode { sha256, at } => statements.push(flow_codes::take(&sha256, at)),
        FlowChange::InsertLink(link) => statements.push(account_links::insert(&link)),
        FlowChange::TakeLink { sha256, now } => statements.push(account_links::take(&sha256, now)),
        FlowChange::InsertSession(session) => statements.push(sessions::insert(&session)),
        FlowChange::TouchSession { id, at, expires } => statements.push(sessions::touch(&id, at, expires)),
        FlowChange::DeleteSession(id) => statements.push(sessions::delete(&id)),
        FlowChange::DeleteSessionsOfUser(user) => {
            statements.extend([sessions::delete_of_user(&user), flow_codes::delete_of_user(&user)]);
        }
        FlowChange::RememberBrowser { sha256, user, expires } => {
            statements.push(sessions::remember(&sha256, &user, expires));
        }
        FlowChange::NoteFailure { key, at, since, expires } => {
            statements.push(sign_in_failures::note(&key, None, at, since, expires));
        }
        FlowChange::NoteGuess { subject, key, at, since, expires } => {
            statements.push(sign_in_failures::note(&key, Some(&subject), at, since, expires));
        }
        FlowChange::ForgetGuesses(subject) => statements.push(sign_in_failures::forget_subject(&subject)),
        FlowChange::ForgetFailures(key) => statements.push(sign_in_failures::forget(&key)),
        FlowChange::InsertMail { mail, expires } => statements.push(mails::insert(keyring, &mail, expires)?),
        FlowChange::NoteMailSent { id, at, refusal } => statements.push(mails::note_sent(id, at, refusal)),
        FlowChange::PostponeMail { id, claim, due, error } => {
            statements.push(mails::postpone(id, claim, due, error));
        }
        FlowChange::DropExpired(now) => statements.extend(flows::drop_expired(now)),
    }
    Ok(())
}

fn add_oauth(change: OAuthChange, statements: &mut Vec<Statement>, keyring: &Keyring) -> Result<(), StoreError> {
    match change {
        OAuthChange::InsertSigningKey(key) => statements.push(signing_keys::insert(keyring, &key)?),
        OAuthChange::RotateSigningKeys { active, expires, next, fresh } => {
            statements.extend(signing_keys::rotate(active, expires, next));
            statements.push(signing_keys::insert(keyring, &fresh)?);
        }
        OAuthChange::InsertGrant(grant) => statements.push(oauth_grants::insert(&grant)),
        OAuthChange::RevokeGrant { id, at } => statements.push(oauth_grants::revoke(id, at)),
        OAuthChange::RevokeGrantsOfUser { user, at } => statements.push(oauth_grants::revoke_of_user(&user, at)),
        OAuthChange::InsertRefreshToken(token) => statements.push(oauth_grants::insert_refresh_token(&token)),
        OAuthChange::UseRefreshToken { sha256, at } => statements.push(oauth_grants::use_refresh_token(&sha256, at)),
        OAuthChange::ProlongRefreshToken { sha256, expires } => {
            statements.push(oauth_grants::prolong_refresh_token(&sha256, expires));
        }
    }
    Ok(())
}
