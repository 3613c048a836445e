//! A commit made ready: changes turned into statements and chunks, before any connection is held.

use std::borrow::Cow;

use crate::error::StoreError;
use crate::journal::chunk::{Chunk, Kind};
use crate::statement::{Argument, Count, Statement};

/// What one commit writes: rows that are counted, the statements in order, then the chunks for the journal.
#[derive(Clone, Default)]
pub(crate) struct Work {
    pub(crate) counts: Vec<Count>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) chunks: Vec<Chunk>,
}

impl Work {
    /// Statements alone.
    pub(crate) fn of_statements(statements: Vec<Statement>) -> Self {
        Self { statements, ..Self::default() }
    }

    /// Chunks alone.
    pub(crate) fn of_chunks(chunks: Vec<Chunk>) -> Self {
        Self { chunks, ..Self::default() }
    }

    /// Adds a row that is counted.
    pub(crate) fn add_counted(&mut self, (count, insert): (Count, Statement)) {
        self.counts.push(count);
        self.statements.push(insert);
    }

    /// All statements, each row counted by itself.
    pub(crate) fn all_statements(&self) -> impl Iterator<Item = Cow<'_, Statement>> {
        let counts = self.counts.iter().map(|count| Cow::Owned(count.statement(1)));
        counts.chain(self.statements.iter().map(Cow::Borrowed))
    }

    /// Adds an item to the last chunk if that is of its kind and not full, or to a fresh one: items stay in order.
    pub(crate) fn add_item(
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
    pub(crate) fn check_texts(&self) -> Result<(), StoreError> {
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
