//! The query of a list's URL: `?q=`, a parameter for each filter, `?o=-created_at,name`, `?show=`, and the page:
//! `?after=`, `?before=` or `?last=1`. Unknown values mean the default.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::QueryResult;
use serde_json::Value as Json;

use super::display::{DEFAULT_SHOW, ListDisplay, SHOW};
use super::filter::FilterChoice;
use crate::admin::context::AdminContext;
use crate::admin::form_data::FormData;
use crate::admin::model_admin::{Filter, Options, Show};
use crate::db::Connection;
use crate::db::rows::{Sql, Value};
use crate::db::search;
use crate::error::Error;
use crate::models::value::to_json;
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

#[derive(Clone, Debug)]
pub struct ChangeListQuery {
    pub search: String,
    /// All of these words must occur.
    pub words: Vec<String>,
    /// Why the search or a filter is invalid. The list then finds nothing.
    pub problem: Option<String>,
    pub chosen: Vec<Chosen>,
    /// The URL names a choice that does not exist (any more). Lists ignore it; actions on all matches must refuse.
    pub is_choice_gone: bool,
    /// A condition that does not come from the URL.
    pub within: Option<Sql>,
    pub order: Vec<Order>,
    pub has_own_order: bool,
    pub show: i64,
    /// What `show` is without the parameter.
    pub usual_show: i64,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub struct Chosen {
    pub filter: &'static Filter,
    pub choice: FilterChoice,
}

#[derive(Clone, Debug)]
pub struct Order {
    pub name: &'static str,
    pub sql: &'static str,
    pub kind: Show,
    pub descending: bool,
}

impl Order {
    pub fn by_id(descending: bool) -> Order {
        Order { name: "id", sql: "id", kind: Show::Number, descending }
    }

    /// A row's value, for comparisons with others. `None` if no row can have this value.
    pub fn bind(&self, value: &Value) -> Option<Value> {
        match (self.kind, value) {
            (Show::DateTime, value) => value.as_time().map(Value::DateTime),
            (Show::Boolean, value) => value.as_bool().map(Value::Boolean),
            (Show::Number | Show::ForeignKey(_) | Show::Count(_), Value::Integer(_)) => Some(value.clone()),
            (Show::Text | Show::Choice(_) | Show::Custom(_), Value::Text(_)) => Some(value.clone()),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    First,
    Last,
    After(Cursor),
    Before(Cursor),
}

/// A row's place. Any page costs as much as the first, and added or deleted rows do not shift it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// The number of rows up to and including this one, if known. For display only.
    pub number: Option<i64>,
    /// The row's values of [`ChangeListQuery::full_order`].
    pub values: Vec<Value>,
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
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let (mut chosen, mut is_choice_gone) = (Vec::new(), false);
        for filter in options.list_filter {
            let value = data.get(filter.name).unwrap_or_default();
            let typed = filter.title_name(options.model).and_then(|name| data.get(&name)).unwrap_or_default().trim();
            let choice = match typed {
                _ if !value.is_empty() => filter.choice(conn, options.model, value)?,
                typed => filter.choice_by_title(conn, options.model, typed)?,
            };
            match choice {
                Some(choice) => chosen.push(Chosen { filter, choice }),
                None if value.is_empty() && !typed.is_empty() => {
                    let heading = filter.heading(options.model).to_lowercase();
                    problem = Some(format!("No {} has “{typed}” as {heading}.", options.label()));
                }
                None => is_choice_gone |= !value.is_empty(),
            }
        }
        let own_order = data.get("o").map(|text| order(options, text.split(','))).unwrap_or_default();
        let has_own_order = !own_order.is_empty();
        let order = if has_own_order { own_order } else { order(options, options.ordering.iter().copied()) };
        let show = data.get("show").and_then(|show| show.parse().ok()).filter(|show| SHOW.contains(show));
        let (within, show, place) = (None, show.unwrap_or(usual_show), Place::First);
        let mut list = ChangeListQuery {
            search,
            words,
            problem,
            chosen,
            is_choice_gone,
            within,
            order,
            has_own_order,
            show,
            usual_show,
            place,
        };
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

    pub fn only_place(self) -> ChangeListQuery {
        let (search, words, problem, chosen) = (String::new(), Vec::new(), None, Vec::new());
        ChangeListQuery { search, words, problem, chosen, ..self }
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

    pub fn is_narrowed(&self) -> bool {
        !self.search.is_empty() || !self.chosen.is_empty() || self.problem.is_some()
    }

    pub fn filters_but(&self, name: &str) -> Sql {
        let chosen = self.chosen.iter().filter(|chosen| chosen.filter.name != name);
        Sql::all(chosen.map(|chosen| chosen.choice.condition.clone()).chain(self.within.clone()))
    }

    pub fn filters(&self) -> Sql {
        self.filters_but("")
    }

    /// Without the page, in a fixed order: equal lists have equal URLs.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        if !self.search.is_empty() {
            parameters.push(("q", self.search.clone()));
        }
        parameters.extend(self.chosen.iter().map(|chosen| (chosen.filter.name, chosen.choice.value.clone())));
        if self.has_own_order {
            parameters.push(("o", order_text(&self.order)));
        }
        if self.show != self.usual_show {
            parameters.push(("show", self.show.to_string()));
        }
        parameters
    }

    /// Sets or removes a parameter, and goes to the first page.
    pub fn link(&self, name: &'static str, value: Option<String>) -> String {
        let mut parameters = self.parameters();
        let at = parameters.iter().position(|(known, _)| *known == name);
        match (at, value) {
            (Some(at), Some(value)) => parameters[at].1 = value,
            (Some(at), None) => drop(parameters.remove(at)),
            (None, Some(value)) => parameters.push((name, value)),
            (None, None) => {}
        }
        format!("?{}", encode(&parameters))
    }

    pub fn place_link(&self, place: &Place) -> String {
        let mut parameters = self.parameters();
        parameters.extend(place.parameter());
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

fn encode(parameters: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

impl Place {
    fn parameter(&self) -> Option<(&'static str, String)> {
        match self {
            Place::First => None,
            Place::Last => Some(("last", "1".to_owned())),
            Place::After(cursor) => Some(("after", cursor.encode())),
            Place::Before(cursor) => Some(("before", cursor.encode())),
        }
    }
}

impl Cursor {
    /// base64url of a JSON list, the number first.
    fn encode(&self) -> String {
        let values = self.values.iter().map(|value| match value {
            Value::Boolean(flag) => Json::from(i64::from(*flag)),
            Value::DateTime(time) => Json::from(time.to_string()),
            other => to_json(other),
        });
        let list: Vec<Json> = std::iter::once(Json::from(self.number)).chain(values).collect();
        URL_SAFE_NO_PAD.encode(Json::from(list).to_string())
    }

    /// `None` if the text is not a cursor of this order.
    fn decode(text: &str, order: &[Order]) -> Option<Cursor> {
        let list: Vec<Json> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (number, values) = list.split_first().filter(|(_, values)| values.len() == order.len())?;
        let value = |value: &Json| match value {
            Json::String(text) => Some(Value::Text(text.clone())),
            value => value.as_i64().map(Value::Integer),
        };
        let values = values.iter().map(value).collect::<Option<Vec<_>>>()?;
        order.iter().zip(&values).try_for_each(|(order, value)| order.bind(value).map(drop))?;
        Some(Cursor { number: number.as_i64().filter(|number| *number > 0), values })
    }
}
