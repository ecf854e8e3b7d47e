//! Lists of rows: what is asked of them, how it is found and counted, how it is shown and exported, and
//! what is done to the rows that are selected.

pub mod actions;
pub mod cells;
pub mod change_list;
pub mod export;
pub mod facets;
pub mod filter;
pub mod matches;
pub mod page;
pub mod query;
pub mod recent;
pub mod view;
