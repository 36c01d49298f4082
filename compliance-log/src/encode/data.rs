//! The object `data`: a record's own fields.

use std::ops::Range;

use super::{
    cut::{self, Bound},
    record::Pass,
    scratch::Buffers,
};
use crate::{
    event::{FieldMeta, Raw, Visit},
    redact::Effect,
    schema::{Data, Row},
};

/// A key is cut beyond this.
pub(super) const KEY_BYTES_MAX: usize = 160;

/// So many underscores may keep a key apart from others.
const UNDERSCORES_MAX: usize = 2;

/// Where less is left than this, a field has no room.
const FIELD_BYTES_MIN: usize = KEY_BYTES_MAX + cut::MARKER_BYTES_MAX + REDACTION_BYTES_MAX;

/// Kept free beside a value, so that the record can say what was taken out of it.
const REDACTION_BYTES_MAX: usize = KEY_BYTES_MAX + 96;

impl Pass<'_, '_> {
    pub(super) fn data(&mut self) {
        let start = self.buffers.body.len();
        match self.event.data {
            Data::Own(object) => {
                let room = self.room();
                self.key(Row::Data);
                if object.len() <= room {
                    self.buffers.body.extend_from_slice(object.as_bytes());
                } else {
                    self.buffers.body.extend_from_slice(b"{\"cut\":\"");
                    cut::write(
                        &mut self.buffers.body,
                        object,
                        Bound::whole(room.saturating_sub(KEY_BYTES_MAX)),
                    );
                    self.buffers.body.extend_from_slice(b"\"}");
                }
            }
            Data::Fields(fields) => {
                self.key(Row::Data);
                self.buffers.body.push(b'{');
                let empty = self.buffers.body.len();
                fields.visit(&mut DataFields { pass: self });
                if self.buffers.body.len() == empty {
                    self.buffers.body.truncate(start);
                } else {
                    self.buffers.body.push(b'}');
                }
            }
        }
    }

    /// Writes a field, or what was left of it when it was redacted, and by which rules.
    fn data_field(
        &mut self,
        meta: &FieldMeta,
        left: Option<Raw<'_>>,
        by: &[(Box<str>, &'static str)],
    ) {
        if self.redactions_full() && self.room() < FIELD_BYTES_MIN {
            return;
        }
        let start = self.buffers.body.len();
        if self.buffers.body.last() != Some(&b'{') {
            self.buffers.body.push(b',');
        }
        self.buffers.body.push(b'"');
        let key = self.data_key(meta.name);
        let written = match key {
            Err((key, rule)) => Err((key, (rule, Effect::Drop))),
            Ok(key) => {
                self.buffers.body.extend_from_slice(b"\":");
                for (rule, action) in by {
                    self.redacted_key("data.", key.clone(), rule, action);
                }
                let Some(raw) = left else {
                    self.buffers.body.truncate(start);
                    return;
                };
                let room = self.room().saturating_sub(REDACTION_BYTES_MAX);
                let bound = Bound::whole(Row::Data.meta().bytes_max.min(room));
                let written = if by.is_empty() {
                    self.value("data.", key.clone(), meta, raw, bound)
                } else {
                    self.value_again("data.", key.clone(), meta, raw, bound)
                };
                written
                    .map(|()| self.buffers.keys.push(key.clone()))
                    .map_err(|dropped| (key, dropped))
            }
        };
        if let Err((key, (rule, effect))) = written {
            self.redacted_key("data.", key, rule, effect.as_str());
            self.buffers.body.truncate(start);
        }
    }

    /// Writes the inside of a key that `data` does not have yet; or says where it was written, and by
    /// which rule the field must go. Keys are compared as they are written: two long names may be
    /// cut to the same. The name of the link never stands there as it is.
    fn data_key(
        &mut self,
        name: &'static str,
    ) -> Result<Range<usize>, (Range<usize>, &'static str)> {
        let room = self.room();
        let policy = self.policy;
        let Buffers {
            body, keys, names, ..
        } = &mut *self.buffers;
        let start = body.len();
        // A name may hold a secret itself.
        let passes = names.passes(name, || policy.passes(name));
        let clean = if passes { None } else { policy.clean(name) };
        let name = clean.as_deref().unwrap_or(name);
        cut::write(body, name, Bound::whole(KEY_BYTES_MAX));
        if room < FIELD_BYTES_MIN {
            return Err((start..body.len(), "size"));
        }
        if body[start..] == *b"prev_hash" {
            body.push(b'_');
        }
        for _ in 0..=UNDERSCORES_MAX {
            if !keys.iter().any(|key| body[key.clone()] == body[start..]) {
                return Ok(start..body.len());
            }
            body.push(b'_');
        }
        Err((start..body.len(), "duplicate"))
    }
}

/// Writes every field that does not stand at the root.
struct DataFields<'p, 'a, 'e> {
    pass: &'p mut Pass<'a, 'e>,
}

impl Visit for DataFields<'_, '_, '_> {
    fn field(&mut self, meta: &FieldMeta, value: Raw<'_>) {
        if !meta.root {
            self.pass.data_field(meta, Some(value), &[]);
        }
    }

    fn redacted(
        &mut self,
        meta: &FieldMeta,
        left: Option<Raw<'_>>,
        by: &[(Box<str>, &'static str)],
    ) {
        if !meta.root {
            self.pass.data_field(meta, left, by);
        }
    }
}
