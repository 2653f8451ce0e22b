//! Serving: each page in the form that was asked for, with the headers that every answer has.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Router, ServiceExt};
use tokio::net::TcpListener;
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_sessions::SessionManagerLayer;
use tower_sessions::cookie::SameSite;

use crate::web::access::{self, Browsers, Viewer};
use crate::web::app::App;
use crate::web::page::{Page, SECTIONS, Section};
use crate::web::table::{Export, Table};
use crate::web::{assets, pages};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest request.
const LARGEST: usize = 1 << 20;

/// Nothing from elsewhere, nothing inline; pages are not framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// In which form a page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    #[default]
    Html,
    Csv,
    Json,
}

impl Form {
    /// The path and query as they were asked for, before the form was taken off.
    pub fn path_of(self, uri: &Uri) -> String {
        let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let end = match self {
            Form::Html => "",
            Form::Csv => ".csv",
            Form::Json => ".json",
        };
        format!("{}{end}{query}", uri.path())
    }
}

#[derive(Template)]
#[template(path = "page.html")]
struct Whole<'p> {
    page: &'p Page,
    /// Those that the reader has the right to.
    sections: Vec<(Section, &'static str, &'static str)>,
    version: &'p str,
    /// What was searched for.
    q: String,
    /// Who is signed in, if somebody is.
    actor: Option<String>,
}

/// Serves until `stop` is ready; what has begun is finished.
pub async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let service = MapRequestLayer::new(with_form).layer(router(app));
    let service = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(service);
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}

fn router(app: App) -> Router {
    let browsers = SessionManagerLayer::new(Browsers(app.database().clone()))
        // A name that no other host of the domain can set a cookie of.
        .with_name(if app.door().origins.is_secure() { "__Host-tracevault" } else { "tracevault" })
        .with_same_site(SameSite::Lax)
        .with_secure(app.door().origins.is_secure());
    pages::routes(&app)
        .merge(access::sign_in_routes())
        .with_state(app.clone())
        .layer(CsrfLayer::new())
        .layer(middleware::from_fn_with_state(app, access::known))
        .layer(browsers)
        .route("/assets/{name}", axum::routing::get(assets::asset))
        .layer(middleware::from_fn(in_form))
        .layer(CatchPanicLayer::new())
        .layer(RequestBodyLimitLayer::new(LARGEST))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PATIENCE))
        .layer(CompressionLayer::new())
}

/// `/sessions.csv` is `/sessions` as CSV. Code has files of that name: there the query says it.
fn with_form(mut request: Request) -> Request {
    let path = request.uri().path();
    let (bare, form) = match (path.strip_suffix(".csv"), path.strip_suffix(".json")) {
        _ if is_code(path) => (None, form_asked(request.uri())),
        _ if path.starts_with("/assets/") || path == "/openapi.json" => (None, Form::Html),
        (Some(bare), _) => (Some(bare), Form::Csv),
        (_, Some(bare)) => (Some(bare), Form::Json),
        _ => (None, Form::Html),
    };
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    if let Some(uri) = bare.and_then(|bare| format!("{bare}{query}").parse::<Uri>().ok()) {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(form);
    request
}

/// Whether a page is of code, whose path may end in anything.
fn is_code(path: &str) -> bool {
    let rest = path.strip_prefix("/r/").and_then(|rest| rest.split_once('/')).map(|(_, rest)| rest);
    rest.is_some_and(|rest| rest == "code" || rest.starts_with("code/") || rest.starts_with("story/"))
}

fn form_asked(uri: &Uri) -> Form {
    match asked(uri, "form") {
        Some("csv") => Form::Csv,
        Some("json") => Form::Json,
        _ => Form::Html,
    }
}

/// A field of the query, as it stands there.
fn asked<'u>(uri: &'u Uri, name: &str) -> Option<&'u str> {
    let fields = uri.query().unwrap_or_default().split('&').filter_map(|field| field.split_once('='));
    fields.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
}

async fn in_form(request: Request, next: Next) -> Response {
    let form = request.extensions().get::<Form>().copied().unwrap_or(Form::Html);
    let uri = request.uri().clone();
    let mut response = next.run(request).await;
    if let Some(page) = response.extensions_mut().remove::<Arc<Page>>() {
        let viewer = response.extensions_mut().remove::<Arc<Viewer>>().unwrap_or_default();
        // What else was to go with the page: cookies above all.
        let headers = std::mem::take(response.headers_mut());
        let marks = std::mem::take(response.extensions_mut());
        response = formed(Arc::unwrap_or_clone(page), form, &uri, &viewer);
        response.headers_mut().extend(headers);
        *response.extensions_mut() = marks;
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What one may read another may not; a page is as new as the index.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    response
}

fn formed(mut page: Page, form: Form, uri: &Uri, viewer: &Viewer) -> Response {
    let status = page.status;
    match form {
        Form::Html => {
            link_exports(&mut page, uri);
            let may = |(section, href, name, right)| viewer.may(right).then_some((section, href, name));
            let sections = SECTIONS.into_iter().filter_map(may).collect();
            let actor = viewer.signed_in.as_ref().and_then(|_| viewer.actor());
            let whole = Whole { page: &page, sections, version: &assets::VERSION, q: searched(uri), actor };
            match whole.render() {
                Ok(html) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
                Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
            }
        }
        _ if !status.is_success() => (status, page.title).into_response(),
        _ => match page.into_table(asked(uri, "table")) {
            Some(table) => as_data(&table, form),
            None => (StatusCode::NOT_FOUND, "this page has no such table").into_response(),
        },
    }
}

/// A table as CSV or JSON. Where the rows after these are is in the headers, too (RFC 8288): CSV has no place for it.
fn as_data(table: &Table, form: Form) -> Response {
    let (media, end, text) = match form {
        Form::Csv => ("text/csv; charset=utf-8; header=present", "csv", table.csv()),
        _ => ("application/json", "json", table.json().to_string()),
    };
    let mut response = ([(header::CONTENT_TYPE, media)], text).into_response();
    let next = table.next.as_deref().and_then(|next| next.split_once('?'));
    let next = next.map(|(path, query)| format!("<{path}.{end}?{query}>; rel=\"next\""));
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(header::LINK, next);
    }
    response
}

/// The tables of a page lead to themselves as CSV and JSON: the first by the page's own address, others by their names.
fn link_exports(page: &mut Page, uri: &Uri) {
    if !page.status.is_success() {
        return;
    }
    let path = if uri.path() == "/" { "/overview" } else { uri.path() };
    let fields: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(|field| !field.is_empty()).collect();
    let to = |form: &str, name: Option<&str>| {
        let mut fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        fields.extend(is_code(path).then(|| format!("form={form}")));
        fields.extend(name.map(|name| format!("table={name}")));
        let end = if is_code(path) { String::new() } else { format!(".{form}") };
        let query = if fields.is_empty() { String::new() } else { format!("?{}", fields.join("&")) };
        format!("{path}{end}{query}")
    };
    for (place, (name, table)) in page.tables_mut().enumerate() {
        let name = Some(name).filter(|_| place > 0);
        if !table.rows.is_empty() && name != Some("") {
            table.export = Some(Export { csv: to("csv", name), json: to("json", name) });
        }
    }
}

fn searched(uri: &Uri) -> String {
    let query: Result<axum::extract::Query<crate::web::ask::Ask>, _> = axum::extract::Query::try_from_uri(uri);
    query.map_or_else(|_| String::new(), |ask| ask.0.q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::table::{Cell, words};

    fn table(rows: usize) -> Table {
        Table::new("t", &[words("who", "Who")], "none").rows((0..rows).map(|_| vec![Cell::text("ada")]))
    }

    #[test]
    fn every_table_that_is_whole_leads_to_its_data() {
        let page = Page::new("p", Section::Other).table(table(1)).heading("more", "More").table(table(1));
        let page = page.heading("short", "Short").table(table(1).excerpt()).heading("none", "None").table(table(0));
        let exports = |uri: &str| -> Vec<Option<String>> {
            let mut page = page.clone();
            link_exports(&mut page, &uri.parse().unwrap());
            page.tables_mut().map(|(_, table)| table.export.clone().map(|export| export.csv)).collect()
        };
        let to = |first: &str, second: &str| vec![Some(first.to_owned()), Some(second.to_owned()), None];
        assert_eq!(exports("/x"), to("/x.csv", "/x.csv?table=more"));
        assert_eq!(exports("/?since=1"), to("/overview.csv?since=1", "/overview.csv?since=1&table=more"));
        assert_eq!(exports("/r/a/code/b"), to("/r/a/code/b?form=csv", "/r/a/code/b?form=csv&table=more"));
        assert!(page.clone().into_table(Some("more")).is_some() && page.clone().into_table(Some("short")).is_none());
        assert_eq!(page.into_table(None).unwrap().rows.len(), 1);
    }

    #[test]
    fn data_say_where_the_rows_after_these_are() {
        let link = |next: Option<&str>, form| {
            let response = as_data(&Table { next: next.map(str::to_owned), ..table(1) }, form);
            response.headers().get(header::LINK).map(|link| link.to_str().unwrap().to_owned())
        };
        let next = Some("/sessions?member=a&after=7.b");
        assert_eq!(link(next, Form::Csv).unwrap(), "</sessions.csv?member=a&after=7.b>; rel=\"next\"");
        assert_eq!(link(next, Form::Json).unwrap(), "</sessions.json?member=a&after=7.b>; rel=\"next\"");
        assert_eq!(link(None, Form::Csv), None);
    }
}
