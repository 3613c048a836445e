//! Work that one process does at a time: it is claimed until some time, and free again after that, whatever became of whoever
//! claimed it.

use std::time::Duration;

use hookwright_model::Timestamp;

use crate::change::Conflict;
use crate::error::{CommitError, StoreError};
use crate::statement::{Argument, Otherwise, Statement};
use crate::store::Store;
use crate::work::Work;

/// A claim on work: under which name, and until when nobody else gets it.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Names the claim; unlike any other.
    pub token: String,
    /// The present.
    pub now: Timestamp,
    /// How long it holds, unless the work ends before.
    pub lease: Duration,
}

impl Claim {
    /// When it ends.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.now.plus(self.lease)
    }

    /// An end later than this was noted by a clock that is wrong: nobody waits for it.
    pub(crate) fn latest(&self, longest: Duration) -> Timestamp {
        self.now.plus(longest.max(self.lease) * 2)
    }
}

const TAKE: &str = "INSERT INTO leases (name, until_ms) VALUES ($1, $2) \
     ON CONFLICT (name) DO UPDATE SET until_ms = $2 WHERE leases.until_ms <= $3 OR leases.until_ms > $4";

impl Store {
    /// Takes a lease; whether it was free. It ends by itself.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn take_lease(&self, name: &'static str, now: Timestamp, lease: Duration) -> Result<bool, StoreError> {
        let claim = Claim { token: String::new(), now, lease };
        let arguments = vec![
            Argument::Fixed(name),
            Argument::Integer(claim.until().as_millis()),
            Argument::Integer(now.as_millis()),
            Argument::Integer(claim.latest(lease).as_millis()),
        ];
        let take = Statement::new(TAKE, arguments).or(Otherwise::Conflict(Conflict::Stale));
        match self.write(Work::of_statements(vec![take])).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into_store_error()),
        }
    }
}
