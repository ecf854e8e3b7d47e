//! The URLs of a [`ModelViewSet`].

use std::borrow::Cow;

use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, PathItemBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Required};

use super::operations::header;
use crate::api::pagination;
use crate::api::viewset::{ModelViewSet, Permission};
use crate::models::words::{capitalized, capitalized_words, with_article};
use crate::models::{Default, Field, Kind};

struct Words {
    name: Cow<'static, str>,
    /// `an article`
    one: String,
    plural: Cow<'static, str>,
    /// `Article`, in names of schemas and operations.
    class: String,
    classes: String,
}

impl Words {
    fn of(viewset: &ModelViewSet) -> Words {
        let (name, plural) = (viewset.model.verbose_name(), viewset.model.verbose_name_plural());
        let joined = |text: &str| capitalized_words(text).replace(' ', "");
        Words { one: with_article(&name), class: joined(&name), classes: joined(&plural), name, plural }
    }
}

pub fn document(viewset: &ModelViewSet) -> OpenApi {
    let words = Words::of(viewset);
    let (path, class) = (viewset.path(), &words.class);
    let components = ComponentsBuilder::new()
        .schema(class.clone(), shown(viewset, &words))
        .schema(format!("{class}Fields"), body(viewset, false))
        .schema(format!("Patched{class}Fields"), body(viewset, true));
    let paths = PathsBuilder::new()
        .path(path.clone(), list_item(viewset, &words))
        .path(format!("{path}{{id}}/"), detail_item(&words));
    let tag = TagBuilder::new().name(words.plural.as_ref()).description(who_may(viewset, &words));
    OpenApiBuilder::new()
        .info(InfoBuilder::new().build())
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some([tag.build()]))
        .build()
}

fn who_may(viewset: &ModelViewSet, words: &Words) -> Option<String> {
    let who = |permission| match permission {
        Permission::IsAuthenticated => None,
        Permission::IsAdminUser => Some("Only staff".to_owned()),
        Permission::IsOwnerOrAdmin(field) if viewset.names().contains(&field) => {
            Some(format!("Only staff and the user in `{field}`"))
        }
        Permission::IsOwnerOrAdmin(_) => Some("Only staff and its owner".to_owned()),
    };
    let sentences = [(viewset.create, "create"), (viewset.change, "change or delete")]
        .into_iter()
        .filter_map(|(permission, verb)| Some(format!("{} may {verb} {}.", who(permission)?, words.one)));
    Some(sentences.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

fn list_item(viewset: &ModelViewSet, words: &Words) -> PathItem {
    let Words { name, one, plural, class, classes } = words;
    let page = ArrayBuilder::new().items(Ref::from_schema_name(class)).build();
    let page = ResponseBuilder::new()
        .description(format!("A page of {plural}."))
        .content("application/json", ContentBuilder::new().schema(Some(page)).build())
        .header("X-Total-Count", counted(&format!("Number of {plural}, or of those that match the search.")))
        .header("Link", header("Other pages, with `rel` `next`, `prev` and `first` (RFC 8288)."));
    let wrong = ContentBuilder::new().schema(Some(Ref::from_schema_name("FieldErrors"))).build();
    let wrong = ResponseBuilder::new().description("A parameter is invalid.").content("application/json", wrong);
    let list = operation(plural, format!("Lists the {plural}, a page at a time."), format!("list{classes}"))
        .parameters(Some(pagination::parameters(viewset)))
        .response("200", page)
        .response("400", wrong);
    let created = one_row(format!("The new {name}."), class).header("Location", header("Its URL."));
    let create = operation(plural, format!("Creates {one}."), format!("create{class}"))
        .request_body(Some(request_body(&format!("{class}Fields"), example(viewset, name))))
        .response("201", created);
    PathItemBuilder::new().operation(HttpMethod::Get, list).operation(HttpMethod::Post, create).build()
}

fn detail_item(words: &Words) -> PathItem {
    let Words { name, one, plural, class, .. } = words;
    let row = || one_row(format!("The {name}."), class);
    let on_row = |summary, id| operation(plural, summary, id).parameter(id_parameter(name));
    let retrieve = on_row(format!("Returns {one}."), format!("retrieve{class}")).response("200", row());
    let update = on_row(format!("Changes {one}."), format!("update{class}"))
        .request_body(Some(request_body(&format!("{class}Fields"), None)))
        .response("200", row());
    let partial = on_row(format!("Changes the given fields of {one}."), format!("partialUpdate{class}"))
        .request_body(Some(request_body(&format!("Patched{class}Fields"), None)))
        .response("200", row());
    let destroy = on_row(format!("Deletes {one}."), format!("destroy{class}"))
        .response("204", ResponseBuilder::new().description("Deleted."));
    PathItemBuilder::new()
        .operation(HttpMethod::Get, retrieve)
        .operation(HttpMethod::Put, update)
        .operation(HttpMethod::Patch, partial)
        .operation(HttpMethod::Delete, destroy)
        .build()
}

fn operation(tag: &str, summary: String, id: String) -> OperationBuilder {
    OperationBuilder::new().tag(tag).summary(Some(summary)).operation_id(Some(id))
}

fn one_row(description: String, class: &str) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(class))).build();
    ResponseBuilder::new().description(description).content("application/json", content)
}

fn request_body(schema: &str, example: Option<Value>) -> utoipa::openapi::request_body::RequestBody {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).example(example).build();
    RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build()
}

fn counted(description: &str) -> utoipa::openapi::header::Header {
    let mut counted = header(description);
    let schema = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0));
    counted.schema = Some(schema.build().into());
    counted
}

fn id_parameter(name: &str) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path).required(Required::True);
    id.description(Some(format!("The {name}'s id."))).schema(Some(schema)).build()
}

fn example(viewset: &ModelViewSet, name: &str) -> Option<Value> {
    let mut required = viewset.writable().filter(|field| field.is_required());
    match (required.next(), required.next()) {
        (Some(field), None) if matches!(field.kind, Kind::Char(_)) => {
            Some(serde_json::json!({ field.name: format!("A new {name}") }))
        }
        _ => None,
    }
}

fn shown(viewset: &ModelViewSet, words: &Words) -> Object {
    let mut id = Object::with_type(Type::Integer);
    id.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    let description = format!("{}.", capitalized(&words.one));
    let object = ObjectBuilder::new().description(Some(description)).property("id", id).required("id");
    let with = |object: ObjectBuilder, field: &Field| object.property(field.name, plain(field)).required(field.name);
    viewset.shown().map(|shown| shown.field).fold(object, with).build()
}

/// For PATCH, all fields are optional.
fn body(viewset: &ModelViewSet, is_partial: bool) -> Object {
    let with = |object: ObjectBuilder, field: &Field| {
        let sent = if is_partial { sent(field) } else { with_default(field, sent(field)) };
        let object = object.property(field.name, sent);
        if field.is_required() && !is_partial { object.required(field.name) } else { object }
    };
    viewset.writable().fold(ObjectBuilder::new().schema_type(Type::Object), with).build()
}

/// In responses.
fn plain(field: &Field) -> Object {
    let kind = match field.kind {
        Kind::Integer | Kind::ForeignKey(_) => Type::Integer,
        Kind::Boolean => Type::Boolean,
        Kind::ManyToMany => Type::Array,
        _ => Type::String,
    };
    let schema_type = if field.is_null { SchemaType::from_iter([kind, Type::Null]) } else { kind.into() };
    let format = match field.kind {
        Kind::Integer | Kind::ForeignKey(_) => Some(SchemaFormat::KnownFormat(KnownFormat::Int64)),
        Kind::DateTime => Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)),
        _ => None,
    };
    let schema = ObjectBuilder::new().schema_type(schema_type).format(format);
    match field.kind {
        Kind::Choice(choices) => {
            let values = choices.iter().map(|(value, _)| Value::from(*value));
            schema.enum_values(Some(values.chain(field.is_null.then_some(Value::Null)))).build()
        }
        _ => schema.build(),
    }
}

/// What a field that is left out gets, if it is always the same.
fn with_default(field: &Field, schema: Object) -> Object {
    let default = match field.default {
        Some(Default::Text(text)) if !text.is_empty() => Value::from(text),
        Some(Default::Integer(number)) => number.into(),
        Some(Default::Boolean(flag)) => flag.into(),
        _ => return schema,
    };
    ObjectBuilder::from(schema).default(Some(default)).build()
}

/// In requests. Other accepted types, such as numbers for text, are deliberately not documented.
fn sent(field: &Field) -> Object {
    let schema = ObjectBuilder::from(plain(field)).title(Some(field.verbose_name()));
    let help = Some(field.help_text.to_owned()).filter(|help| !help.is_empty());
    match field.kind {
        Kind::Char(max_length) => {
            let rule = "Surrounding white space is removed. U+0000 is not allowed.";
            let text = help.map_or_else(|| rule.to_owned(), |help| format!("{help} {rule}"));
            let schema = schema.description(Some(text)).max_length(Some(max_length));
            if field.is_blank {
                return schema.build();
            }
            // A character that is not white space in Python. `\s` does not cover U+0085 and the separators.
            schema.min_length(Some(1)).pattern(Some(r"[^\s\x1c-\x1f\x85]")).build()
        }
        Kind::ForeignKey(model) => {
            let id = format!("The id of the {}.", model.verbose_name());
            schema.description(Some(help.map_or_else(|| id.clone(), |help| format!("{help} {id}")))).build()
        }
        _ => schema.description(help).build(),
    }
}
