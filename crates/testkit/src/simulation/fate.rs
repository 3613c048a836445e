//! What becomes of one request to a simulated service.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The whole answer, after this time.
    Answer(Duration),
    /// The whole answer, byte groups apart by this time.
    Drip(Duration),
    /// This status without a body.
    Status(u16),
    /// Nothing ever comes back.
    Lose,
    /// The connection ends before the answer.
    Cut(Duration),
    /// The connection ends within the answer.
    CutWithin,
    /// Bytes that are not HTTP.
    Garbage,
}

impl Fate {
    /// A fate that follows from chance: six of ten requests are answered well.
    #[must_use]
    pub fn draw(chance: &mut StdRng) -> Self {
        let millis = |chance: &mut StdRng, from: u64, to: u64| Duration::from_millis(chance.random_range(from..to));
        match chance.random_range(0..100_u32) {
            0..60 => Self::Answer(millis(chance, 1, 80)),
            60..68 => Self::Answer(millis(chance, 500, 2_900)),
            68..74 => Self::Answer(millis(chance, 3_100, 10_000)),
            74..78 => Self::Drip(millis(chance, 1, 400)),
            78..84 => Self::Status([500, 502, 503].get(chance.random_range(0..3_usize)).copied().unwrap_or(500)),
            84..87 => Self::Status([400, 401, 404, 429].get(chance.random_range(0..4_usize)).copied().unwrap_or(400)),
            87..92 => Self::Lose,
            92..95 => Self::Cut(millis(chance, 0, 500)),
            95..98 => Self::CutWithin,
            _ => Self::Garbage,
        }
    }
}
