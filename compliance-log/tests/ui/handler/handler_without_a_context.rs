use compliance_log::http::audited;

async fn create() -> &'static str {
    "booked, and nobody knows"
}

async fn create_from(_body: String) -> &'static str {
    "booked, and nobody knows"
}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/", audited::post(create).into())
        .route("/from", audited::post(create_from).into());
}
