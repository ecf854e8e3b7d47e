//! The second factor of passwords.

mod enrolment;
mod key;
mod other_ways;
mod required;
mod sign_in;
