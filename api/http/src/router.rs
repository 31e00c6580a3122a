//! All routes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use password_auth_core::app::App;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderValue, Method};
use poem::{Endpoint, EndpointExt, IntoEndpoint as _, PathPattern, Request, Response, Route, get};
use poem_openapi::{OpenApi, OpenApiService};

use super::context::Services;
use super::demo::DemoApi;
use super::middleware::{Found, Middleware, Routes, Settings};
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
pub fn endpoint(app: &App, settings: &Settings) -> impl Endpoint<Output = Response> + use<> {
    let described = Arc::new(service(app));
    let pages = Route::new()
        .at("/docs", get(openapi::swagger_ui(Arc::clone(&described))))
        .at("/openapi.json", get(openapi::openapi_json(described)));
    let site_name = pages::SiteName(Arc::from(app.site_name.as_str()));
    let routes = AllRoutes {
        pages: pages::with_pages(pages, &app.accounts, site_name).boxed(),
        api: service(app).into_endpoint(),
        direct: direct(apis(app)),
    };
    let services = Services {
        sessions: Arc::clone(&app.sessions),
        allowance: Arc::clone(&app.allowance),
        forms: settings.forms.clone(),
    };
    let clock = Arc::clone(&app.clock);
    let patterns = (allowed_methods as _, paths_by_pattern as _);
    Middleware::new(settings, clock, services, patterns, routes)
}

/// The routes in the OpenAPI document.
type DocumentedApis = (DemoApi, v1::Apis);

fn service(app: &App) -> OpenApiService<DocumentedApis, ()> {
    let (registration, _) = app.accounts.registration();
    openapi::describe(apis(app), registration)
}

fn apis(app: &App) -> DocumentedApis {
    let demo = DemoApi {
        accounts: Arc::clone(&app.accounts),
        sessions: Arc::clone(&app.sessions),
        clock: Arc::clone(&app.clock),
    };
    (demo, v1::apis(app))
}

/// The paths of routes that are asked all the time. Their handlers are called directly: poem's way to them has four
/// futures and a dozen allocations more, which is a fifth of what an authenticated request costs. None of them may have
/// parameters, which poem-openapi reads on that way.
const DIRECT: [&str; 6] = [
    "/protected",
    "/protected-data",
    "/refresh",
    "/api/v1/auth/refresh",
    "/api/v1/auth/me",
    "/api/v1/users/me",
];

/// The handlers of one of these paths, by method.
type Handlers = HashMap<Method, BoxEndpoint<'static>>;

fn direct(apis: DocumentedApis) -> Vec<(PathPattern, Handlers)> {
    let mut handlers = HashMap::new();
    apis.add_routes(&mut handlers);
    let all = DIRECT.into_iter();
    all.filter_map(|path| Some((PathPattern(path.into()), handlers.remove(path)?)))
        .collect()
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

/// Pages and the API, side by side: poem's `Route` cannot have a page at the root if the API is nested there.
struct AllRoutes {
    pages: BoxEndpoint<'static>,
    api: BoxEndpoint<'static>,
    direct: Vec<(PathPattern, Handlers)>,
}

impl Routes for AllRoutes {
    fn find(&self, request: &Request) -> Found<'_> {
        let path = request.uri().path();
        let mut direct = self.direct.iter();
        if let Some((pattern, handlers)) = direct.find(|(pattern, _)| *pattern.0 == *path)
            // Other methods, HEAD among them, are poem's to answer.
            && let Some(handler) = handlers.get(request.method())
        {
            return Found {
                endpoint: &**handler,
                pattern: Some(pattern),
            };
        }
        let is_page =
            PAGES.iter().any(|(page, _)| *page == path) || path.starts_with(pages::home::FILES);
        let routes = if is_page { &self.pages } else { &self.api };
        Found {
            endpoint: &**routes,
            pattern: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::OpenApi as _;

    use super::{DIRECT, DocumentedApis};

    #[test]
    fn routes_that_are_called_directly_are_there_and_have_no_parameters() {
        let paths = || DocumentedApis::meta().into_iter().flat_map(|api| api.paths);
        for direct in DIRECT {
            let mut found = paths().filter(|path| path.path == direct);
            let path = found.next().expect("a route");
            for operation in path.operations {
                assert!(operation.params.is_empty(), "{direct} has parameters");
            }
        }
    }
}
