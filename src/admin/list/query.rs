//! What a list's address asks for: `?q=`, a parameter for each filter, `?o=-created_at,name`, `?show=`, and
//! the page: `?after=`, `?before=` or `?last=1`. Whatever it does not know means the default.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::QueryResult;
use serde_json::Value as Json;

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

/// How many rows a page may have.
pub const SHOW: [i64; 4] = [25, 50, 100, 200];
/// How many it has where nothing is said.
const DEFAULT_SHOW: i64 = 100;

/// A list that a request is about, and that its sender may see.
#[derive(Clone)]
pub struct AskedList {
    /// Whose rows.
    pub options: &'static Options,
    /// The query of the address.
    pub query: String,
    /// What the sender may see of them.
    within: Option<Sql>,
}

impl AskedList {
    /// The list of a model; fails where the sender may not see it.
    pub fn of(cx: &AdminContext) -> Result<AskedList, Error> {
        let options = cx.model(Verb::View)?;
        let within = cx.site.get(options.slug())?.visible(&cx.site.options(), cx.rights());
        Ok(AskedList { options, query: cx.request.query_string().to_owned(), within })
    }

    /// Reads the query.
    pub fn parse(&self, conn: &mut Connection) -> QueryResult<ChangeListQuery> {
        Ok(ChangeListQuery { within: self.within.clone(), ..ChangeListQuery::parse(conn, self.options, &self.query)? })
    }
}

/// What a list's address asks for.
#[derive(Clone, Debug)]
pub struct ChangeListQuery {
    /// The search as it was typed.
    pub search: String,
    /// Its words, of which each must occur.
    pub words: Vec<String>,
    /// Why there cannot be such a search. It finds nothing then.
    pub problem: Option<String>,
    /// The filters that are on.
    pub chosen: Vec<Chosen>,
    /// Whether the address names a choice of a filter that is not there (any more). A list is shown without it;
    /// whatever acts on all rows that match must not.
    pub is_choice_gone: bool,
    /// A condition that is no choice of the address.
    pub within: Option<Sql>,
    /// The columns that order the list.
    pub order: Vec<Order>,
    /// Whether the address says so, and not the model.
    pub has_own_order: bool,
    /// Rows of a page.
    pub show: i64,
    /// Which page.
    pub place: Place,
}

/// A filter that is on.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The filter.
    pub filter: &'static Filter,
    /// What of it was chosen.
    pub choice: FilterChoice,
}

/// A column that orders a list.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its name in `?o=`.
    pub name: &'static str,
    /// SQL of what is compared.
    pub sql: &'static str,
    /// What kind of value that is.
    pub kind: Show,
    /// From the greatest to the least.
    pub descending: bool,
}

impl Order {
    /// By the id.
    pub fn by_id(descending: bool) -> Order {
        Order { name: "id", sql: "id", kind: Show::Number, descending }
    }

    /// A value of the order, as it was read from a row, for a comparison with others. `None` where no row has
    /// such a value.
    pub fn bind(&self, value: &Value) -> Option<Value> {
        match (self.kind, value) {
            (Show::DateTime, value) => value.as_time().map(Value::DateTime),
            (Show::Boolean, value) => value.as_bool().map(Value::Boolean),
            (Show::Number, Value::Integer(_)) => Some(value.clone()),
            (Show::Text | Show::Choice(_) | Show::Custom(_), Value::Text(_)) => Some(value.clone()),
            _ => None,
        }
    }
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// The first one.
    First,
    /// The last one.
    Last,
    /// The one after a row.
    After(Cursor),
    /// The one before a row.
    Before(Cursor),
}

/// A row's place in the order of a list, so that a page in the middle costs what the first one costs, and rows
/// that come or go meanwhile shift nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// How many rows the list had up to this one, itself included, if that is known. Only for people to read.
    pub number: Option<i64>,
    /// Its values of [`ChangeListQuery::full_order`].
    pub values: Vec<Value>,
}

impl ChangeListQuery {
    /// Reads a query string.
    pub fn parse(conn: &mut Connection, options: &'static Options, query: &str) -> QueryResult<ChangeListQuery> {
        let data = FormData::parse(query.as_bytes());
        let search = data.get("q").unwrap_or_default().trim().to_owned();
        let (words, problem) = match search::words(&search) {
            Ok(words) => (words, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let (mut chosen, mut is_choice_gone) = (Vec::new(), false);
        for filter in options.list_filter {
            let value = data.get(filter.name).unwrap_or_default();
            match filter.choice(conn, options.model, value)? {
                Some(choice) => chosen.push(Chosen { filter, choice }),
                None => is_choice_gone |= !value.is_empty(),
            }
        }
        let own_order = data.get("o").map(|text| order(options, text.split(','))).unwrap_or_default();
        let has_own_order = !own_order.is_empty();
        let order = if has_own_order { own_order } else { order(options, options.ordering.iter().copied()) };
        let show = data.get("show").and_then(|show| show.parse().ok()).filter(|show| SHOW.contains(show));
        let (within, show, place) = (None, show.unwrap_or(DEFAULT_SHOW), Place::First);
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

    /// The same page of a list that cannot be searched, filtered or ordered.
    pub fn only_place(self) -> ChangeListQuery {
        let (search, words, problem, chosen) = (String::new(), Vec::new(), None, Vec::new());
        ChangeListQuery { search, words, problem, chosen, ..self }
    }

    /// The order with the id at its end, so that no two rows have the same place. It goes the way of the
    /// column before it: an index can then be read from either end.
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

    /// Whether anything is left out.
    pub fn is_narrowed(&self) -> bool {
        !self.search.is_empty() || !self.chosen.is_empty()
    }

    /// The conditions of the filters, but for the one with a name.
    pub fn filters_but(&self, name: &str) -> Sql {
        let chosen = self.chosen.iter().filter(|chosen| chosen.filter.name != name);
        Sql::all(chosen.map(|chosen| chosen.choice.condition.clone()).chain(self.within.clone()))
    }

    /// The conditions of all filters.
    pub fn filters(&self) -> Sql {
        self.filters_but("")
    }

    /// The parameters, without the page, in one order: equal lists have equal addresses.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        if !self.search.is_empty() {
            parameters.push(("q", self.search.clone()));
        }
        parameters.extend(self.chosen.iter().map(|chosen| (chosen.filter.name, chosen.choice.value.clone())));
        if self.has_own_order {
            parameters.push(("o", order_text(&self.order)));
        }
        if self.show != DEFAULT_SHOW {
            parameters.push(("show", self.show.to_string()));
        }
        parameters
    }

    /// The link to the first page with a parameter set, or taken out.
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

    /// The link to a page of the list.
    pub fn place_link(&self, place: &Place) -> String {
        let mut parameters = self.parameters();
        parameters.extend(place.parameter());
        format!("?{}", encode(&parameters))
    }

    /// The whole query, for a form to lead back to.
    pub fn state(&self) -> String {
        self.place_link(&self.place).split_off(1)
    }
}

/// The columns with these names, each once; `-` before those that descend.
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

/// `?o=` for an order.
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
    /// As it stands in an address: base64url of a JSON list, the number first.
    fn encode(&self) -> String {
        let values = self.values.iter().map(|value| match value {
            Value::Boolean(flag) => Json::from(i64::from(*flag)),
            Value::DateTime(time) => Json::from(time.to_string()),
            other => to_json(other),
        });
        let list: Vec<Json> = std::iter::once(Json::from(self.number)).chain(values).collect();
        URL_SAFE_NO_PAD.encode(Json::from(list).to_string())
    }

    /// `None` where the text is no cursor of this order.
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
