//! All routes.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use password_auth_core::app::App;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderValue, Method};
use poem::{Endpoint, EndpointExt, Request, Response, Route, get};
use poem_openapi::{OpenApi, OpenApiService};

use super::demo::DemoApi;
use super::middleware::{Middleware, Settings};
use super::openapi;
use super::pages;
use super::v1;

/// The paths and methods of pages, which are not in the OpenAPI document.
const PAGES: [(&str, &str); 8] = [
    ("/", "GET, HEAD"),
    ("/page/*name", "GET, HEAD"),
    ("/docs", "GET, HEAD"),
    ("/openapi.json", "GET, HEAD"),
    (pages::FORGOT_PASSWORD, "GET, HEAD, POST"),
    (pages::RESET_PASSWORD, "GET, HEAD, POST"),
    (pages::VERIFY_EMAIL, "GET, HEAD, POST"),
    (pages::JOIN, "GET, HEAD, POST"),
];

/// The whole server as one endpoint. It never fails: errors become responses.
#[must_use]
pub fn endpoint(app: &App, settings: &Settings) -> BoxEndpoint<'static, Response> {
    let described = Arc::new(service(app));
    let pages = Route::new()
        .at("/docs", get(openapi::swagger_ui(Arc::clone(&described))))
        .at("/openapi.json", get(openapi::openapi_json(described)));
    let forms = Arc::new(settings.forms.clone());
    let site_name = pages::SiteName(Arc::from(app.site_name.as_str()));
    let pages = pages::with_pages(pages, &app.accounts, site_name).data(Arc::clone(&forms));
    let api = Route::new()
        .nest_no_strip("/", service(app))
        .data(Arc::clone(&app.sessions))
        .data(forms)
        .data(Arc::clone(&app.allowance));
    let clock = Arc::clone(&app.clock);
    let routes = PagesOrApi { pages, api };
    Middleware::new(settings, clock, (allowed_methods, paths_by_pattern), routes).boxed()
}

/// The routes in the OpenAPI document.
type DocumentedApis = (DemoApi, v1::Apis);

fn service(app: &App) -> OpenApiService<DocumentedApis, ()> {
    let demo = DemoApi {
        accounts: Arc::clone(&app.accounts),
        sessions: Arc::clone(&app.sessions),
        clock: Arc::clone(&app.clock),
    };
    let (registration, _) = app.accounts.registration();
    openapi::describe((demo, v1::apis(app)), registration)
}

/// The `Allow` header of a 405 (RFC 9110 §15.5.6).
fn allowed_methods(route: &str) -> Option<HeaderValue> {
    static BY_PATTERN: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let mut described: BTreeMap<String, Vec<Method>> = BTreeMap::new();
        for path in DocumentedApis::meta().into_iter().flat_map(|api| api.paths) {
            let methods = path.operations.into_iter().map(|o| o.method);
            described
                .entry(pattern_of(&path.path))
                .or_default()
                .extend(methods);
        }
        let api = described.into_iter().map(|(pattern, mut methods)| {
            if methods.contains(&Method::GET) {
                methods.push(Method::HEAD);
            }
            let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
            (pattern, names.join(", "))
        });
        let pages = PAGES.map(|(path, methods)| (path.to_owned(), methods.to_owned()));
        pages.into_iter().chain(api).collect()
    });
    HeaderValue::from_str(BY_PATTERN.get(route)?).ok()
}

/// The path of each route by poem's pattern.
fn paths_by_pattern() -> Vec<(String, String)> {
    let documented = DocumentedApis::meta().into_iter().flat_map(|api| api.paths);
    let documented = documented.map(|path| (pattern_of(&path.path), path.path));
    let pages = PAGES.map(|(path, _)| (path.to_owned(), path.to_owned()));
    pages.into_iter().chain(documented).collect()
}

/// Poem's pattern for a path in the document: `/users/{id}` is `/users/:param0`.
fn pattern_of(path: &str) -> String {
    let mut parameters = 0;
    let segments = path.split('/').map(|segment| {
        if !segment.starts_with('{') {
            return segment.to_owned();
        }
        parameters += 1;
        format!(":param{}", parameters - 1)
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Dispatches between pages and the API: poem's `Route` cannot have a page at the root if the API is nested there.
struct PagesOrApi<P, A> {
    pages: P,
    api: A,
}

impl<P: Endpoint<Output = Response>, A: Endpoint<Output = Response>> Endpoint for PagesOrApi<P, A> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        let is_page =
            PAGES.iter().any(|(page, _)| *page == path) || path.starts_with(pages::home::FILES);
        if is_page {
            self.pages.call(request).await
        } else {
            self.api.call(request).await
        }
    }
}
