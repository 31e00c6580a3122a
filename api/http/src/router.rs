//! All routes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use password_auth_core::app::App;
use poem::endpoint::{BoxEndpoint, DynEndpoint};
use poem::http::{HeaderValue, Method};
use poem::{
    Endpoint, EndpointExt, IntoEndpoint as _, PathPattern, Request, Response, RouteMethod, get,
};
use poem_openapi::registry::{MetaApi, Registry};
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
    (pages::home::FILE, "GET, HEAD"),
    ("/docs", "GET, HEAD"),
    ("/openapi.json", "GET, HEAD"),
    (pages::FORGOT_PASSWORD, "GET, HEAD, POST"),
    (pages::RESET_PASSWORD, "GET, HEAD, POST"),
    (pages::VERIFY_EMAIL, "GET, HEAD, POST"),
    (pages::JOIN, "GET, HEAD, POST"),
];

/// The whole server as one endpoint. It never fails: errors become responses.
///
/// poem compiles a regular expression for each path that it is given, which took most of the time of a start. So it is
/// given the paths that need it alone, when one of them is asked for.
#[must_use]
pub fn endpoint(app: &App, settings: &Settings) -> impl Endpoint<Output = Response> + use<> {
    let mut handlers = RouteTable::new();
    apis(app).add_routes(&mut handlers);
    let patterns = handlers.keys().map(String::as_str);
    let patterns = patterns.chain(PAGES.map(|(path, _)| path));
    let known = patterns.map(|pattern| (pattern.to_owned(), path_of(pattern)));
    settings.measures.requests.know(known);
    let others = handlers.extract_if(|pattern, _| !is_direct(pattern));
    let others = OtherRoutes(others.collect());
    let direct = handlers.into_iter().map(Direct::new);
    let routes = AllRoutes {
        direct: direct.chain(page_routes(app)).collect(),
        page_files: Direct::page(pages::home::FILE, get(pages::home::page_file).boxed()),
        others: LazyLock::new(Box::new(move || {
            OpenApiService::new(others, "", "").into_endpoint()
        })),
    };
    let services = Services {
        sessions: Arc::clone(&app.sessions),
        allowance: Arc::clone(&app.allowance),
        forms: settings.forms.clone(),
    };
    let clock = Arc::clone(&app.clock);
    Middleware::new(settings, clock, services, allowed_methods, routes)
}

fn page_routes(app: &App) -> impl Iterator<Item = (String, Direct)> + use<> {
    let (registration, _) = app.accounts.registration();
    let document = openapi::Document::of(openapi::describe(apis(app), registration));
    let documents = [
        ("/docs", get(openapi::swagger_ui(document.clone())).boxed()),
        (
            "/openapi.json",
            get(openapi::openapi_json(document)).boxed(),
        ),
    ];
    let site_name = pages::SiteName(Arc::from(app.site_name.as_str()));
    pages::pages(&app.accounts, site_name)
        .chain(documents)
        .map(|(path, page)| (path.to_owned(), Direct::page(path, page)))
}

/// The routes in the OpenAPI document.
type DocumentedApis = (DemoApi, v1::Apis);

fn apis(app: &App) -> DocumentedApis {
    let demo = DemoApi {
        accounts: Arc::clone(&app.accounts),
        sessions: Arc::clone(&app.sessions),
        clock: Arc::clone(&app.clock),
    };
    (demo, v1::apis(app))
}

/// The handlers by poem's pattern and by method, as poem-openapi makes them.
type RouteTable = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

/// Routes that are made when one of them is asked for.
type LazyRoutes = LazyLock<BoxEndpoint<'static>, Box<dyn FnOnce() -> BoxEndpoint<'static> + Send>>;

/// The paths that have parameters, but none in the path.
const WITH_PARAMETERS: [&str; 5] = [
    "/api/v1/auth/check",
    "/api/v1/events",
    "/api/v1/invites",
    "/api/v1/users",
    "/api/v1/users/me/events",
];

/// Whether the handlers of a path have no parameters, so that they can be called directly. poem's way to them has four
/// futures and a dozen allocations more, which is a fifth of what an authenticated request costs; poem-openapi reads
/// parameters on that way.
fn is_direct(pattern: &str) -> bool {
    !pattern.contains(':') && !WITH_PARAMETERS.contains(&pattern)
}

/// A path that is found without poem.
struct Direct {
    pattern: PathPattern,
    handlers: Vec<(Method, Arc<dyn DynEndpoint<Output = Response>>)>,
    /// For HEAD, and methods that the path does not have; of a page, for all.
    other_methods: BoxEndpoint<'static>,
}

impl Direct {
    fn new((path, handlers): (String, HashMap<Method, BoxEndpoint<'static>>)) -> (String, Self) {
        let handlers = handlers.into_iter();
        let handlers: Vec<(Method, Arc<dyn DynEndpoint<Output = Response>>)> = handlers
            .map(|(method, handler)| (method, Arc::from(handler)))
            .collect();
        let other_methods = handlers
            .iter()
            .fold(RouteMethod::new(), |route, (method, handler)| {
                route.method(method.clone(), Arc::clone(handler))
            });
        let direct = Self {
            pattern: PathPattern(path.as_str().into()),
            handlers,
            other_methods: other_methods.boxed(),
        };
        (path, direct)
    }

    fn page(path: &str, by_method: BoxEndpoint<'static>) -> Self {
        Self {
            pattern: PathPattern(path.into()),
            handlers: Vec::new(),
            other_methods: by_method,
        }
    }
}

/// What poem is to find the way to.
struct OtherRoutes(RouteTable);

impl OpenApi for OtherRoutes {
    /// For the document alone, which is made of [`DocumentedApis`].
    fn meta() -> Vec<MetaApi> {
        Vec::new()
    }

    fn register(_: &mut Registry) {}

    fn add_routes(self, table: &mut RouteTable) {
        table.extend(self.0);
    }
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

/// The path in the document for poem's pattern. Every parameter in a path is called `id`.
fn path_of(pattern: &str) -> String {
    pattern.replace(":param0", "{id}")
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

/// Pages and the API, side by side.
struct AllRoutes {
    direct: HashMap<String, Direct>,
    page_files: Direct,
    /// The rest, and what there is not.
    others: LazyRoutes,
}

impl Routes for AllRoutes {
    fn find(&self, request: &Request) -> Found<'_> {
        let path = request.uri().path();
        let is_file = || path.starts_with(pages::home::FILES);
        let direct = self.direct.get(path);
        let Some(direct) = direct.or_else(|| is_file().then_some(&self.page_files)) else {
            return Found {
                endpoint: &**self.others,
                pattern: None,
            };
        };
        let mut handlers = direct.handlers.iter();
        let handler = handlers.find(|(method, _)| method == request.method());
        Found {
            endpoint: handler.map_or(&*direct.other_methods, |(_, handler)| &**handler),
            pattern: Some(&direct.pattern),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use poem_openapi::OpenApi as _;

    use super::{DocumentedApis, WITH_PARAMETERS, is_direct, path_of, pattern_of};

    #[test]
    fn the_routes_that_are_called_directly_are_all_that_have_no_parameters() {
        let mut with_parameters = BTreeSet::new();
        for path in DocumentedApis::meta().into_iter().flat_map(|api| api.paths) {
            let mut operations = path.operations.iter();
            let has_parameters = operations.any(|operation| !operation.params.is_empty());
            let pattern = pattern_of(&path.path);
            assert_eq!(path_of(&pattern), path.path);
            assert_eq!(is_direct(&pattern), !has_parameters, "{pattern}");
            if has_parameters {
                with_parameters.insert(pattern);
            }
        }
        for path in WITH_PARAMETERS {
            assert!(with_parameters.contains(path), "{path}");
        }
    }
}
