//! How often a password may be guessed: leaking buckets, in the database, so that all processes share them.
//!
//! An attempt counts for the account and for the address it comes from, before the password is looked at, and
//! no more if it was right. With a device cookie ([`super::device`]) it counts for that device alone: whoever
//! fills an account's bucket does not lock out its owner
//! (<https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies>).

use std::net::IpAddr;

use chrono::Utc;
use diesel::prelude::*;

use crate::crypto::fingerprint;
use crate::db::Connection;
use crate::http::client_address::Network;
use crate::schema::throttles;

/// In this time an account or a device may fail once more, in milliseconds.
const LEAK: f64 = 30_000.0;
/// Several people may share an address: it may fail this many times more, ...
const SHARED: f64 = 4.0;
/// ... and once more in this time, in milliseconds.
const SHARED_LEAK: f64 = 15_000.0;
/// Empty buckets that are removed with each attempt.
const MOST_REMOVED: i64 = 100;

/// Something that attempts are counted for.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// No longer than needed, whatever was sent, and no name that somebody typed: that may be a password.
    name: String,
    /// How much fits in.
    limit: f64,
    /// How long it takes until one attempt has leaked out, in milliseconds.
    leak: f64,
}

/// The settings; part of the application's data.
#[derive(Clone, Copy)]
pub struct Throttle {
    /// How many times signing in to one account may fail at once.
    pub max_failures: u32,
}

impl Throttle {
    /// What an attempt counts for. Usernames that differ in case count as one.
    pub fn buckets(self, username: &str, address: IpAddr, device: Option<&str>) -> Vec<Bucket> {
        let limit = f64::from(self.max_failures);
        if let Some(device) = device {
            return vec![Bucket { name: format!("device:{}", fingerprint(device)), limit, leak: LEAK }];
        }
        let account = format!("account:{}", fingerprint(&username.to_lowercase()));
        vec![
            Bucket { name: account, limit, leak: LEAK },
            Bucket {
                name: format!("address:{}", Network::of_customer(address)),
                limit: limit * SHARED,
                leak: SHARED_LEAK,
            },
        ]
    }

    /// Counts an attempt, or returns for how many seconds there may be none.
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

    /// Takes an attempt back that was none: the password was right, or not looked at.
    pub fn give_back(self, conn: &mut Connection, buckets: &[Bucket]) -> QueryResult<()> {
        let now = Utc::now().timestamp_millis();
        for bucket in buckets {
            let level = bucket.level(conn, now)?;
            bucket.set_level(conn, level - 1.0, now)?;
        }
        Ok(())
    }

    /// Removes some of the buckets that are empty by now, whatever was in them.
    fn remove_empty(self, conn: &mut Connection, now: i64) -> QueryResult<()> {
        let slowest = f64::from(self.max_failures) * f64::max(LEAK, SHARED * SHARED_LEAK);
        let empty: Vec<String> = throttles::table
            .filter(throttles::at.lt(now - slowest as i64))
            .select(throttles::name)
            .limit(MOST_REMOVED)
            .load(conn)?;
        diesel::delete(throttles::table.filter(throttles::name.eq_any(empty))).execute(conn).map(drop)
    }
}

impl Bucket {
    /// What is in the bucket now.
    fn level(&self, conn: &mut Connection, now: i64) -> QueryResult<f64> {
        let row = throttles::table.find(&self.name).select((throttles::level, throttles::at));
        let row = row.first::<(f64, i64)>(conn).optional()?;
        // A clock may have been set back.
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
