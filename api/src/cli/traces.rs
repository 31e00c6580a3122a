//! Traces: each request that is logged becomes a span, and goes to a collector of OpenTelemetry (OTLP over HTTP).
//!
//! Not tracing-opentelemetry: a request's line in the log says all that a span holds, and nothing secret. So requests
//! cost nothing more, and what is traced is what is logged. Settings are OpenTelemetry's own (`OTEL_…`), from the
//! environment.

use std::collections::HashMap;
use std::env;
use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::LookupSpan;

/// What `middleware/log.rs` logs of each request.
const REQUESTS: &str = "password_auth::request";

/// One of them says that there is a collector.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];

/// How long an exit waits for the collector.
const FINISH: Duration = Duration::from_secs(2);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Makes spans of requests, if there is a collector to send them to.
pub(super) fn layer<S>() -> Result<Option<impl Layer<S> + Send + Sync>, String>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let disabled = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value == "true");
    if disabled || !ENDPOINTS.into_iter().any(set) {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build();
    let exporter = exporter.map_err(|error| format!("traces: {error}"))?;
    let mut resource = Resource::builder();
    if !set("OTEL_SERVICE_NAME") {
        resource = resource.with_service_name("password-auth");
    }
    let provider = SdkTracerProvider::builder()
        .with_resource(resource.build())
        .with_batch_exporter(exporter)
        .build();
    let tracer = PROVIDER.get_or_init(|| provider).tracer("password-auth");
    let only = Targets::new().with_target(REQUESTS, LevelFilter::INFO);
    Ok(Some(Requests { tracer }.with_filter(only)))
}

/// Sends the spans that wait, unless that takes too long.
pub(super) fn finish() {
    if let Some(provider) = PROVIDER.get() {
        // A collector that cannot be reached was logged.
        provider.shutdown_with_timeout(FINISH).ok();
    }
}

struct Requests {
    tracer: SdkTracer,
}

impl<S: Subscriber> Layer<S> for Requests {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let mut request = Request::default();
        event.record(&mut request);
        self.tell(request);
    }
}

impl Requests {
    fn tell(&self, request: Request) {
        let end = SystemTime::now();
        let start = end
            .checked_sub(Duration::from_micros(request.elapsed_us))
            .unwrap_or(end);
        let method = known_method(&request.method);
        let mut about = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", request.route.clone()),
            KeyValue::new("http.response.status_code", request.status),
            KeyValue::new("request.id", request.id),
        ];
        if let Some(session) = request.session {
            about.push(KeyValue::new("session.id", session));
        }
        if let Some(code) = request.code {
            about.push(KeyValue::new("error.type", code));
        }
        let parent = HashMap::from([("traceparent".to_owned(), request.parent)]);
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &parent);
        let mut span = self
            .tracer
            .span_builder(format!("{method} {}", request.route))
            .with_kind(SpanKind::Server)
            .with_start_time(start)
            .with_attributes(about)
            .start_with_context(&self.tracer, &parent);
        if request.status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(end);
    }
}

/// Strangers do not name spans.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    let found = KNOWN.into_iter().find(|known| *known == method);
    found.unwrap_or("_OTHER")
}

/// The fields of the line.
#[derive(Default)]
struct Request {
    id: String,
    session: Option<String>,
    method: String,
    route: String,
    status: i64,
    code: Option<String>,
    elapsed_us: u64,
    parent: String,
}

impl Visit for Request {
    fn record_str(&mut self, field: &Field, value: &str) {
        let value = value.to_owned();
        match field.name() {
            "request.id" => self.id = value,
            "session.id" => self.session = Some(value),
            "http.method" => self.method = value,
            "http.route" => self.route = value,
            "error.code" => self.code = Some(value),
            "trace.parent" => self.parent = value,
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "http.status" => self.status = i64::try_from(value).unwrap_or_default(),
            "elapsed_us" => self.elapsed_us = value,
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry::propagation::TextMapPropagator as _;
    use opentelemetry::trace::TraceContextExt as _;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use password_auth_testing::fuzz;

    #[test]
    fn fuzz_trace_parent() {
        fuzz("trace_parent", |bytes| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let parent = HashMap::from([("traceparent".to_owned(), text.clone())]);
            let context = TraceContextPropagator::new().extract(&parent);
            let parent = context.span().span_context().clone();
            if parent.is_valid() {
                for id in [parent.trace_id().to_string(), parent.span_id().to_string()] {
                    assert!(text.contains(id.trim_start_matches('0')), "{text}: {id}");
                }
            }
        });
    }
}
