//! What all operations of the API share.

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{Components, Object, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, Ref, RefOr, Required, Schema};
use utoipa::{IntoResponses, OpenApi as _};

use super::responses::{Always, OfChange, OfRead, OtherApiMethod, Schemas, WithBody};

pub const BEARER: &str = "idToken";

const HEADERS: [(&str, &str); 2] = [
    ("Allow", "The methods of this URL."),
    ("Vary", "The request headers that the response depends on, such as `Accept`, `Accept-Encoding` and `Origin`."),
];

pub fn describe(doc: &mut OpenApi) {
    doc.merge(Schemas::openapi());
    let components = doc.components.get_or_insert_default();
    for (name, description) in HEADERS {
        components.headers.insert(name.to_owned(), header(description).into());
    }
    for item in doc.paths.paths.values_mut() {
        item.options = options_operation(item);
        for (method, operation) in operations(item) {
            describe_operation(components, &method, operation);
        }
    }
}

/// Only what a program needs: clients that are generated would otherwise return an object or a page, and take a form for
/// each object. The browsable page, forms and `?format=` are content negotiation, and not described.
fn describe_operation(components: &mut Components, method: &Method, operation: &mut Operation) {
    operation.security = Some(vec![SecurityRequirement::new(BEARER, [""; 0])]);
    for (status, response) in &mut operation.responses.responses {
        add_manners(status, response);
    }
    share(components, operation, Always::responses());
    share(components, operation, OtherApiMethod::responses());
    let mut parameters = Vec::new();
    if *method == Method::GET {
        share(components, operation, OfRead::responses());
        add_etag(operation);
        parameters.push(header_parameter(
            "If-None-Match",
            "Versions that the client has cached. If one is current, the response is a 304 without a body.",
        ));
    } else if matches!(*method, Method::PUT | Method::PATCH | Method::DELETE) {
        share(components, operation, OfChange::responses());
        parameters.push(header_parameter(
            "If-Match",
            "Versions that may be changed. If none is current, the response is a 412.",
        ));
    }
    operation.parameters.get_or_insert_default().extend(parameters.into_iter().map(RefOr::T));
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        // If all fields are optional, so is the body.
        body.required = (*method != Method::PATCH).then_some(Required::True);
        share(components, operation, WithBody::responses());
    }
}

/// Describes each shared response once. An operation's own description of a status is kept.
fn share(components: &mut Components, operation: &mut Operation, shared: BTreeMap<String, RefOr<Response>>) {
    for (status, mut response) in shared {
        let reason = status.parse().ok().and_then(|status: StatusCode| status.canonical_reason());
        let name = reason.unwrap_or(&status).replace(' ', "");
        add_manners(&status, &mut response);
        operation.responses.responses.entry(status).or_insert_with(|| Ref::from_response_name(&name).into());
        components.responses.entry(name).or_insert(response);
    }
}

/// Adds the problem details variant of a body, and the common headers.
fn add_manners(status: &str, response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else { return };
    for (name, _) in HEADERS {
        response.headers.insert(name.to_owned(), header_ref(name));
    }
    if !response.content.is_empty() && status >= "400" {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        response.content.insert("application/problem+json".to_owned(), problem.into());
    }
}

fn add_etag(operation: &mut Operation) {
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200") {
        response.headers.insert("ETag".to_owned(), header("The version of the response.").into());
    }
}

fn options_operation(item: &mut PathItem) -> Option<Operation> {
    let (_, sibling) = operations(item).next()?;
    let is_in_path = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path);
    let parameters = sibling.parameters.iter().flatten().filter(|parameter| is_in_path(parameter)).cloned();
    let metadata = ContentBuilder::new().schema(Some(Ref::from_schema_name("Metadata"))).build();
    let response =
        ResponseBuilder::new().description("The metadata of this URL.").content("application/json", metadata);
    let name = sibling.operation_id.as_deref().unwrap_or_default();
    let mut operation = OperationBuilder::new()
        .summary(Some("Returns the metadata of this URL."))
        .operation_id(Some(format!("{name}Options")))
        .tags(sibling.tags.clone())
        .response("200", response)
        .build();
    operation.parameters = Some(parameters.collect());
    Some(operation)
}

pub fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let operations = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
    ];
    operations.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn text() -> Object {
    Object::with_type(Type::String)
}

fn parameter(name: &str, within: ParameterIn, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(within).description(Some(description));
    parameter.schema(Some(schema)).build()
}

pub fn header(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(text())).description(Some(description)).build()
}

pub fn header_ref(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

fn header_parameter(name: &str, description: &str) -> Parameter {
    parameter(name, ParameterIn::Header, description, text())
}
