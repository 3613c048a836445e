//! Finding all forms of all secrets of a hook in one pass.

use std::ops::Range;

use aho_corasick::Span;
use aho_corasick::packed::Searcher;
use memchr::memmem;

use super::forms::{Form, Forms};
use crate::secret_display::SECRET_MASK;

/// What stands where a text of an answer was cut.
const CUT: &[u8] = "…".as_bytes();

/// Finds secrets. Made once for a hook: to prepare the search costs more than to search.
pub(super) struct Search {
    forms: Forms,
    /// Finds the heads of forms; `None` where the processor can't look for all at once, and then it is one after the other.
    heads: Option<Searcher>,
}

impl Search {
    pub(super) fn new(forms: Forms) -> Option<Self> {
        if forms.0.is_empty() {
            return None;
        }
        let heads = Searcher::new(forms.0.iter().map(Form::head));
        Some(Self { forms, heads })
    }

    pub(super) fn forms(&self) -> Forms {
        self.forms.clone()
    }

    /// Whether a secret stands in the text.
    pub(super) fn finds(&self, text: &[u8]) -> bool {
        self.next(text, 0).is_some()
    }

    /// The text with all secrets masked.
    pub(super) fn masked(&self, text: &[u8]) -> Vec<u8> {
        let mut masked = Vec::with_capacity(text.len());
        let mut kept = 0;
        while let Some(found) = self.next(text, kept) {
            masked.extend_from_slice(text.get(kept..found.start).unwrap_or_default());
            masked.extend_from_slice(SECRET_MASK.as_bytes());
            kept = found.end;
        }
        masked.extend_from_slice(text.get(kept..).unwrap_or_default());
        masked
    }

    /// The first secret from here on, in its longest form.
    fn next(&self, text: &[u8], mut from: usize) -> Option<Range<usize>> {
        while let Some(start) = self.candidate(text, from) {
            let longest = self.forms.0.iter().filter_map(|form| length_at(form, text, start)).max();
            if let Some(length) = longest {
                return Some(start..start + length);
            }
            from = start + 1;
        }
        None
    }

    /// Where the next head is.
    fn candidate(&self, text: &[u8], from: usize) -> Option<usize> {
        if from > text.len() {
            return None;
        }
        match &self.heads {
            Some(heads) => heads.find_in(text, Span::from(from..text.len())).map(|found| found.start()),
            None => {
                let rest = text.get(from..).unwrap_or_default();
                self.forms.0.iter().filter_map(|form| memmem::find(rest, form.head())).min().map(|at| from + at)
            }
        }
    }
}

/// How many bytes of the text are this form: all of it, or its beginning where the text was cut.
fn length_at(form: &Form, text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    if rest.starts_with(&form.bytes) {
        let is_part_of_word = |neighbour: Option<&u8>| neighbour.is_some_and(u8::is_ascii_alphanumeric);
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        let inside = is_part_of_word(before) || is_part_of_word(rest.get(form.bytes.len()));
        return (!form.is_word || !inside).then_some(form.bytes.len());
    }
    let window = rest.get(..form.bytes.len() + CUT.len()).unwrap_or(rest);
    let cut = memmem::find(window, CUT).or((rest.len() < form.bytes.len()).then_some(rest.len()))?;
    let is_known = cut >= form.head().len() && form.bytes.starts_with(rest.get(..cut)?);
    is_known.then_some(cut)
}
