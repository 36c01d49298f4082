use std::collections::HashSet;

use super::route::{Listed, Owes};
use crate::{
    encode::{NO_FIELDS, Object},
    event::{Category, Outcome},
    pipeline::Handle,
    schema::{Data, Event, Shape},
    text::beginning,
};

/// Bytes of one `service.routes` record's list; a service with more routes writes more records.
const PART_BYTES: usize = 8 * 1024;
/// The longest text of one route that is listed.
const TEXT_BYTES_MAX: usize = 512;

/// Every route of a router, and what its handlers owe.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes(Vec<(String, Listed)>);

impl Routes {
    pub(super) fn add(&mut self, path: &str, listed: &[Listed]) {
        self.0
            .extend(listed.iter().map(|listed| (path.to_owned(), *listed)));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Paths of a nested router stand under the prefix, as axum tells them of a request: the nested
    /// root is the prefix itself, with the slash that it may end in.
    pub(super) fn nest(&mut self, prefix: &str, other: Self) {
        let stem = prefix.trim_end_matches('/');
        self.0.extend(other.0.into_iter().map(|(path, listed)| {
            let whole = if path == "/" {
                prefix.to_owned()
            } else {
                format!("{stem}{path}")
            };
            (whole, listed)
        }));
    }

    /// The paths of which every handler is as `owes` says.
    pub(super) fn paths(&self, owes: impl Fn(Owes) -> bool) -> HashSet<Box<str>> {
        let mut paths: HashSet<Box<str>> = HashSet::new();
        paths.extend(self.0.iter().map(|(path, _)| path.as_str().into()));
        for (path, listed) in &self.0 {
            if !owes(listed.owes) {
                paths.remove(path.as_str());
            }
        }
        paths
    }

    /// Writes the list.
    pub(super) fn record(&self, handle: &Handle) {
        let mut parts: Vec<Vec<Object>> = vec![Vec::new()];
        let mut bytes = 0;
        for (path, listed) in &self.0 {
            let route = Object::new()
                .text("method", listed.method)
                .text("path", beginning(path, TEXT_BYTES_MAX));
            let route = match listed.owes {
                Owes::Event(event) => route.text("event", event),
                Owes::Nothing(reason) => route.text("unaudited", beginning(reason, TEXT_BYTES_MAX)),
            };
            let size = route.clone().into_json().len();
            if bytes + size > PART_BYTES {
                parts.push(Vec::new());
                bytes = 0;
            }
            bytes += size;
            if let Some(part) = parts.last_mut() {
                part.push(route);
            }
        }
        let count = parts.len() as u64;
        for (part, routes) in (1..).zip(parts) {
            let data = Object::new()
                .number("part", part)
                .number("parts", count)
                .list("routes", routes)
                .into_json();
            let mut event = Event::new(NAME, Category::Security, handle.now(), NO_FIELDS);
            event.version = Some(1);
            event.shape = Shape::OwnAct;
            event.outcome = Some(Outcome::Success);
            event.data = Data::Own(&data);
            handle.say(&event);
        }
    }
}

const NAME: &str = "service.routes";
