//! Sentences of several pages.

use crate::users::second_factor::KeyError;

pub const WRONG: &str = "This code is wrong, was already used, or is too old. Enter the one that your app shows now.";
const KEY_UNUSABLE: &str = "Codes cannot be checked now. Tell your administrator: the server’s log has the details.";

/// The log has the whole problem. The page names only a missing setting.
pub fn key_problem(error: &KeyError) -> String {
    log::error!("second factors cannot be used: {error}");
    if *error == KeyError::NotSet { format!("{error}.") } else { KEY_UNUSABLE.to_owned() }
}
