//! Who is signed in, and what other sites can make a browser do.

mod browsing;
mod csrf;
mod django_hashes;
mod second_factor;
mod session;
mod sign_in;
mod throttle;
