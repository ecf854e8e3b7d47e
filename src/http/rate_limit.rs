//! Rate limits: a token bucket per user or service account, and one per IP address of unauthenticated clients. Failed
//! authentication counts against the IP address, so attempts in a user's name do not limit that user. The buckets are
//! in the memory of the process: with several processes, the limits multiply.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::{HttpRequest, web};

use crate::error::Error;
use crate::http::caller::CallerId;
use crate::http::client_address::{Network, client_address};

const PERIODS: [(&str, u64); 3] = [("s", 1), ("m", 60), ("h", 3600)];

/// The bucket holds the whole number, so all requests may come in one burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    requests: u32,
    period: Duration,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = PERIODS.iter().find(|(_, seconds)| *seconds == self.period.as_secs()).map_or("", |(unit, _)| unit);
        write!(f, "{}/{unit}", self.requests)
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Rate, &'static str> {
        const PROBLEM: &str = "is not a number from 1 to 1000000 and a period, such as `100/s`, `600/m` or `5000/h`";
        let (requests, period) = text.split_once('/').ok_or(PROBLEM)?;
        let (_, seconds) = *PERIODS.iter().find(|(unit, _)| *unit == period).ok_or(PROBLEM)?;
        let is_number = requests.bytes().all(|byte| byte.is_ascii_digit());
        match requests.parse() {
            Ok(requests @ 1..=1_000_000) if is_number => Ok(Rate { requests, period: Duration::from_secs(seconds) }),
            _ => Err(PROBLEM),
        }
    }
}

/// Part of the application data. Without a rate there is no limit.
pub struct RateLimits {
    callers: Option<Buckets<CallerId>>,
    strangers: Option<Buckets<Network>>,
}

impl RateLimits {
    pub fn new(callers: Option<Rate>, strangers: Option<Rate>) -> RateLimits {
        RateLimits { callers: callers.map(Buckets::new), strangers: strangers.map(Buckets::new) }
    }

    pub fn of(request: &HttpRequest) -> Result<&RateLimits, Error> {
        let limits = request.app_data::<web::Data<RateLimits>>().map(|limits| &***limits);
        limits.ok_or_else(|| Error::Internal("the application data has no rate limits".to_owned()))
    }

    pub fn count_caller(&self, id: CallerId) -> Result<(), Error> {
        self.callers.as_ref().map_or(Ok(()), |buckets| buckets.take(id))
    }

    pub fn count_stranger(&self, request: &HttpRequest) -> Result<(), Error> {
        self.strangers.as_ref().map_or(Ok(()), |buckets| buckets.take(Network::of_customer(client_address(request))))
    }
}

const WAYS: usize = 8;
/// 65,536 buckets, up to 3 MB.
const SETS: usize = 8192;

/// The state is the time when the bucket will be full again (generic cell rate algorithm).
#[derive(Clone, Copy)]
struct Bucket<K> {
    key: K,
    /// Since the buckets were created.
    full_at: Duration,
}

/// Small sets, like a set-associative cache. A full set evicts its fullest bucket, so an attacker with many IP
/// addresses must first empty the others. A secret decides a key's set, so no set can be targeted.
struct Buckets<K> {
    /// Between two requests at the limit.
    interval: Duration,
    fill: Duration,
    started: Instant,
    secret: RandomState,
    sets: Box<[Mutex<Set<K>>]>,
}

type Set<K> = [Option<Bucket<K>>; WAYS];

impl<K: Copy + Eq + Hash> Buckets<K> {
    fn new(rate: Rate) -> Buckets<K> {
        let interval = rate.period / rate.requests;
        Buckets {
            interval,
            fill: interval * rate.requests,
            started: Instant::now(),
            secret: RandomState::new(),
            sets: (0..SETS).map(|_| Mutex::new([None; WAYS])).collect(),
        }
    }

    fn take(&self, key: K) -> Result<(), Error> {
        self.take_at(key, self.started.elapsed()).map_err(Error::Throttled)
    }

    /// The error is the time until there is a token.
    fn take_at(&self, key: K, now: Duration) -> Result<(), Duration> {
        let set = &self.sets[self.secret.hash_one(key) as usize % SETS];
        let mut set = set.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let known = set.iter_mut().position(|bucket| bucket.is_some_and(|bucket| bucket.key == key));
        let full_at = known.and_then(|at| set[at]).map_or(now, |bucket| bucket.full_at.max(now)) + self.interval;
        let wait = (full_at - now).saturating_sub(self.fill);
        if !wait.is_zero() {
            return Err(wait);
        }
        let fullest = || (0..WAYS).min_by_key(|at| set[*at].map(|bucket| bucket.full_at)).unwrap_or_default();
        let at = known.unwrap_or_else(fullest);
        set[at] = Some(Bucket { key, full_at });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    fn buckets<K: Copy + Eq + Hash>(rate: &str) -> Buckets<K> {
        Buckets::new(rate.parse().expect("a rate"))
    }

    fn drain<K: Copy + Eq + Hash>(buckets: &Buckets<K>, key: K, now: Duration) -> u32 {
        let mut taken = 0;
        while buckets.take_at(key, now).is_ok() {
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_bucket_holds_the_rates_number_and_fills_at_its_pace() {
        for (rate, number, seconds) in
            [("1/s", 1, 1), ("100/s", 100, 1), ("7/s", 7, 1), ("600/m", 600, 60), ("999999/s", 999_999, 1)]
        {
            let buckets = buckets(rate);
            assert_eq!(drain(&buckets, 1, NOW), number, "{rate}");
            assert_eq!(drain(&buckets, 2, NOW), number, "{rate}: another key has a bucket of its own");
            let wait = buckets.take_at(1, NOW).expect_err("it is empty");
            assert!(wait <= Duration::from_secs(seconds) / number, "{rate}: {wait:?}");
            assert!(buckets.take_at(1, NOW + wait - Duration::from_nanos(1)).is_err(), "{rate}: too early");
            assert!(buckets.take_at(1, NOW + wait).is_ok(), "{rate}: now there is one");
            assert_eq!(
                drain(&buckets, 1, NOW + Duration::from_secs(10 * seconds)),
                number,
                "{rate}: no more than full"
            );
        }
    }

    #[test]
    fn to_be_refused_costs_nothing() {
        let buckets = buckets("10/s");
        drain(&buckets, 1, NOW);
        for _ in 0..1000 {
            assert!(buckets.take_at(1, NOW).is_err());
        }
        assert_eq!(drain(&buckets, 1, NOW + Duration::from_secs(1)), 10);
    }

    #[test]
    fn no_flood_of_other_keys_fills_an_empty_bucket() {
        let buckets = buckets("10/m");
        drain(&buckets, 0, NOW);
        // Far more keys than there is room for, each twice.
        for key in 1..=1_000_000_u64 {
            assert!(buckets.take_at(key % 500_000 + 1, NOW).is_ok() || key > 500_000);
        }
        assert!(buckets.take_at(0, NOW).is_err(), "its bucket was forgotten");
    }

    #[test]
    fn buckets_that_are_full_again_make_room_first() {
        let buckets = buckets("10/s");
        for key in 0..200_000_u64 {
            drain(&buckets, key, NOW);
        }
        let later = NOW + Duration::from_secs(5);
        // So few that most likely every set has room.
        for key in 1_000_000..1_002_000_u64 {
            assert_eq!(drain(&buckets, key, later), 10);
        }
        let emptied = (1_000_000..1_002_000_u64).filter(|key| buckets.take_at(*key, later).is_err()).count();
        assert_eq!(emptied, 2_000);
    }

    #[test]
    fn rates_are_a_number_and_a_period() {
        assert_eq!("600/m".parse(), Ok(Rate { requests: 600, period: Duration::from_secs(60) }));
        for bad in [
            "",
            "100",
            "100/",
            "/s",
            "0/s",
            "-1/s",
            "+1/s",
            "1.5/s",
            "100/d",
            "100 /s",
            "100/sec",
            "1000001/s",
            "100/s/s",
        ] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
