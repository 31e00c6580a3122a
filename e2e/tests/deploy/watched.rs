//! Alerts and dashboard.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::server::Server;
use crate::{deploy, run};

/// The names of all time series, from the types that `/metrics` declares.
async fn names() -> BTreeSet<String> {
    let server = Server::start(&[]);
    let get = async |url: String| {
        let answer = reqwest::get(url).await.expect("an answer");
        answer.text().await.expect("a text")
    };
    get(format!("http://{}/ping", server.address)).await;
    let text = get(format!("http://{}/metrics", server.metrics)).await;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.flat_map(|line| {
        let (name, kind) = line.split_once(' ').expect("a type");
        let suffixes: &[&str] = match kind {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
    });
    names.collect()
}

/// Every name of ours, and of the process, in an expression.
fn used(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours =
        words.filter(|word| word.starts_with("password_auth_") || word.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

#[tokio::test]
async fn alerts_and_dashboard_use_metrics_that_there_are() {
    let names = names().await;
    assert!(names.len() > 20, "{names:?}");
    let alerts = fs::read_to_string(deploy("prometheus/alerts.yml")).expect("the rules");
    let dashboard = fs::read_to_string(deploy("grafana/password-auth.json")).expect("a dashboard");
    let parsed: Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = parsed["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let expressions: Vec<&str> = targets
        .map(|target| target["expr"].as_str().expect("an expression"))
        .collect();
    assert!(expressions.len() >= panels.len() && panels.len() > 10);
    for (document, text) in [("alerts", alerts), ("dashboard", expressions.join("\n"))] {
        let used = used(&text);
        assert!(used.len() > 5, "{document}: {used:?}");
        let unknown: Vec<&String> = used.difference(&names).collect();
        assert!(
            unknown.is_empty(),
            "{document}: {unknown:?} are not in {names:#?}"
        );
    }
}

#[test]
fn prometheus_takes_its_configuration_and_the_rules() {
    for (what, file) in [("rules", "alerts.yml"), ("config", "prometheus.yml")] {
        let file = deploy("prometheus").join(file);
        if let Some(output) = run("promtool", &["check", what, file.to_str().expect("a text")]) {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
    }
}
