#![allow(clippy::unwrap_used)]

use super::*;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;

#[tokio::test]
async fn a_panic_ends_one_request_with_a_page() {
    async fn panics() -> &'static str {
        panic!("with something out of a mail in it")
    }
    let router = outermost(Router::new().route("/", get(panics)));
    let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
    let page = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let page = String::from_utf8_lossy(&page);
    assert!(page.contains("Something went wrong inside") && !page.contains("out of a mail"));
}
