//! The thread that answers commits which found no room before their deadline.

use std::{io, sync::Arc, thread};

use super::shared::Shared;
use crate::receipt::answer_here;

/// Starts it. It ends with the log.
///
/// Not the writer's work: what commits wait for may be a call of the disk that does not return.
pub(super) fn keep(shared: &Arc<Shared>) -> io::Result<()> {
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name("compliance-log-deadlines".into())
        .spawn(move || {
            answer_here();
            while let Some(overdue) = shared.queue.overdue(|| shared.cause()) {
                for held in overdue {
                    held.promise.answer(Err(shared.overdue(held.deadline)));
                }
            }
        })
        .map(drop)
}
