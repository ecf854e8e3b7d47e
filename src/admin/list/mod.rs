//! Lists of rows: query, search, counts, pages, export, and actions on selected rows.

pub mod actions;
pub mod bulk_action;
pub mod cells;
pub mod change_list;
pub mod confirm;
pub mod display;
pub mod done;
pub mod export;
pub mod facets;
pub mod filter;
pub mod matches;
pub mod neighbours;
pub mod order;
pub mod page;
pub mod query;
pub mod recent;
pub mod related_list;
pub mod saved_views;
pub mod selection;
pub mod view;
