//! Sign-in, sessions, throttling, and what a form must prove.

pub mod browsing;
pub mod credentials;
pub mod csrf;
pub mod device;
pub mod entry;
pub mod external;
pub mod next;
pub mod origin;
pub mod password_change;
pub mod problem;
pub mod proof;
pub mod second_factor;
pub mod session;
pub mod session_cookies;
pub mod sessions;
pub mod sign_in;
pub mod staff;
pub mod throttle;
pub mod user_agent;
pub mod user_password;
