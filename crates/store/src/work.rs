//! A commit made ready: changes turned into statements and chunks, before any connection is held.

use crate::api_tokens;
use crate::change::Change;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::inline_hooks;
use crate::journal::chunk::{Chunk, Kind};
use crate::keyring::Keyring;
use crate::statement::{Argument, Statement};

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
            match change {
                Change::InsertInlineHook { hook, limit } => {
                    work.statements.extend(inline_hooks::insert(dialect, keyring, &hook, limit)?);
                }
                Change::UpdateInlineHook(hook) => work.statements.extend(inline_hooks::update(keyring, &hook)?),
                Change::DeleteInlineHook { id, revision } => {
                    work.statements.extend(inline_hooks::delete(dialect, &id, revision));
                }
                Change::InsertApiToken(token) => work.statements.push(api_tokens::insert(&token)),
                Change::TouchApiToken { id, last_used, expires } => {
                    work.statements.push(api_tokens::touch(&id, last_used, expires));
                }
                Change::RevokeApiToken { id, at } => work.statements.push(api_tokens::revoke(&id, at)),
                Change::AppendEvents(events) => {
                    for event in &events {
                        work.add_item(Kind::Events, |chunk| chunk.add_event(event))?;
                    }
                }
                Change::AppendExecution(execution) => {
                    work.add_item(Kind::Executions, |chunk| chunk.add_execution(&execution))?;
                }
            }
        }
        work.check_texts()?;
        Ok(work)
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
