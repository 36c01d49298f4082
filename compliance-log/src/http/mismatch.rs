//! The record of a request that speaks for somebody else than was verified for it.

use super::{
    claim::{Unproven, Value},
    request_audit::RequestAudit,
};
use crate::{
    context::Identity,
    event::{Category, FieldMeta, Fields, Kind, Level, Outcome, OutcomeDetail, Raw, Visit},
    lifecycle::name,
    schema::{Event, Failed, Target},
};

/// What was not believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disbelieved<'a> {
    /// A second identity that was verified too.
    pub(super) refused: Option<&'a Identity>,
    pub(super) claimed: Unproven<'a>,
}

impl Disbelieved<'_> {
    /// Queues the record. It carries the verified identity, as every record of the request does.
    pub(super) fn write(&self, audit: &RequestAudit) {
        let handle = audit.handle();
        let target = audit.target();
        let mut event = Event::new(name::MISMATCH, Category::Security, handle.now(), self);
        event.version = Some(1);
        event.level = Level::Warn;
        event.context = Some(audit.context());
        event.outcome = Some(Outcome::Fail);
        event.detail = Some(OutcomeDetail::Denied);
        event.target = Target::Text(&target);
        event.error = Some(Failed {
            code: "CONTEXT_MISMATCH",
            message: None,
        });
        if self.refused.is_some() {
            handle.emit_owed(&event);
        } else {
            // Anybody can cause it, so it takes no room that is kept for what was let in.
            handle.emit_spare(&event);
        }
    }
}

const REFUSED_TENANT: FieldMeta = FieldMeta::own("refused_tenant_id", Kind::Text);
const REFUSED_USER: FieldMeta = FieldMeta::own("refused_user_id", Kind::Text);
const REFUSED_CLIENT: FieldMeta = FieldMeta::own("refused_client_id", Kind::Text);
const CLAIMED_TENANT: FieldMeta = FieldMeta::own("claimed_tenant_id", Kind::Text);
const CLAIMED_TENANT_IN: FieldMeta = FieldMeta::own("claimed_tenant_in", Kind::Text);
const CLAIMED_USER: FieldMeta = FieldMeta::own("claimed_user_id", Kind::Text);
const CLAIMED_USER_IN: FieldMeta = FieldMeta::own("claimed_user_in", Kind::Text);

impl Fields for Disbelieved<'_> {
    fn visit(&self, out: &mut dyn Visit) {
        if let Some(refused) = self.refused {
            if let Some(tenant) = &refused.tenant {
                out.field(&REFUSED_TENANT, Raw::Str(tenant.as_str()));
            }
            if let Some(user) = &refused.user {
                out.field(&REFUSED_USER, Raw::Str(user.as_str()));
            }
            if let Some(client) = &refused.client {
                out.field(&REFUSED_CLIENT, Raw::Str(client.as_str()));
            }
        }
        if let Some(Value { place, text }) = self.claimed.tenant {
            out.field(&CLAIMED_TENANT, Raw::Str(text));
            out.field(&CLAIMED_TENANT_IN, Raw::Str(place));
        }
        if let Some(Value { place, text }) = self.claimed.user {
            out.field(&CLAIMED_USER, Raw::Str(text));
            out.field(&CLAIMED_USER_IN, Raw::Str(place));
        }
    }
}
