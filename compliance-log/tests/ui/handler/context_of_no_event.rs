use compliance_log::http::{AuditCtx, AuditResult, audited};

struct NoEvent;

async fn create(_ctx: AuditCtx<NoEvent>) -> AuditResult<()> {
    unimplemented!()
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", audited::post(create).into());
}
