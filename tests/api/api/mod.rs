//! Django REST framework's conventions.

mod browsable;
mod cors;
mod etag;
mod original;
mod pagination;
mod parsers;
mod problem;
mod properties;
mod search;
