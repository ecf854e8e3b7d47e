//! Second factors of passwords: the code that a sign-in asks for, and the page where users set up their own.

pub mod code;
mod enrolment;
mod messages;
pub mod page;
mod pending;
mod qr;
pub mod steps;
