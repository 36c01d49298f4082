//! Each property with inputs that proptest makes.

use compliance_log_properties as property;
use proptest::prelude::*;

/// Runs of a header's characters, now and then any byte.
fn header(alphabet: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => alphabet.prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => "[ \\t\\n,;]{1,3}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Words that lead rules to look, between others.
fn prose() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[a-z]{1,8}",
        2 => "\\PC{0,6}",
        4 => prop::sample::select(vec![
            "password", "apiKey=", "\"token\":", "Bearer ", "-----BEGIN PRIVATE KEY-----", "://", "@",
            "4111 1111 1111 1111", "AKIA", "eyJ", "[redacted:pan]", "****1111", "\\u0041", "%41%4b", "&#65;",
            "<b>", "</b>", "\\\"", "\n", "\u{200b}", "--token", "DE89 3704 0044 0532 0130 00",
            "QUtJQVFGQUtFRkFLRUZBS0VGQTcgUGFzc3dvcmQ", "+49 30 1234567", "a@example.com", "P<UTO",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(
        (word, prop::sample::select(vec!["", " ", "=", ", ", ": "])),
        0..14,
    )
    .prop_map(|words| words.into_iter().map(|(word, end)| word + end).collect())
}

/// A line of JSON, sometimes damaged.
fn json() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "[a-z]{1,6}",
        prop::sample::select(vec![
            "password",
            "cardNumber",
            "token_count",
            "",
            "a=1&apiKey=x17y18z19"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        prose().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<Option<bool>>().prop_map(serde_json::Value::from),
    ];
    let tree = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|rows| rows.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    (tree, any::<Option<(prop::sample::Index, char)>>()).prop_map(|(tree, damage)| {
        let mut line = tree.to_string();
        if let Some((at, with)) = damage {
            let at = at.index(line.len());
            if line.is_char_boundary(at) {
                line.insert(at, with);
            }
        }
        line
    })
}

/// What a rule does; only one that finds cards may mask.
fn action() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("drop"), 4 => Just("pseudonym"), 1 => Just("mask")]
}

/// The end of a pattern, mostly one that finds its example.
fn ending() -> impl Strategy<Value = String> {
    let whole = prop::sample::select(vec![
        "([0-9]{4})",
        "[0-9]+",
        "(?:(1)234|x)",
        ".*",
        "1?",
        r"\d\d",
    ]);
    prop_oneof![8 => whole.prop_map(str::to_owned), 1 => "[a-z(\\[\\]{}*+?|^$.]{1,6}"]
}

proptest! {
    // A kept failure would put a made secret into the repository.
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redaction_of_text_is_idempotent_bounded_and_says_where(text in prose(), tail in any::<String>()) {
        property::redact_text(&text);
        property::redact_text(&(text + &tail));
    }

    #[test]
    fn a_redacted_line_of_json_differs_in_its_texts_alone(line in json()) {
        property::redact_json(&line);
    }

    #[test]
    fn any_event_is_one_strict_line(input in prop::collection::vec(any::<u8>(), 0..1200)) {
        property::record(&input);
    }

    #[test]
    fn a_traceparent_has_one_spelling(
        version in "(00|0[0-9a-f]|[a-f][0-9a-f])", ids in "-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9]", tail in header("[-0-9a-z]{0,4}"),
    ) {
        property::traceparent(format!("{version}{ids}").as_bytes());
        property::traceparent(&[version.as_bytes(), ids.as_bytes(), &tail].concat());
        property::traceparent(&tail);
    }

    #[test]
    fn a_tracestate_is_sent_on_as_it_is(input in header("[a-c0*@]{1,90}=[ -+.-<>-~]{1,90},?")) {
        property::tracestate(&input);
    }

    #[test]
    fn baggage_reaches_the_next_service(
        input in header("(offer_id|booking_id|x|y[0-9]) ?= ?[!#-+.-:<-~]{0,40}(%[0-9a-fA-F]{2}){0,3}(;p=1)?,"),
    ) {
        property::baggage(&input);
    }

    #[test]
    fn what_a_client_says_of_its_address_counts_for_nothing(
        plain in header("(10\\.1\\.1\\.1|203\\.0\\.113\\.7|unknown|\\[::1\\]:80|2001:db8:77::1), ?"),
        forwarded in header("([Ff]or|by|proto)=(10\\.1\\.1\\.1|\"\\[2001:db8:77::1\\]:80\"|_h|\"|203\\.0\\.113\\.7)[,;] ?"),
    ) {
        property::forwarded(&plain);
        property::forwarded(&forwarded);
    }

    #[test]
    fn a_policy_is_refused_or_whole(
        rule in (action(), "[a-z]{3,8}", ending(), "(include = \\[\"phone\"\\])?"),
        damage in any::<prop::sample::Index>(), with in any::<char>(),
    ) {
        let (action, word, ending, include) = rule;
        let document = format!(
            "version = 1\n{include}\n[[value]]\nid = \"v\"\ndescription = \"d\"\naction = \"{action}\"\n\
             pattern = '{word}_{ending}'\nliterals = [\"{word}_\"]\nmatch = [\"{word}_1234\"]\npass = [\"{word}\"]\n"
        );
        property::policy_file(document.as_bytes());
        let mut damaged = document;
        let at = damage.index(damaged.len());
        damaged.insert(at, with);
        property::policy_file(damaged.as_bytes());
    }

    #[test]
    fn any_segment_has_a_verdict(input in prop::collection::vec(any::<u8>(), 0..800)) {
        property::verify(&input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_part_of_a_secret_is_left_on_any_way(
        place: usize, salt: u64, before in "([a-z]{1,9}[ .,;:(\\n]){0,6}", after in "([ .,;)\\n][a-z]{1,9}){0,6}",
    ) {
        property::secret_on_every_way(place, salt, &before, &after);
    }
}

#[test]
fn the_seeds_hold() {
    let seeds = property::seeds();
    for (target, input) in &seeds {
        let text = String::from_utf8_lossy(input);
        match *target {
            "redact_text" => property::redact_text(&text),
            "redact_json" => property::redact_json(&text),
            "record" => property::record(input),
            "traceparent" => property::traceparent(input),
            "tracestate" => property::tracestate(input),
            "baggage" => property::baggage(input),
            "forwarded" => property::forwarded(input),
            "policy_file" => property::policy_file(input),
            "verify" => property::verify(input),
            other => panic!("no target is called {other}"),
        }
    }
    assert!(seeds.len() > 100, "{}", seeds.len());
}
