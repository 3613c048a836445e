//! Where unpredictable bytes come from: the operating system in `serve`, a seeded twin in tests.

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// An array of random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }
}
