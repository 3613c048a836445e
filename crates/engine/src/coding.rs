//! Undoing a `Content-Encoding`. We ask for `identity`; services behind a compressing proxy send gzip all the same.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use hookwright_contract::MAX_REPLY_BYTES;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::outcome::{BadBody, CallFailure, TooLarge};

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all.
    Identity,
    /// Gzip, one layer.
    Gzip,
}

impl Coding {
    /// What an answer's head says of its body.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, CallFailure> {
        let mut coding = Self::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            let text = value.to_str().unwrap_or("?");
            for name in text.split(',').map(str::trim) {
                match (name.to_ascii_lowercase().as_str(), coding) {
                    ("" | "identity", _) => {}
                    ("gzip" | "x-gzip", Self::Identity) => coding = Self::Gzip,
                    _ => return Err(CallFailure::BadBody(BadBody::UnknownCoding)),
                }
            }
        }
        Ok(coding)
    }

    /// The body as it was before it was coded. Stops one byte beyond the largest answer, so that a bomb costs what that costs.
    pub(crate) fn undo(self, body: Bytes) -> Result<Bytes, CallFailure> {
        if self == Self::Identity || body.is_empty() {
            return Ok(body);
        }
        let damaged = |_| CallFailure::BadBody(BadBody::DamagedCoding);
        let mut decoder = GzDecoder::new(&*body);
        let mut decoded = Vec::new();
        (&mut decoder).take(MAX_REPLY_BYTES as u64 + 1).read_to_end(&mut decoded).map_err(damaged)?;
        if decoded.len() > MAX_REPLY_BYTES {
            return Err(CallFailure::AnswerTooLarge(TooLarge::Body));
        }
        if !decoder.into_inner().is_empty() {
            return Err(CallFailure::BadBody(BadBody::DamagedCoding));
        }
        Ok(Bytes::from(decoded))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(data: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap().into()
    }

    fn coding(values: &[&str]) -> Result<Coding, CallFailure> {
        let headers = values.iter().map(|value| (CONTENT_ENCODING, value.parse().unwrap())).collect();
        Coding::of(&headers)
    }

    #[test]
    fn identity_and_one_layer_of_gzip_are_known() {
        assert_eq!(coding(&[]), Ok(Coding::Identity));
        assert_eq!(coding(&["identity"]), Ok(Coding::Identity));
        assert_eq!(coding(&["gzip"]), Ok(Coding::Gzip));
        assert_eq!(coding(&["X-GZIP, identity"]), Ok(Coding::Gzip));
        for unknown in [&["gzip, gzip"][..], &["gzip", "gzip"], &["br"], &["deflate"], &["zstd"], &["gzip;q=1"]] {
            assert_eq!(coding(unknown), Err(CallFailure::BadBody(BadBody::UnknownCoding)), "{unknown:?}");
        }
    }

    #[test]
    fn a_body_of_the_largest_size_is_decoded_and_one_byte_more_is_not() {
        let largest = vec![b'a'; MAX_REPLY_BYTES];
        assert_eq!(Coding::Gzip.undo(gzip(&largest)).unwrap(), largest);
        let larger = Coding::Gzip.undo(gzip(&vec![b'a'; MAX_REPLY_BYTES + 1]));
        assert_eq!(larger, Err(CallFailure::AnswerTooLarge(TooLarge::Body)));
    }

    #[test]
    fn a_bomb_costs_no_more_than_the_largest_answer() {
        let bomb = gzip(&vec![0; 30 << 20]);
        assert!(bomb.len() <= MAX_REPLY_BYTES);
        assert_eq!(Coding::Gzip.undo(bomb), Err(CallFailure::AnswerTooLarge(TooLarge::Body)));
    }

    #[test]
    fn damaged_or_trailing_data_is_refused() {
        let whole = gzip(b"{}");
        let damaged = Err(CallFailure::BadBody(BadBody::DamagedCoding));
        assert_eq!(Coding::Gzip.undo(whole.slice(..whole.len() - 1)), damaged);
        assert_eq!(Coding::Gzip.undo([&whole[..], b"x"].concat().into()), damaged);
        assert_eq!(Coding::Gzip.undo([&whole[..], &whole[..]].concat().into()), damaged);
        assert_eq!(Coding::Gzip.undo(Bytes::from_static(b"{}")), damaged);
    }

    proptest! {
        #[test]
        fn no_body_makes_decoding_panic_or_exceed_the_cap(body in prop::collection::vec(any::<u8>(), 0..400), flip in 0_usize..60) {
            let _ = Coding::Gzip.undo(body.clone().into());
            let mut coded = gzip(&body).to_vec();
            let index = flip % coded.len();
            coded[index] ^= 0x55;
            if let Ok(decoded) = Coding::Gzip.undo(coded.into()) {
                prop_assert!(decoded.len() <= MAX_REPLY_BYTES);
            }
        }
    }
}
