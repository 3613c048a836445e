//! The forms in which a secret could get out, and looking for them.

use std::fmt::Write as _;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;

/// A shorter piece of base64 is found by chance.
const SHORTEST_BASE64: usize = 8;
/// How much is shown around what was found.
const SURROUNDINGS: usize = 120;

/// Plain, base64 in both alphabets and at each alignment, hex, URL, JSON and HTML.
#[must_use]
pub fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex = bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let query: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let json = Value::from(secret).to_string();
    let json = json.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&json).to_owned();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex, query.replace('+', "%20"), query, json, html];
    for shift in 0..3 {
        let shifted = [&vec![b'x'; shift], bytes].concat();
        for encoder in [STANDARD, URL_SAFE] {
            let text = encoder.encode(&shifted);
            // The characters that depend on neighbours are cut off.
            let text = text.trim_end_matches('=');
            let piece = text.get(if shift == 0 { 0 } else { 4 }..text.len().saturating_sub(2)).unwrap_or_default();
            if piece.len() >= SHORTEST_BASE64 {
                forms.push(piece.to_owned());
            }
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Which of these secrets, each with its name, stands in which of these places.
#[must_use]
pub fn leak(secrets: &[(&str, &str)], places: &[(String, Vec<u8>)]) -> Option<String> {
    let (names, needles): (Vec<&str>, Vec<String>) =
        secrets.iter().flat_map(|(name, secret)| forms(secret).into_iter().map(|form| (*name, form))).unzip();
    let searcher = AhoCorasick::new(&needles).ok()?;
    for (place, bytes) in places {
        if let Some(found) = searcher.find(bytes) {
            let (name, form) = (names.get(found.pattern().as_usize())?, needles.get(found.pattern().as_usize())?);
            let around = found.start().saturating_sub(SURROUNDINGS)..bytes.len().min(found.end() + SURROUNDINGS);
            let around = String::from_utf8_lossy(bytes.get(around).unwrap_or_default()).into_owned();
            return Some(format!("the secret of {name:?} stands as {form:?} in {place}: {around:?}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_whatever_form_it_stands() {
        let secret = "canary-Sécret?<&>\"1";
        let shifted: Vec<String> =
            (0..3).map(|shift| STANDARD.encode([&b"abc"[..shift], secret.as_bytes(), b"tail"].concat())).collect();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
        let others = [
            format!("a{secret}b"),
            hex.clone(),
            hex.to_lowercase(),
            "x=canary-S%C3%A9cret%3F%3C%26%3E%221".to_owned(),
            serde_json::json!({"x": secret}).to_string(),
            URL_SAFE.encode(secret),
        ];
        for text in shifted.iter().chain(&others) {
            let places = [("nowhere".to_owned(), b"canary".to_vec()), ("there".to_owned(), text.clone().into_bytes())];
            let found = leak(&[("other", "something else"), ("password", secret)], &places);
            assert!(found.is_some_and(|found| found.contains("\"password\"") && found.contains("there")), "{text}");
            assert_eq!(leak(&[("other", "something else")], &places), None);
        }
    }
}
