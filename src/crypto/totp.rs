//! Time-based one-time passwords (RFC 6238) as authenticator apps make them: SHA-1, six digits, 30 seconds.

use aws_lc_rs::hmac;

use super::{equal, random};
use crate::error::Error;

/// As long as SHA-1's result (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
/// Steps before and after the present one whose codes are accepted: clocks differ, and typing takes time.
const TOLERANCE: i64 = 1;

/// The step that a time, in Unix seconds, belongs to.
pub fn step_at(seconds: i64) -> i64 {
    seconds.div_euclid(STEP_SECONDS)
}

/// Has no `Debug`, so that it is not logged.
pub struct TotpSecret([u8; SECRET_BYTES]);

impl TotpSecret {
    pub fn generate() -> Result<TotpSecret, Error> {
        random().map(TotpSecret)
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<TotpSecret> {
        bytes.try_into().ok().map(TotpSecret)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        // RFC 4226, section 5.3. The tag has 20 bytes, and the offset is at most 15.
        let offset = usize::from(tag[tag.len() - 1] & 0x0f);
        let number = tag[offset..offset + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }

    /// The latest step around `now` whose code this is. Two steps can have the same code. To count the earlier one would
    /// let the code in again as the later one's.
    pub fn step_of(&self, code: &str, now: i64) -> Option<i64> {
        (now - TOLERANCE..=now + TOLERANCE).rfind(|step| equal(&self.code(*step), code))
    }
}

/// As people type a secret: RFC 4648, section 6, for lengths that need no padding.
pub fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let group = |bytes: &[u8]| bytes.iter().fold(0_u64, |group, byte| group << 8 | u64::from(*byte));
    let letter = |group: u64, at: u32| char::from(LETTERS[(group >> (35 - 5 * at)) as usize & 31]);
    bytes.chunks_exact(5).flat_map(|chunk| (0..8).map(move |at| letter(group(chunk), at))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of the RFC's test vectors.
    fn secret() -> TotpSecret {
        TotpSecret(*b"12345678901234567890")
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B has eight digits, of which these are the last six.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().code(step_at(seconds)), code, "{seconds}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        assert_eq!(base32(b""), "");
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(base32(&secret().0), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(base32(&[0xff; 5]), "77777777");
    }

    #[test]
    fn a_code_counts_in_its_step_and_in_the_two_beside_it() {
        for (now, expected) in [(98, None), (99, Some(100)), (100, Some(100)), (101, Some(100)), (102, None)] {
            assert_eq!(secret().step_of(&secret().code(100), now), expected, "{now}");
        }
    }

    #[test]
    fn of_two_steps_with_one_code_the_later_one_counts() {
        let (earlier, later) = (910_737, 910_738);
        let code = secret().code(earlier);
        assert_eq!(code, secret().code(later), "the steps were chosen so");
        for now in earlier..=later + 1 {
            assert_eq!(secret().step_of(&code, now), Some(later), "{now}");
        }
        assert_eq!(secret().step_of(&code, earlier - 1), Some(earlier), "the later one is out of reach");
    }

    proptest! {
        #[test]
        fn nothing_but_the_three_codes_fits(text in ".{0,8}|[0-9]{6}", now in 0..i64::from(u32::MAX)) {
            let codes = [now - 1, now, now + 1].map(|step| secret().code(step));
            prop_assert_eq!(secret().step_of(&text, now).is_some(), codes.contains(&text));
            prop_assert!(codes.iter().all(|code| secret().step_of(code, now).is_some()));
        }
    }
}
