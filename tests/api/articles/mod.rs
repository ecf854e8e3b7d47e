//! Articles, the feature.

mod api;
