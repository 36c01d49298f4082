use compliance_log::audit_event;
use compliance_log::http::{AuditCtx, AuditResult, audited};

#[audit_event(name = "session.opened", category = "security", pre_auth)]
struct SessionOpened {}

async fn open(ctx: AuditCtx<SessionOpened>) -> AuditResult<String> {
    let tenant = ctx.tenant().as_str().to_owned();
    ctx.success(SessionOpened {}).await?.respond(tenant)
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", audited::post(open).into());
}
