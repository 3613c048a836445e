//! A network that follows from a seed: what it delays, loses and cuts, and when its services restart.
//!
//! Runs on tokio's paused clock, where seconds cost nothing. A run of the engine alone is deterministic: the same seed gives
//! the same run. An org beside it uses real threads for its database and its password hashes: [`Time`] lets the clock leap only
//! while nobody works, so that a seed gives much the same run, not exactly the same.

mod fate;
mod network;
mod time;

pub use fate::Fate;
pub use network::{Exchange, SimulatedNetwork};
pub use time::Time;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::SeedableRng;
use rand::rngs::StdRng;

/// Chance that follows from a seed and from what is decided, so that it does not depend on the order of decisions.
#[must_use]
pub fn chance(seed: u64, about: impl Hash) -> StdRng {
    let mut hasher = DefaultHasher::new();
    (seed, about).hash(&mut hasher);
    StdRng::seed_from_u64(hasher.finish())
}

/// The seeds of a run: 1 to `default`, or what `SIMULATION_SEEDS` says as `COUNT` or `FIRST-LAST`.
///
/// # Panics
/// `SIMULATION_SEEDS` is neither.
#[must_use]
#[expect(clippy::panic, clippy::disallowed_methods, reason = "how `scripts/simulate` tells the tests what to run")]
pub fn seeds(default: u64) -> RangeInclusive<u64> {
    let Ok(text) = std::env::var("SIMULATION_SEEDS") else { return 1..=default };
    let number =
        |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("SIMULATION_SEEDS is COUNT or FIRST-LAST: {text}"));
    match text.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => 1..=number(&text),
    }
}

/// Runs a simulation for each seed.
///
/// # Panics
/// A run failed; names its seed.
pub fn run_seeds<F: Future<Output = Result<(), String>>>(
    name: &str,
    seeds: impl IntoIterator<Item = u64>,
    run: impl Fn(u64) -> F,
) {
    let mut failed = Vec::new();
    for seed in seeds {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
            runtime.map_err(|error| error.to_string())?.block_on(run(seed))
        }));
        let result = result.unwrap_or_else(|_| Err("a panic, printed above".to_owned()));
        if let Err(reason) = result {
            failed.push(format!("seed {seed}: {reason}"));
        }
    }
    assert!(
        failed.is_empty(),
        "{name}: run one of these again with SIMULATION_SEEDS=N-N, and keep it in the test:\n{}",
        failed.join("\n")
    );
}
