//! How long to wait before a call is repeated.
//! <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>

use std::time::Duration;

use crate::crypto::random;

/// Calls in all, for one answer.
pub const ATTEMPTS: u32 = 8;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(10);

/// A random part of a time that doubles with each attempt, so that many clients do not come back together.
pub fn pause(attempt: u32) -> Duration {
    let most = (FIRST * 2_u32.pow(attempt.saturating_sub(1).min(16))).min(LONGEST);
    let part = random::<2>().map_or(0.5, |bytes| f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX));
    most.mul_f64(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_never_longer_than_its_bound() {
        for (attempt, bound) in [(1, 250), (2, 500), (3, 1000), (6, 8000), (7, 10_000), (100, 10_000)] {
            let longest = (0..200).map(|_| pause(attempt)).max();
            let bound = Duration::from_millis(bound);
            assert!(longest <= Some(bound) && longest > Some(bound / 2), "{attempt}: {longest:?}");
        }
    }
}
