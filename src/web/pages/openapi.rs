//! `/openapi.json`: what may be asked of this server, for programs (OpenAPI 3.1).

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::web::routes::{Answers, PARAMETERS, ROUTES, Route, TABLES, names};

/// It is the same as long as the program runs.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

pub async fn page() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone()).into_response()
}

fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        paths.insert(route.path.replace("{*", "{"), operation(route));
    }
    for (path, _) in TABLES.iter().filter(|(path, _)| !path.contains('#')) {
        let others = TABLES.iter().filter(|(other, _)| other.split('#').next() == Some(*path));
        let tables: Vec<Value> = others.map(|(_, columns)| rows(columns)).collect();
        let mut query = asked(path).to_vec();
        query.extend((tables.len() > 1).then_some("table"));
        let about = route_of(path).map_or("", |route| route.about);
        let told = |media: &str, schema: Value| {
            let content = json!({ media: { "schema": schema } });
            json!({ "get": { "summary": about, "parameters": parameters(path, &query), "responses": responses(content) } })
        };
        paths.insert(format!("{path}.json"), told("application/json", json!({ "anyOf": tables })));
        paths.insert(format!("{path}.csv"), told("text/csv", json!({ "type": "string" })));
    }
    let explained = |(name, about): &(&str, &str)| {
        let place = if is_in_path(name) && !is_in_query(name) { "path" } else { "query" };
        let schema = json!({ "type": "string" });
        let parameter =
            json!({ "name": name, "in": place, "description": about, "schema": schema, "required": place == "path" });
        ((*name).to_owned(), parameter)
    };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "git-tracevault",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An audit view over signed records of AI agents' work. Tables answer as JSON and CSV behind their path.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": { "parameters": PARAMETERS.iter().map(explained).collect::<Map<_, _>>() },
    })
}

fn operation(route: &Route) -> Value {
    let parameters = parameters(route.path, route.query);
    match route.answers {
        Answers::Page => {
            let content = json!({ "text/html": { "schema": { "type": "string" } } });
            json!({ "get": { "summary": route.about, "parameters": parameters, "responses": responses(content) } })
        }
        Answers::Other(media) => {
            let content = json!({ media: {} });
            json!({ "get": { "summary": route.about, "parameters": parameters, "responses": responses(content) } })
        }
        Answers::Told => {
            let body = json!({ "required": true, "content": { "application/json": {} } });
            let answers =
                json!({ "202": { "description": "It is looked at now" }, "4XX": { "description": "Not accepted" } });
            let told =
                json!({ "summary": route.about, "parameters": parameters, "requestBody": body, "responses": answers });
            json!({ "post": told })
        }
    }
}

fn responses(content: Value) -> Value {
    let wrong = |what: &str| json!({ "description": what });
    json!({
        "200": { "description": "What was asked for", "content": content },
        "400": wrong("What was asked cannot be meant"),
        "404": wrong("Nothing has this name"),
    })
}

fn parameters(path: &str, query: &[&str]) -> Vec<Value> {
    let of_path = names(path).map(|name| match is_in_query(name) {
        // The same name stands in queries of other paths.
        true => json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
        false => json!({ "$ref": format!("#/components/parameters/{name}") }),
    });
    let of_query = query.iter().map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }));
    of_path.chain(of_query).collect()
}

fn is_in_query(name: &str) -> bool {
    name == "table" || ROUTES.iter().any(|route| route.query.contains(&name))
}

fn is_in_path(name: &str) -> bool {
    ROUTES.iter().any(|route| names(route.path).any(|known| known == name))
}

/// The route that answers with a table.
fn route_of(path: &str) -> Option<&'static Route> {
    let exact = ROUTES.iter().find(|route| route.path == path);
    let parent = path.rsplit_once('/').map_or(path, |(parent, _)| parent);
    let open =
        |route: &&Route| route.path.rsplit_once('/').is_some_and(|(of, last)| of == parent && last.starts_with('{'));
    exact.or_else(|| ROUTES.iter().find(open))
}

fn asked(path: &str) -> &'static [&'static str] {
    route_of(path).map_or(&[], |route| route.query)
}

/// The schema of a table's rows.
fn rows(columns: &str) -> Value {
    let (mut properties, mut all) = (Map::new(), Vec::new());
    for column in columns.split(' ') {
        let (name, kind) = column.strip_suffix('#').map_or((column, "string"), |name| (name, "number"));
        properties.insert(name.to_owned(), json!({ "type": [kind, "null"] }));
        all.push(name);
    }
    let row = json!({ "type": "object", "properties": properties, "required": all, "additionalProperties": false });
    let next = json!({ "type": ["string", "null"], "description": "Where the rows after these are" });
    json!({
        "type": "object",
        "properties": { "rows": { "type": "array", "items": row }, "next": next },
        "required": ["rows", "next"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_whole_and_every_reference_leads_somewhere() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            let told = item.get("get").or_else(|| item.get("post")).unwrap_or_else(|| panic!("{path}"));
            assert!(told["summary"].as_str().is_some_and(|about| !about.is_empty()), "{path}");
            let mut named: Vec<String> = Vec::new();
            for parameter in told["parameters"].as_array().unwrap() {
                let reference = parameter["$ref"].as_str().map(|reference| &reference[1..]);
                let parameter = reference.map_or(parameter, |reference| document.pointer(reference).unwrap());
                let name = parameter["name"].as_str().unwrap().to_owned();
                let is_in_path = parameter["in"] == "path";
                assert_eq!(is_in_path, path.contains(&format!("{{{name}}}")), "{name} of {path}");
                assert!(!is_in_path || parameter["required"] == true, "{name} of {path}");
                named.push(name);
            }
            let all = names(path).count();
            assert_eq!(named.iter().filter(|name| path.contains(&format!("{{{name}}}"))).count(), all, "{path}");
        }
    }
}
