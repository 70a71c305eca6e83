//! What is told to programs that watch, and to which.

use crate::app::{Answer, App, Who};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use jiff::Timestamp;
use postroom_domain::MetricsAccess;
use std::collections::HashMap;

async fn set(app: &App, access: MetricsAccess) -> Option<String> {
    let token = app.house.store.set_metrics_access(access, Timestamp::now()).await.unwrap();
    token.map(|token| token.expose().to_owned())
}

async fn ask(app: &App, headers: &[(&str, &str)]) -> Answer {
    let mut request = app.request(Who::Nobody, Method::GET, "/metrics");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn nobody_gets_them_unless_it_is_allowed() {
    let app = App::new().await;
    assert_eq!(ask(&app, &[]).await.status, StatusCode::NOT_FOUND);
    set(&app, MetricsAccess::Loopback).await;
    assert_eq!(ask(&app, &[]).await.status, StatusCode::OK);
    assert_eq!(ask(&app, &[("x-forwarded-for", "1.2.3.4")]).await.status, StatusCode::NOT_FOUND, "by way of a proxy");
    let old = set(&app, MetricsAccess::Token).await.unwrap();
    let token = set(&app, MetricsAccess::Token).await.unwrap();
    for (value, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some(format!("Bearer {old}")), StatusCode::UNAUTHORIZED),
        (Some("Bearer ".to_owned()), StatusCode::UNAUTHORIZED),
        (Some(format!("Basic {token}")), StatusCode::UNAUTHORIZED),
        (Some(format!("Bearer {token}")), StatusCode::OK),
        (Some(format!("bearer {token}")), StatusCode::OK),
    ] {
        let value: Vec<(&str, &str)> =
            value.iter().map(|value| (header::AUTHORIZATION.as_str(), value.as_str())).collect();
        assert_eq!(ask(&app, &value).await.status, status, "{value:?}");
    }
    set(&app, MetricsAccess::Off).await;
    let value = format!("Bearer {token}");
    assert_eq!(ask(&app, &[("authorization", &value)]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn they_count_and_name_no_address_and_no_subject() {
    let app = App::new().await;
    app.house.fail_visit(app.desk.as_ref().unwrap(), "TIMEOUT", "no answer", "wait").await;
    set(&app, MetricsAccess::Loopback).await;
    let answer = ask(&app, &[]).await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    let mut types: HashMap<&str, &str> = HashMap::new();
    let mut values: HashMap<&str, u64> = HashMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(types.insert(name, kind).is_none(), "{name} twice");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert!(types.contains_key(name), "{name} has no type");
            assert!(values.insert(series, value.parse().unwrap()).is_none(), "{series} twice");
        }
    }
    for (series, value) in [
        (r#"postroom_receipts{mailbox="desk",state="filed",reason=""}"#, 1),
        (r#"postroom_receipts{mailbox="desk",state="held",reason="AUTOMATIC_MAIL"}"#, 1),
        (r#"postroom_mailbox_active{mailbox="desk"}"#, 1),
        (r#"postroom_visits_total{mailbox="desk"}"#, 3),
        (r#"postroom_visit_failures_total{mailbox="desk"}"#, 1),
        (r#"postroom_visit_failures_in_a_row{mailbox="desk"}"#, 1),
        (r#"postroom_owed{mailbox="desk"}"#, 0),
        ("postroom_items_opened_total", 1),
        ("postroom_oldest_waiting_seconds", 0),
    ] {
        assert_eq!(values.get(series), Some(&value), "{series} in {text}");
    }
    for name in ["postroom_database_size_bytes", "postroom_disk_free_bytes", "postroom_audit_rows_total"] {
        assert!(values[name] > 0, "{name}");
    }
    assert!(values[r#"postroom_last_visit_timestamp_seconds{mailbox="desk"}"#] > 1_700_000_000);
    assert!(text.contains(r#"postroom_build_info{version=""#) && text.contains(r#"database="sqlite""#));
    for secret in ["@", "customer", "script", "away"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
