//! Django REST framework's conventions.

mod browsable;
mod original;
mod problem;
mod properties;
