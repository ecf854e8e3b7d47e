//! The query of a list's URL: `?q=`, a parameter for each filter, `?o=-created_at,name`, `?show=`, and the page:
//! `?after=`, `?before=` or `?last=1`. Unknown values mean the default, but an unknown value of a filter finds nothing.

use std::borrow::Cow;

use diesel::QueryResult;

use super::display::{DEFAULT_SHOW, ListDisplay, SHOW};
use super::filter::{FROM, FilterChoice, MOST_VALUES, TO};
pub use super::order::{Cursor, Order, Place};
use crate::admin::context::AdminContext;
use crate::admin::form_data::FormData;
use crate::admin::grouped::grouped;
use crate::admin::model_admin::{Filter, Options};
use crate::db::Connection;
use crate::db::rows::Sql;
use crate::db::search::{self, Turn, Turns};
use crate::error::Error;
use crate::users::permissions::Verb;

#[derive(Clone)]
pub struct AskedList {
    pub options: &'static Options,
    pub query: String,
    pub display: ListDisplay,
    within: Option<Sql>,
}

impl AskedList {
    pub fn of(cx: &AdminContext) -> Result<AskedList, Error> {
        let options = cx.model(Verb::View)?;
        let within = cx.site.get(options.slug())?.visible(&cx.site.options(), cx.rights());
        let display = ListDisplay::of(&cx.request, options);
        Ok(AskedList { options, query: cx.request.query_string().to_owned(), display, within })
    }

    pub fn parse(&self, conn: &mut Connection) -> QueryResult<ChangeListQuery> {
        let query = ChangeListQuery::parse_with(conn, self.options, &self.query, self.display.show)?;
        Ok(ChangeListQuery { within: self.within.clone(), ..query })
    }
}

/// A search reads every row, so it waits for its turn.
pub async fn turn_for(query: &str, turns: &Turns) -> Result<Option<Turn>, Error> {
    let is_search = FormData::parse(query.as_bytes()).get("q").is_some_and(|words| !words.trim().is_empty());
    if is_search { turns.take().await } else { Ok(None) }
}

#[derive(Clone)]
pub struct ChangeListQuery {
    pub search: String,
    /// All of these words must occur.
    pub words: Vec<String>,
    /// The list then finds nothing.
    pub problem: Option<Problem>,
    pub chosen: Vec<Chosen>,
    /// A condition that does not come from the URL.
    pub within: Option<Sql>,
    pub order: Vec<Order>,
    pub has_own_order: bool,
    pub show: i64,
    /// What `show` is without the parameter.
    pub usual_show: i64,
    pub place: Place,
}

/// Why the search or a filter is invalid.
#[derive(Clone)]
pub struct Problem {
    /// `q`, or the name of the filter.
    pub of: &'static str,
    pub text: String,
}

#[derive(Clone)]
pub struct Chosen {
    pub filter: &'static Filter,
    pub choice: FilterChoice,
}

impl Chosen {
    /// In the query.
    pub fn name(&self) -> String {
        format!("{}{}", self.filter.name, self.choice.lookup)
    }
}

pub type Parameter = (Cow<'static, str>, String);

fn any(mut conditions: Vec<Sql>) -> Sql {
    if conditions.len() < 2 {
        return conditions.pop().unwrap_or_else(|| Sql::all([]));
    }
    let mut any = Sql::new("(");
    for (at, condition) in conditions.into_iter().enumerate() {
        any.push(if at > 0 { " OR (" } else { "(" }).append(condition).push(")");
    }
    any.push(")");
    any
}

impl ChangeListQuery {
    pub fn parse(conn: &mut Connection, options: &'static Options, query: &str) -> QueryResult<ChangeListQuery> {
        ChangeListQuery::parse_with(conn, options, query, DEFAULT_SHOW)
    }

    fn parse_with(
        conn: &mut Connection,
        options: &'static Options,
        query: &str,
        usual_show: i64,
    ) -> QueryResult<ChangeListQuery> {
        let data = FormData::parse(query.as_bytes());
        let search = data.get("q").unwrap_or_default().trim().to_owned();
        let (words, mut problem) = match search::words(&search) {
            Ok(words) => (words, None),
            Err(text) => (Vec::new(), Some(Problem { of: "q", text })),
        };
        let mut chosen = Vec::new();
        for filter in options.list_filter {
            let invalid = |text| Some(Problem { of: filter.name, text });
            let mut add = |choice: FilterChoice| {
                let is_new = |known: &Chosen| {
                    (known.filter.name, known.choice.lookup, &known.choice.value)
                        != (filter.name, choice.lookup, &choice.value)
                };
                if chosen.iter().all(is_new) {
                    chosen.push(Chosen { filter, choice });
                }
            };
            let values = data.all(filter.name).into_iter().filter(|value| !value.is_empty()).take(MOST_VALUES);
            let values: Vec<&str> = values.collect();
            for (choice, value) in filter.choices(conn, options.model, &values)?.into_iter().zip(&values) {
                match choice {
                    Some(choice) => add(choice),
                    // A list of all rows would look like what the filter has found.
                    None => problem = invalid(filter.unknown_value(options.model, value)),
                }
            }
            let typed = filter.title_name(options.model).and_then(|name| data.get(&name)).unwrap_or_default().trim();
            match filter.choice_by_title(conn, options.model, typed)? {
                Some(choice) => add(choice),
                None if !typed.is_empty() => {
                    let heading = filter.heading(options.model).to_lowercase();
                    problem = invalid(format!("No {} has “{typed}” as {heading}.", options.label()));
                }
                None => {}
            }
            for lookup in [FROM, TO] {
                let end = data.get(&format!("{}{lookup}", filter.name)).unwrap_or_default().trim();
                match filter.end_of_range(options.model, lookup, end) {
                    Ok(end) => end.into_iter().for_each(&mut add),
                    Err(wrong) => problem = invalid(wrong),
                }
            }
        }
        let own_order = data.get("o").map(|text| order(options, text.split(','))).unwrap_or_default();
        let has_own_order = !own_order.is_empty();
        let order = if has_own_order { own_order } else { order(options, options.ordering.iter().copied()) };
        let show = data.get("show").and_then(|show| show.parse().ok()).filter(|show| SHOW.contains(show));
        let (within, show, place) = (None, show.unwrap_or(usual_show), Place::First);
        let mut list =
            ChangeListQuery { search, words, problem, chosen, within, order, has_own_order, show, usual_show, place };
        list.place = list.place(&data);
        Ok(list)
    }

    fn place(&self, data: &FormData) -> Place {
        let order = self.full_order();
        let cursor = |name| data.get(name).and_then(|text| Cursor::decode(text, &order));
        match (cursor("after"), cursor("before")) {
            (Some(cursor), _) => Place::After(cursor),
            (None, Some(cursor)) => Place::Before(cursor),
            (None, None) if data.has("last") => Place::Last,
            (None, None) => Place::First,
        }
    }

    /// Ends with the id, in the direction of the column before: places are unique, and an index serves both directions.
    pub fn full_order(&self) -> Vec<Order> {
        let mut full: Vec<Order> = Vec::new();
        for order in &self.order {
            full.push(order.clone());
            if order.name == "id" {
                return full;
            }
        }
        let descending = full.last().is_some_and(|last| last.descending);
        full.push(Order::by_id(descending));
        full
    }

    pub fn chosen_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Chosen> {
        self.chosen.iter().filter(move |chosen| chosen.filter.name == name)
    }

    pub fn is_narrowed(&self) -> bool {
        !self.search.is_empty() || !self.chosen.is_empty() || self.problem.is_some()
    }

    /// Any value of each filter, but all filters and both ends of a range.
    pub fn filters_but(&self, name: &str) -> Sql {
        let chosen = self.chosen.iter().filter(|chosen| chosen.filter.name != name);
        let filters = grouped(chosen.map(|chosen| (chosen.name(), chosen.choice.condition.clone())));
        Sql::all(filters.into_iter().map(|(_, values)| any(values)).chain(self.within.clone()))
    }

    pub fn filters(&self) -> Sql {
        self.filters_but("")
    }

    /// Without the page, in a fixed order: equal lists have equal URLs.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut parameters: Vec<Parameter> = Vec::new();
        if !self.search.is_empty() {
            parameters.push(("q".into(), self.search.clone()));
        }
        parameters.extend(self.chosen.iter().map(|chosen| (chosen.name().into(), chosen.choice.value.clone())));
        if self.has_own_order {
            parameters.push(("o".into(), order_text(&self.order)));
        }
        if self.show != self.usual_show {
            parameters.push(("show".into(), self.show.to_string()));
        }
        parameters
    }

    /// Sets or removes a parameter, and goes to the first page.
    pub fn link(&self, name: &'static str, value: Option<String>) -> String {
        let mut parameters = self.parameters();
        let at = parameters.iter().position(|(known, _)| *known == name).unwrap_or(parameters.len());
        parameters.retain(|(known, _)| *known != name);
        parameters.splice(at..at, value.map(|value| (name.into(), value)));
        format!("?{}", encode(&parameters))
    }

    /// Adds a value of a filter.
    pub fn with_value(&self, name: &'static str, value: &str) -> String {
        let mut parameters = self.parameters();
        parameters.push((name.into(), value.to_owned()));
        format!("?{}", encode(&parameters))
    }

    /// Takes a value of a filter away.
    pub fn without_value(&self, chosen: &Chosen) -> String {
        let (mut parameters, name) = (self.parameters(), chosen.name());
        parameters.retain(|(known, value)| (known.as_ref(), value) != (name.as_str(), &chosen.choice.value));
        format!("?{}", encode(&parameters))
    }

    /// Takes all values of a filter away, and its range.
    pub fn without_filter(&self, name: &'static str) -> String {
        let chosen = self.chosen.iter().filter(|chosen| chosen.filter.name != name).cloned().collect();
        ChangeListQuery { chosen, ..self.clone() }.place_link(&Place::First)
    }

    pub fn place_link(&self, place: &Place) -> String {
        let mut parameters = self.parameters();
        parameters.extend(place.parameter().map(|(name, value)| (name.into(), value)));
        format!("?{}", encode(&parameters))
    }

    pub fn state(&self) -> String {
        self.place_link(&self.place).split_off(1)
    }
}

/// Each column once; `-` means descending.
fn order<'a>(options: &'static Options, names: impl Iterator<Item = &'a str>) -> Vec<Order> {
    let (mut order, columns): (Vec<Order>, _) = (Vec::new(), options.columns());
    for name in names {
        let (name, descending) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        let known = match columns.iter().find(|column| column.name == name) {
            Some(column) => column.order.map(|sql| Order { name: column.name, sql, kind: column.kind, descending }),
            None => (name == "id").then(|| Order::by_id(descending)),
        };
        order.extend(known.filter(|new| !order.iter().any(|former| former.name == new.name)));
    }
    order
}

pub fn order_text(order: &[Order]) -> String {
    let names =
        order.iter().map(|order| if order.descending { format!("-{}", order.name) } else { order.name.to_owned() });
    names.collect::<Vec<_>>().join(",")
}

fn encode(parameters: &[Parameter]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}
