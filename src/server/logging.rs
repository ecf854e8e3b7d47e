//! Logging as text lines or JSON objects.

use std::io::Write;

use chrono::{SecondsFormat, Utc};
use env_logger::fmt::Formatter;
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::Map;

use crate::config::Basics;

const ACCESS: &str = "gatepost::access";

/// Call this once per process. Logs go to standard error.
pub fn start(config: &Basics) {
    let mut logger = env_logger::Builder::new();
    // actix_http logs each malformed request as an error, so anyone could fill the log. To see these as they are, name
    // `actix_http` in RUST_LOG.
    logger.filter_module("actix_http", LevelFilter::Off);
    logger.parse_filters(&config.log_filter);
    if config.log_json {
        logger.format(json_line);
    } else {
        logger.format(text_line);
    }
    let logger = logger.build();
    log::set_max_level(logger.filter());
    // Fails only if it is called twice.
    let _ = log::set_boxed_logger(Box::new(WithUnreadable(logger)));
}

/// Writes a line of the access log for a request that actix_http has refused because it could not read it. No other part
/// of the program learns of it.
struct WithUnreadable(env_logger::Logger);

impl WithUnreadable {
    fn is_unreadable(&self, metadata: &Metadata) -> bool {
        let is_error = metadata.level() == Level::Error && metadata.target().starts_with("actix_http::h1");
        is_error && !self.0.enabled(metadata)
    }
}

impl Log for WithUnreadable {
    fn enabled(&self, metadata: &Metadata) -> bool {
        let access = Metadata::builder().level(Level::Info).target(ACCESS).build();
        self.0.enabled(metadata) || (self.is_unreadable(metadata) && self.0.enabled(&access))
    }

    fn log(&self, record: &Record) {
        if !self.is_unreadable(record.metadata()) {
            return self.0.log(record);
        }
        let text = record.args().to_string();
        if let Some(why) = text.strip_prefix("stream error: ").map(str::escape_debug) {
            let line = format_args!("refused before it was read: {why}");
            self.0.log(&Record::builder().level(Level::Info).target(ACCESS).args(line).build());
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn text_line(out: &mut Formatter, record: &Record) -> std::io::Result<()> {
    let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    write!(out, "{time} {:5} {}: {}", record.level(), record.target(), record.args())?;
    for (name, value) in pairs(record) {
        match value {
            serde_json::Value::String(text) => write!(out, " {name}={text}")?,
            value => write!(out, " {name}={value}")?,
        }
    }
    writeln!(out)
}

fn json_line(out: &mut Formatter, record: &Record) -> std::io::Result<()> {
    let mut line = Map::new();
    line.insert("time".to_owned(), Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true).into());
    line.insert("level".to_owned(), record.level().as_str().into());
    line.insert("target".to_owned(), record.target().into());
    line.insert("message".to_owned(), record.args().to_string().into());
    line.extend(pairs(record));
    writeln!(out, "{}", serde_json::Value::Object(line))
}

fn pairs(record: &Record) -> Map<String, serde_json::Value> {
    struct Pairs(Map<String, serde_json::Value>);
    impl<'kvs> VisitSource<'kvs> for Pairs {
        fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
            let value = match (value.to_i64(), value.to_f64()) {
                (Some(number), _) => number.into(),
                (None, Some(number)) => number.into(),
                (None, None) if value.to_string() == "None" => return Ok(()),
                (None, None) => value.to_string().into(),
            };
            self.0.insert(key.to_string(), value);
            Ok(())
        }
    }
    let mut pairs = Pairs(Map::new());
    // The visitor never fails.
    let _ = record.key_values().visit(&mut pairs);
    pairs.0
}
