//! Limits password guesses with leaky buckets, in the database so that all processes share them.
//!
//! An attempt counts for the account and for the IP address before the password is checked, and is taken back if it was
//! right. With a device cookie ([`super::device`]) it counts for that device only, so a stranger who fills an account's
//! bucket does not lock out its owner
//! (<https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies>).

use std::net::IpAddr;

use chrono::Utc;
use diesel::prelude::*;

use crate::crypto::fingerprint;
use crate::db::Connection;
use crate::http::client_address::Network;
use crate::schema::throttles;
use crate::users::models::User;

/// Milliseconds until an account or a device may fail once more.
const LEAK: f64 = 30_000.0;
/// Several people may share an IP address: it may fail this many times more often, ...
const SHARED: f64 = 4.0;
/// ... and once more after this many milliseconds.
const SHARED_LEAK: f64 = 15_000.0;
/// Milliseconds until a code may be wrong once more: a guess is right three times in a million, so that a stranger who
/// has the password needs years.
const CODE_LEAK: f64 = 300_000.0;
const MOST_REMOVED: i64 = 100;

#[derive(Clone, Debug)]
pub struct Bucket {
    /// Hashed: short whatever was sent, and without the name typed, which may be a password.
    name: String,
    limit: f64,
    /// Milliseconds until one attempt has leaked.
    leak: f64,
}

#[derive(Clone, Copy)]
pub struct Throttle {
    /// Failed sign-ins to one account that are allowed at once.
    pub max_failures: u32,
}

impl Throttle {
    /// Usernames that differ only in case share a bucket.
    pub fn buckets(self, username: &str, address: IpAddr, device: Option<&str>) -> Vec<Bucket> {
        if let Some(device) = device {
            return vec![self.bucket(format!("device:{}", fingerprint(device)), LEAK)];
        }
        let shared = self.bucket(format!("address:{}", Network::of_customer(address)), SHARED_LEAK);
        vec![self.account(username), Bucket { limit: shared.limit * SHARED, ..shared }]
    }

    /// For guesses whose IP address is not known.
    pub fn account(self, username: &str) -> Bucket {
        self.bucket(format!("account:{}", fingerprint(&username.to_lowercase())), LEAK)
    }

    /// At an unattended browser, nobody gets more attempts than on the sign-in page. Usernames have no spaces, so guesses
    /// there do not lock the owner out here.
    pub fn own_buckets(self, user: &User, address: IpAddr) -> Vec<Bucket> {
        self.buckets(&format!("password of {}", user.id), address, None)
    }

    /// For a code after the password. A browser that is known has given one before, and counts for itself, so that a
    /// stranger who has the password does not lock out the owner. All others share one more bucket, which leaks slowly.
    pub fn code_buckets(self, user: &User, address: IpAddr, device: Option<&str>) -> Vec<Bucket> {
        let mut buckets = self.buckets(&user.username, address, device);
        if device.is_none() {
            buckets.push(self.bucket(format!("code:{}", user.id), CODE_LEAK));
        }
        buckets
    }

    /// For a code at the user's own browser, which the guesses elsewhere do not fill.
    pub fn own_code_buckets(self, user: &User, address: IpAddr) -> Vec<Bucket> {
        let mut buckets = self.own_buckets(user, address);
        buckets.push(self.bucket(format!("own code:{}", user.id), CODE_LEAK));
        buckets
    }

    fn bucket(self, name: String, leak: f64) -> Bucket {
        Bucket { name, limit: f64::from(self.max_failures), leak }
    }

    /// Counts an attempt, or returns how many seconds to wait.
    pub fn take(self, conn: &mut Connection, buckets: &[Bucket]) -> QueryResult<Option<u64>> {
        let now = Utc::now().timestamp_millis();
        self.remove_empty(conn, now)?;
        let levels = buckets.iter().map(|bucket| bucket.level(conn, now)).collect::<QueryResult<Vec<f64>>>()?;
        let surplus = |(bucket, level): (&Bucket, &f64)| (level + 1.0 - bucket.limit) * bucket.leak;
        let wait = buckets.iter().zip(&levels).map(surplus).fold(0.0, f64::max);
        if wait > 0.0 {
            return Ok(Some((wait / 1000.0).ceil() as u64));
        }
        for (bucket, level) in buckets.iter().zip(levels) {
            bucket.set_level(conn, level + 1.0, now)?;
        }
        Ok(None)
    }

    /// Takes back an attempt with the right password, or one that was not checked.
    pub fn give_back(self, conn: &mut Connection, buckets: &[Bucket]) -> QueryResult<()> {
        let now = Utc::now().timestamp_millis();
        for bucket in buckets {
            let level = bucket.level(conn, now)?;
            bucket.set_level(conn, level - 1.0, now)?;
        }
        Ok(())
    }

    fn remove_empty(self, conn: &mut Connection, now: i64) -> QueryResult<()> {
        let slowest = f64::from(self.max_failures) * CODE_LEAK.max(LEAK).max(SHARED * SHARED_LEAK);
        let empty: Vec<String> = throttles::table
            .filter(throttles::at.lt(now - slowest as i64))
            .select(throttles::name)
            .limit(MOST_REMOVED)
            .load(conn)?;
        diesel::delete(throttles::table.filter(throttles::name.eq_any(empty))).execute(conn).map(drop)
    }
}

impl Bucket {
    fn level(&self, conn: &mut Connection, now: i64) -> QueryResult<f64> {
        let row = throttles::table.find(&self.name).select((throttles::level, throttles::at));
        let row = row.first::<(f64, i64)>(conn).optional()?;
        // The clock may have been set back.
        Ok(row.map_or(0.0, |(level, at)| (level - (now - at).max(0) as f64 / self.leak).max(0.0)))
    }

    fn set_level(&self, conn: &mut Connection, level: f64, now: i64) -> QueryResult<()> {
        if level <= 0.0 {
            return diesel::delete(throttles::table.find(&self.name)).execute(conn).map(drop);
        }
        let new = (throttles::level.eq(level), throttles::at.eq(now));
        let updated = diesel::update(throttles::table.find(&self.name)).set(new).execute(conn)?;
        if updated == 0 {
            let row = (throttles::name.eq(&self.name), throttles::level.eq(level), throttles::at.eq(now));
            diesel::insert_into(throttles::table).values(row).execute(conn)?;
        }
        Ok(())
    }
}
