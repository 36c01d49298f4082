//! The list of what was taken out of a record, and by which rule.

use std::ops::Range;

use memchr::memmem;

use super::{data::KEY_BYTES_MAX, json, record::Pass, scratch::Buffers};
use crate::{redact::Effect, schema::Row};

/// `redactions` names at most this many; then one element says that there were more.
const REDACTIONS_MAX: usize = 32;

impl Pass<'_, '_> {
    /// Whether the list says already that there was more.
    pub(super) fn redactions_full(&self) -> bool {
        self.redactions > REDACTIONS_MAX
    }

    pub(super) fn redacted_key(&mut self, path: &str, key: Range<usize>, rule: &str, effect: &str) {
        // Before the body is out of its place, and counts as empty.
        let room = self.room();
        let body = std::mem::take(&mut self.buffers.body);
        self.redacted_within(room, path, &body[key], rule, effect);
        self.buffers.body = body;
    }

    /// Adds an element to `redactions`; `key` is escaped already.
    pub(super) fn redacted(&mut self, path: &str, key: &[u8], rule: &str, effect: &str) {
        self.redacted_within(self.room(), path, key, rule, effect);
    }

    fn redacted_within(&mut self, room: usize, path: &str, key: &[u8], rule: &str, effect: &str) {
        if self.redactions_full() {
            return;
        }
        let full = self.redactions == REDACTIONS_MAX || room < KEY_BYTES_MAX + rule.len() + 64;
        let (path, key, rule, effect) = if full {
            ("", &b"*"[..], "more", Effect::Drop.as_str())
        } else {
            (path, key, rule, effect)
        };
        let list = &mut self.buffers.redactions;
        let start = list.len();
        list.extend_from_slice(b"{\"field\":\"");
        list.extend_from_slice(path.as_bytes());
        list.extend_from_slice(key);
        json::display(
            list,
            format_args!("\",\"rule\":\"{rule}\",\"action\":\"{effect}\"}}"),
        );
        let (before, element) = list.split_at(start);
        if memmem::find(before, element).is_some() {
            list.truncate(start);
            return;
        }
        list.push(b',');
        self.redactions = if full {
            REDACTIONS_MAX + 1
        } else {
            self.redactions + 1
        };
    }

    pub(super) fn redactions(&mut self) {
        if self.redactions == 0 {
            return;
        }
        self.key(Row::Redactions);
        let Buffers {
            body, redactions, ..
        } = &mut *self.buffers;
        body.push(b'[');
        body.extend_from_slice(&redactions[..redactions.len() - 1]);
        body.push(b']');
    }
}
