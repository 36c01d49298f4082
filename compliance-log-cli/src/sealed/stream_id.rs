use compliance_log::{Error, chain::StreamId};

use crate::failure::Failure;

/// The stream that was named: by its channel, or by its whole id. A log key is named like the origin, which ends
/// in what ids begin with.
///
/// # Errors
///
/// What names no stream, or one of another store.
pub(crate) fn stream_id(given: &str, origin: &str) -> Result<StreamId, Failure> {
    let store = origin.split_once('/').map_or("", |(_, store)| store);
    let channel = match given.rsplit_once('/') {
        None => given,
        Some((of, channel)) if of == store => channel,
        Some(_) => {
            let text = format!("{given} is no stream of {store}");
            return Err(Failure::new(
                text,
                "give `audit`, `app`, or the store that has the stream",
            ));
        }
    };
    format!("{store}/{channel}")
        .parse()
        .map_err(|error: Error| {
            Failure::new(
                format!("{given:?} names no stream: {error}"),
                "give `audit` or `app`",
            )
        })
}
