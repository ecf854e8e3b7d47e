//! How a browser shows a list: its columns and the length of its pages, kept in a cookie for each list.
//! `/admin/<slug>/display/` sets it.

use actix_web::cookie::time::Duration;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::admin::addresses::Addresses;
use crate::admin::context::AdminContext;
use crate::admin::form_data::PostForm;
use crate::admin::model_admin::{Column, Options};
use crate::admin::pages::see_other;
use crate::error::Error;
use crate::http::cookies::{self, Cookies};
use crate::users::permissions::Verb;

/// Rows on a page.
pub const SHOW: [i64; 4] = [25, 50, 100, 200];
pub const DEFAULT_SHOW: i64 = 100;

const AGE: Duration = Duration::days(365);

/// Equal for equal cookies, whatever else a browser sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListDisplay {
    pub show: i64,
    /// Names of columns; empty: those of [`Options::summary`].
    columns: Vec<&'static str>,
}

impl ListDisplay {
    pub fn of(request: &HttpRequest, options: &'static Options) -> ListDisplay {
        let cookies = request.app_data::<web::Data<Cookies>>();
        let values = cookies.map(|cookies| cookies.get(request, &cookie(options))).unwrap_or_default();
        let (show, columns) = values.first().and_then(|value| value.split_once(':')).unwrap_or_default();
        ListDisplay::new(options, show, columns.split('.'))
    }

    /// Leaves out what the list does not have (any more).
    fn new<'a>(options: &'static Options, show: &str, names: impl Iterator<Item = &'a str> + Clone) -> ListDisplay {
        let show = show.parse().ok().filter(|show| SHOW.contains(show)).unwrap_or(DEFAULT_SHOW);
        let known = options.columns().into_iter().map(|column| column.name);
        let columns: Vec<_> = known.filter(|known| names.clone().any(|name| name == *known)).collect();
        let is_usual = columns == options.summary_names();
        ListDisplay { show, columns: if is_usual { Vec::new() } else { columns } }
    }

    /// All columns, and whether each is shown. The first one always is, because it leads to the form.
    pub fn columns(&self, options: &Options) -> impl Iterator<Item = (Column, bool)> {
        let names = if self.columns.is_empty() { options.summary_names() } else { &self.columns[..] };
        let columns = options.columns().into_iter().enumerate();
        columns.map(move |(at, column)| {
            let is_shown = at == 0 || names.contains(&column.name);
            (column, is_shown)
        })
    }

    fn text(&self) -> String {
        format!("{}:{}", self.show, self.columns.join("."))
    }
}

fn cookie(options: &Options) -> String {
    format!("{}{}", cookies::LIST, options.slug())
}

pub async fn choose(
    cx: AdminContext,
    PostForm(form): PostForm,
    cookies: web::Data<Cookies>,
) -> Result<HttpResponse, Error> {
    let options = cx.model(Verb::View)?;
    let display = ListDisplay::new(options, form.get("show").unwrap_or_default(), form.all("columns").into_iter());
    let mut response = see_other(&Addresses::of_list(&cx, options).list());
    cookies.set(&mut response, &cookie(options), &display.text(), Some(AGE))?;
    Ok(response)
}
