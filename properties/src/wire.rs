use compliance_log::{
    context::AuditContext,
    wire::{self, TraceParent},
};
use http::{HeaderMap, HeaderValue};

use crate::input::lines;

/// A `traceparent` that is read is written in one way, which reads as the same.
pub fn traceparent(input: &[u8]) {
    let given = lines(input);
    let Some(parent) = TraceParent::from_lines(given.iter().copied()) else {
        return;
    };
    assert_eq!(given.len(), 1, "one line, or they contradict each other");
    let text = parent.to_string();
    assert_eq!(text.len(), 55, "{text}");
    assert_eq!(TraceParent::from_lines([text.as_bytes()]), Some(parent));
    let ids = &given[0].trim_ascii_start()[2..52];
    assert_eq!(ids, &text.as_bytes()[2..52], "the ids are those given");
}

/// A `tracestate` that is sent on is printable, bounded, made of members that were given, in their
/// order, and is sent on by the next service as it is.
pub fn tracestate(input: &[u8]) {
    let given = lines(input);
    let Some(sent) = wire::tracestate(given.iter().copied()) else {
        return;
    };
    assert!((1..=512).contains(&sent.len()), "{} bytes", sent.len());
    assert!(sent.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    let members = |line: &[u8]| -> Vec<Vec<u8>> {
        let members = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        members.map(<[u8]>::to_vec).collect()
    };
    let mut given = given.into_iter().flat_map(members);
    for member in members(sent.as_bytes()) {
        assert!(
            given.any(|given| given == member),
            "{member:?} is in {sent:?}"
        );
    }
    assert_eq!(wire::tracestate([sent.as_bytes()]), Some(sent));
}

/// A member of `baggage` that is found is bounded and printable, and reaches the next service in a header
/// that is bounded itself and keeps the members of others.
pub fn baggage(input: &[u8]) {
    let values: Vec<HeaderValue> = lines(input)
        .into_iter()
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let given: Vec<&[u8]> = values.iter().map(HeaderValue::as_bytes).collect();
    let read = |key| wire::baggage(given.iter().copied(), key);
    let (offer, booking, other) = (read("offer_id"), read("booking_id"), read("x"));
    for found in [&offer, &booking, &other].into_iter().flatten() {
        assert!((1..=128).contains(&found.len()), "{found:?}");
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
        };
        assert!(!found.chars().any(hidden), "{found:?}");
    }

    let mut context = AuditContext::request();
    if let Some(offer) = &offer {
        context = context.offer_id(offer.as_str());
    }
    if let Some(booking) = &booking {
        context = context.booking_id(booking.as_str());
    }
    let mut headers = HeaderMap::new();
    for value in &values {
        headers.append("baggage", value.clone());
    }
    context.build().propagate(&mut headers);
    let sent: Vec<&[u8]> = headers
        .get_all("baggage")
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    assert!(sent.len() <= 1, "one line replaces those that were");
    let bytes: usize = sent.iter().map(|line| line.len()).sum();
    assert!(bytes <= 8192, "{bytes} bytes");
    let sent = |key| wire::baggage(sent.iter().copied(), key);
    assert_eq!(sent("offer_id"), offer);
    assert_eq!(sent("booking_id"), booking);
    // Percent-encoded, our two members may take the room of others; so may bytes that are no text.
    let given = given.concat();
    if other.is_some() && given.len() < 7000 && given.is_ascii() {
        assert_eq!(sent("x"), other);
    }
}
