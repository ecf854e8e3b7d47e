//! A list of users in a file: what `aws cognito-idp list-users` prints, once or page after page.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::listing::{Incomplete, Listing};
use crate::cognito::pool_api::UsersPage;

/// A list of a million users takes about that long, and the time of a file is that of its end.
const LISTING_TAKES: TimeDelta = TimeDelta::minutes(10);
/// Editors on Windows begin a file with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub fn open(path: &Path) -> Result<Listing, String> {
    let fail = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
    let file = File::open(path).map_err(|error| fail(&error))?;
    let written = file.metadata().and_then(|about| about.modified()).map_err(|error| fail(&error))?;
    let began = (DateTime::<Utc>::from(written) - LISTING_TAKES).naive_utc();
    read(file, began).map_err(|problem| fail(&problem))
}

/// One page is in memory at a time, and of a user only what is compared.
pub fn read(content: impl Read, began: NaiveDateTime) -> Result<Listing, String> {
    let mut content = BufReader::new(content);
    if content.fill_buf().is_ok_and(|start| start.starts_with(BYTE_ORDER_MARK)) {
        content.consume(BYTE_ORDER_MARK.len());
    }
    let mut users = HashMap::new();
    let (mut pages, mut ends, mut is_at_end) = (0, 0, false);
    for page in serde_json::Deserializer::from_reader(content).into_iter::<UsersPage>() {
        let page = page.map_err(|error| match error.is_eof() {
            true => "it ends in the middle of a page".to_owned(),
            // The error tells the place and what was expected there, but not always without the value.
            false => {
                format!("page {} is not that of a list of users: line {}: {}", pages + 1, error.line(), word(&error))
            }
        })?;
        users.extend(page.users.into_iter().map(|user| (user.identity.sub.clone(), user)));
        pages += 1;
        is_at_end = page.token.is_none();
        ends += u32::from(is_at_end);
    }
    let incomplete = match (pages, is_at_end, ends) {
        (0, ..) => return Err("it is empty".to_owned()),
        (_, false, _) => Some(Incomplete::Continued),
        (_, true, 1) => None,
        (_, true, _) => Some(Incomplete::SeveralLists),
    };
    Ok(Listing { users, began, incomplete, groups: None })
}

fn word(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).collect::<String>().escape_debug().to_string()
}
