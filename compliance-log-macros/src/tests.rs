//! What the derive says, message by message and in order. Where it says it is for the compiler's
//! own tests in `compliance-log`.

use crate::expand;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{DeriveInput, Item, parse_quote};

/// The messages of the `compile_error!` calls in what a derive answers.
fn messages(expanded: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(expanded).unwrap();
    file.items
        .iter()
        .filter_map(|item| match item {
            Item::Macro(call)
                if call
                    .mac
                    .path
                    .to_token_stream()
                    .to_string()
                    .contains("error") =>
            {
                Some(call.mac.parse_body::<syn::LitStr>().unwrap().value())
            }
            _ => None,
        })
        .collect()
}

/// Each message begins with, and the whole list is as long as, what is expected.
#[track_caller]
fn check(input: &DeriveInput, expected: &[&str]) {
    let mut found = messages(expand::derive(input));
    // Most events here are about something else; what they lack has a test of its own.
    found.retain(|message| !message.contains(TARGET) || expected.contains(&TARGET));
    check_messages(&found, expected);
}

const TARGET: &str = "says what it was done to";

#[track_caller]
fn check_field(input: &DeriveInput, expected: &[&str]) {
    check_messages(&messages(expand::derive_field(input)), expected);
}

#[track_caller]
fn check_messages(found: &[String], expected: &[&str]) {
    let same =
        found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| f.starts_with(e));
    assert!(same, "found {found:#?}\nexpected {expected:#?}");
}

#[test]
fn some_categories_need_a_target() {
    let lacking = |input: &DeriveInput| messages(expand::derive(input)).len();
    for (category, count) in [
        ("audit", 1),
        ("admin", 1),
        ("access", 1),
        ("security", 0),
        ("app", 0),
    ] {
        let input = parse_quote!(
            #[audit(name = "a.b", category = #category)]
            struct Bare;
        );
        assert_eq!(lacking(&input), count, "{category}");
    }
    let field = parse_quote!(
        #[audit(name = "a.b")]
        struct OfField {
            #[audit(internal)]
            target_resource: String,
        }
    );
    assert_eq!(lacking(&field), 0);
    let renamed = parse_quote!(
        #[audit(name = "a.b")]
        struct Renamed {
            #[audit(internal, rename = "target_resource")]
            place: String,
        }
    );
    assert_eq!(lacking(&renamed), 0);
    let found = messages(expand::derive(&parse_quote!(
        #[audit(name = "a.b")]
        struct Bare;
    )));
    assert!(found[0].contains(TARGET), "{found:?}");
}

#[test]
fn a_sound_event_is_accepted() {
    check(
        &parse_quote! {
            #[audit(
                name = "booking.created_2",
                version = 65535,
                category = "admin",
                outcome = "fail",
                target = "{{a}}/{booking_id}/{type}",
            )]
            #[doc = "other attributes are none of our business"]
            pub struct Event {
                booking_id: BookingId,
                r#type: u8,
                #[audit(pseudonym)] passenger: String,
                #[audit(personal, pseudonym)] #[audit(rename = "companion")] second: String,
                #[audit(mask = "pan")] card: String,
                #[audit(public, max_len = 200)] note: Option<String>,
                #[audit(internal, drop)] draft: String,
                #[audit(skip)] timestamp: u64,
            }
        },
        &[],
    );
    check(
        &parse_quote!(
            #[audit(name = "a.b")]
            struct Unit;
        ),
        &[],
    );
    check(
        &parse_quote!(
            #[audit(name = "a.b", version = 1)]
            struct Empty {}
        ),
        &[],
    );
}

#[test]
fn every_mistake_is_reported_at_once() {
    check(
        &parse_quote! {
            #[audit(name = "Booking", version = 0, category = "web", outcome = "ok", target = "{nobody}")]
            struct Event {
                #[audit(secret)] pin: String,
                note: String,
                seq: u64,
                #[audit(colour)] hue: u8,
            }
        },
        &[
            "`version` is a whole number from 1 to 65535; write for example `version = 1`",
            "`category` is one of audit, security, admin, access, app; write for example `category = \"audit\"`",
            "`outcome` is one of success, fail; write for example `outcome = \"success\"`",
            "a field has no option `colour`; it has a class (`public`, `internal`, `personal`, `cardholder`)",
            "a name is two or more lower-case words with dots between them",
            "there is no field `nobody`; name one of the struct's fields",
            "secrets have no way to be logged; remove the field, or write `#[audit(skip)]`",
            "`pin` is the name of something that may not be logged (rule `credential-name`); remove the field",
            "text may hold anything, so its field has to say how sensitive it is",
            "`seq` is set by the writer, which numbers and links the records; remove this field",
        ],
    );
}

#[test]
fn names() {
    for name in [
        "booking", "", ".a", "a.", "a..b", "A.b", "a.b-c", "a.1", "a b.c", "a._b",
    ] {
        check(
            &parse_quote!(
                #[audit(name = #name)]
                struct Event;
            ),
            &["a name is two or more lower-case words"],
        );
    }
    for name in [
        "chain.genesis",
        "log.started",
        "service.a.b",
        "key.made",
        "http.sent",
    ] {
        check(
            &parse_quote!(
                #[audit(name = #name)]
                struct Event;
            ),
            &["names that begin with `"],
        );
    }
    check(
        &parse_quote!(
            #[audit(name = "keys.made")]
            struct Event;
        ),
        &[],
    );
    check(
        &parse_quote!(
            struct Event;
        ),
        &[
            "an event needs a name; write for example `name = \"booking.created\"` in `#[audit(...)]` or",
        ],
    );
    check(
        &parse_quote!(
            #[audit(version = 2)]
            struct Event;
        ),
        &["an event needs a name; write for example `name = \"booking.created\"`"],
    );
}

#[test]
fn shapes() {
    check(
        &parse_quote!(
            #[audit(name = "a.b")]
            struct Event(u64, String);
        ),
        &["the fields of an event need names"],
    );
    check(
        &parse_quote!(
            #[audit(name = "a.b")]
            enum Event {
                A,
                B,
            }
        ),
        &["an event is a struct; write one struct for each variant"],
    );
    check(
        &parse_quote!(#[audit(name = "a.b")] union Event { a: u8, b: i8 }),
        &["an event is a struct; write `struct` instead of `union`"],
    );
    check(
        &parse_quote!(
            #[audit(name = "a.b")]
            struct Event<'a, T>
            where
                T: Copy,
            {
                a: &'a T,
            }
        ),
        &[
            "an event has no parameters",
            "an event has no `where` clause",
        ],
    );
}

#[test]
fn options_are_read_one_by_one() {
    check(
        &parse_quote! {
            #[audit(name, version = "1", category = audit, name = "a.b", 7, colour = 1)]
            #[audit]
            struct Event {
                #[audit(public = true, mask, skip())] a: u8,
                #[audit(mask = "iban", rename)] b: u8,
                #[audit(public, personal, drop, pseudonym)] c: u8,
                #[audit(drop, drop)] d: u8,
            }
        },
        &[
            "`name` is given twice; remove one",
            "this is not an option; write `option` or `option = value`",
            "`name` takes a string; write for example `name = \"booking.created\"`",
            "`version` is a whole number",
            "`category` is one of",
            "an event has no option `colour`; it has `name`, `version`, `category`, `target`, `outcome` and `pre_auth`",
            "options stand in parentheses; write `#[audit(...)]`",
            "`public` takes no value; write `#[audit(public)]`",
            "the only mask is that of a card number; write `mask = \"pan\"`",
            "`skip` takes no value; write `#[audit(skip)]`",
            "the only mask is that of a card number; write `mask = \"pan\"`",
            "`rename` takes a string; write for example `rename = \"passenger_ref\"`",
            "a field has one class, and `public` is already given; remove one",
            "a field has one action, and `drop` is already given; remove one",
            "`drop` is given twice; remove one",
        ],
    );
}

#[test]
fn keys() {
    check(
        &parse_quote! {
            #[audit(name = "a.b", target = "x/{id}")]
            struct Event {
                id: u8,
                #[audit(rename = "id")] other: u8,
                seatCount: u8,
                _note: u8,
                #[audit(rename = "a.b")] dotted: u8,
                #[audit(internal)] target_resource: String,
                #[audit(rename = "tenant_id")] fine: u8,
                r#type: u8,
            }
        },
        &[
            "`id` is already the key of the field `id`; choose another with `#[audit(rename = \"...\")]`",
            "`seatCount` cannot be a key of a record",
            "`_note` cannot be a key of a record",
            "`a.b` cannot be a key of a record",
            "`target_resource` is already set by `target = \"...\"` on the struct; remove one",
            "`tenant_id` is set by the verified claims of the caller; remove this field, or give it another key",
        ],
    );
}

#[test]
fn reserved_rows() {
    let reserved = [
        "v",
        "stream",
        "seq",
        "timestamp",
        "category",
        "level",
        "event",
        "event_version",
        "outcome",
        "outcome_detail",
        "service_name",
        "env",
        "tenant_id",
        "user_id",
        "client_id",
        "trace_id",
        "span_id",
        "trace_flags",
        "request_id",
        "status_code",
        "latency_ms",
        "ip",
        "user_agent",
        "service",
        "intent_of",
        "intent_ref",
        "schema_violations",
        "audit_gap",
        "message",
        "data",
        "redactions",
        "policy",
        "prev_hash",
        "hash",
    ];
    for key in reserved {
        let said = format!("`{key}` is set by ");
        check(
            &parse_quote!(
                #[audit(name = "a.b")]
                struct Event {
                    #[audit(rename = #key)]
                    f: u8,
                }
            ),
            &[said.as_str()],
        );
    }
}

#[test]
fn classes_and_actions() {
    check(
        &parse_quote! {
            #[audit(name = "a.b")]
            struct Event {
                #[audit(public, pseudonym)] a: u8,
                #[audit(personal, mask = "pan")] b: u8,
                #[audit(cardholder, mask = "pan")] c: u8,
                #[audit(cardholder)] f: u8,
                #[audit(cardholder, pseudonym)] g: u8,
                #[audit(skip, public, drop, rename = "x")] d: u8,
                #[audit(skip, secret)] e: u8,
            }
        },
        &[
            "`pseudonym` makes the field `personal`; remove `public`",
            "`mask` makes the field `cardholder`; remove `personal`",
            "a card number is never written whole; write `mask = \"pan\"` for its last four digits, or `drop`",
            "a card number is never pseudonymised; write `mask = \"pan\"` for its last four digits, or `drop`",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
        ],
    );
}

#[test]
fn prohibited_names() {
    let credential = |name| {
        format!(
            "`{name}` is the name of something that may not be logged (rule `credential-name`); remove the field, or write `#[audit(drop)]`"
        )
    };
    let card = "`card_number` is the name of something that may not be logged (rule `card-number-name`); write `#[audit(mask = \"pan\")]`";
    check(
        &parse_quote! {
            #[audit(name = "a.b")]
            struct Event {
                #[audit(internal)] user_password: String,
                #[audit(internal)] r#token: String,
                #[audit(pseudonym)] session_id: String,
                #[audit(rename = "api_key")] key: u64,
                #[audit(rename = "note")] otp: u64,
                #[audit(pseudonym)] card_number: String,
                #[audit(mask = "pan")] cvv: String,
                #[audit(drop)] passphrase: String,
                #[audit(mask = "pan")] pan: String,
                #[audit(skip)] secret: String,
                client_id_kind: u8,
                public_key_id: u8,
                token_count: u8,
                passenger: u8,
            }
        },
        &[
            credential("user_password").as_str(),
            credential("token").as_str(),
            credential("session_id").as_str(),
            credential("api_key").as_str(),
            credential("otp").as_str(),
            card,
            "`cvv` is the name of something that may not be logged (rule `card-code-name`)",
        ],
    );
}

#[test]
fn types() {
    check(
        &parse_quote! {
            #[audit(name = "a.b")]
            struct Event {
                #[audit(drop)] a: secrecy::SecretString,
                #[audit(internal)] b: Option<SecretBox<str>>,
                c: serde_json::Value,
                #[audit(internal)] d: HashMap<String, String>,
                #[audit(internal)] e: Vec<u8>,
                f: &'static [u8],
                g: Option<Cow<'static, str>>,
                #[audit(public)] h: Vec<String>,
                #[audit(public, max_len = 40)] i: String,
                #[audit(internal, max_len = 40)] j: String,
                #[audit(public)] k: u64,
                #[audit(skip)] l: SecretString,
            }
        },
        &[
            "secrets have no way to be logged; remove the field, or write `#[audit(skip)]`",
            "secrets have no way to be logged; remove the field, or write `#[audit(skip)]`",
            "a JSON value may hold anything",
            "a map may hold any key",
            "bytes say nothing to a reader and may be anything; log their length",
            "bytes say nothing to a reader and may be anything; log their length",
            "text may hold anything, so its field has to say how sensitive it is; write `#[audit(internal)]`",
            "text that anybody may see needs a bound; write for example `public, max_len = 200`",
        ],
    );
}

#[test]
fn lengths() {
    check(
        &parse_quote! {
            #[audit(name = "a.b")]
            struct Event {
                #[audit(public, max_len = 0)] a: Note,
                #[audit(public, max_len = "9")] b: Note,
                #[audit(public, max_len)] c: Note,
                #[audit(public, max_len = 4097)] d: Note,
                #[audit(max_len = 4096)] e: Note,
                #[audit(max_len = 9)] f: Option<u64>,
                #[audit(pseudonym, max_len = 9)] g: String,
                #[audit(skip, max_len = 9)] h: String,
            }
        },
        &[
            "`max_len` is a whole number of bytes from 1 to 4096; write for example `max_len = 200`",
            "`max_len` is a whole number of bytes from 1 to 4096",
            "`max_len` is a whole number of bytes from 1 to 4096",
            "`max_len` is a whole number of bytes from 1 to 4096",
            "`max_len` bounds text, and `Option<u64>` holds none; remove it",
            "`max_len` bounds text that is written, and `pseudonym` writes none; remove one",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
        ],
    );
}

#[test]
fn attributes_of_serde() {
    check(
        &parse_quote! {
            #[audit(name = "a.b")]
            #[serde(rename_all = "camelCase")]
            struct Event {
                #[serde(flatten)] a: Inner,
                #[serde(default, rename = "x")] b: u8,
                #[serde(skip_serializing)] c: u8,
                #[serde(serialize_with = "stars")] d: u8,
                #[serde(skip_serializing_if = "Option::is_none", default)] e: Option<u8>,
                #[serde(rename = "f2")] #[audit(rename = "f_2")] f: u8,
                #[serde(flatten)] #[audit(skip)] g: Inner,
                #[serde] h: u8,
            }
        },
        &[
            "an event does not go through serde, so `flatten` has no effect on it; name each of its fields",
            "an event does not go through serde, so `rename` has no effect on it; write the key of the record as `#[audit(rename = \"...\")]`",
            "an event does not go through serde, so `skip_serializing` has no effect on it; leave the field out with `#[audit(skip)]`",
            "an event does not go through serde, so `serialize_with` has no effect on it; give the field a type",
        ],
    );
}

#[test]
fn a_sound_field_type_is_accepted() {
    for input in [
        parse_quote!(
            #[audit(internal)]
            struct BookingId(String);
        ),
        parse_quote!(
            #[audit(public, max_len = 80)]
            struct Note<'a> {
                text: &'a str,
            }
        ),
        parse_quote!(
            #[audit(cardholder)]
            struct Card(String);
        ),
        parse_quote! {
            #[audit(public)]
            enum State { Paid, #[audit(rename = "part")] PaidInPart, r#HTTPError }
        },
    ] {
        check_field(&input, &[]);
    }
}

#[test]
fn field_types() {
    check_field(
        &parse_quote! {
            #[audit(colour, internal, personal, max_len = 0)]
            struct Two(String, u8);
        },
        &[
            "a type has no option `colour`; it has a class (`public`, `internal`, `personal`, `cardholder`) and `max_len = ...`",
            "a field has one class, and `internal` is already given; remove one",
            "`max_len` is a whole number of bytes",
            "a field of an event is one value, so its type has one field",
        ],
    );
    check_field(
        &parse_quote!(
            struct Unit;
        ),
        &["a field of an event is one value, so its type has one field"],
    );
    check_field(
        &parse_quote!(
            struct BookingId(String);
        ),
        &["how sensitive are the values of this type? write `#[audit(public)]`, `internal`"],
    );
    check_field(
        &parse_quote!(
            #[audit(public)]
            struct Note(String);
        ),
        &["text that anybody may see needs a bound; write for example `public, max_len = 200`"],
    );
    check_field(
        &parse_quote!(
            #[audit(internal)]
            struct Key([u8; 32]);
        ),
        &["bytes say nothing to a reader"],
    );
    check_field(
        &parse_quote!(
            #[audit(secret)]
            struct Key(u64);
        ),
        &["secrets have no way to be logged; remove the derive"],
    );
    check_field(
        &parse_quote!(#[audit(internal)] union Both { a: u8, b: i8 }),
        &["a union has no value that can be named"],
    );
    check_field(
        &parse_quote! {
            #[audit(max_len = 3)]
            enum State { A(u8), #[audit(drop)] B, #[audit(rename = "B")] C, #[audit(rename = "a")] D }
        },
        &[
            "the words of an enum are as long as they are; remove `max_len`",
            "a variant is written as one word, so it has no fields",
            "a variant has no option `drop`; it has `rename = \"...\"`",
            "`B` is no word: it has lower-case letters",
            "`a` is already the word of `A`; choose another",
        ],
    );
    check_field(
        &parse_quote!(
            enum Never {}
        ),
        &["an enum without variants has no value"],
    );
}

#[test]
fn targets() {
    check(
        &parse_quote! {
            #[audit(name = "a.b", target = "{a}/{b}/{c}/{d}/{e}/{r}/{g}/{:?}/}/{")]
            struct Event {
                a: u8,
                #[audit(pseudonym)] b: u8,
                #[audit(mask = "pan")] c: u8,
                #[audit(drop)] d: u8,
                #[audit(skip)] e: u8,
                #[audit(rename = "r")] f: u8,
                #[audit(personal)] g: u8,
            }
        },
        &[
            "`{:?}` does not name a field",
            "`}` without `{`",
            "`{` without `}`",
            "`{b}` would show what `pseudonym` hides",
            "`{c}` would show what `mask` hides",
            "`{d}` would show what `drop` hides",
            "`{e}` would show what `skip` hides",
            "there is no field `r`; write `{f}`, the field's name in Rust",
            "`{g}` is `personal`, and a target is read by everybody who reads records",
        ],
    );
    check(
        &parse_quote!(
            #[audit(name = "a.b", target = "")]
            struct Event;
        ),
        &["an empty target says nothing"],
    );
}

#[test]
fn a_literal_from_another_macro_is_a_literal() {
    let name = proc_macro2::TokenTree::from(proc_macro2::Group::new(
        proc_macro2::Delimiter::None,
        quote!("a.b"),
    ));
    check(
        &parse_quote!(
            #[audit(name = #name)]
            struct Event;
        ),
        &[],
    );
}

#[test]
fn after_an_error_the_type_still_has_its_implementations() {
    for input in [
        parse_quote!(
            struct Event;
        ),
        parse_quote!(
            enum Event {
                A,
            }
        ),
        parse_quote!(
            struct Event<'a, T: Copy>
            where
                T: Clone,
            {
                a: &'a T,
            }
        ),
    ] {
        let file: syn::File = syn::parse2(expand::derive(&input)).unwrap();
        let made = file.to_token_stream().to_string();
        for part in [
            "Fields for Event",
            "AuditEvent for Event",
            "fn emit",
            "fn commit",
        ] {
            assert!(made.contains(part), "{part} is not in {made}");
        }
    }
}

#[test]
fn the_documentation_of_an_event_names_its_schema() {
    let made = expand::derive(&parse_quote! {
        #[audit(name = "a.b", version = 2, category = "security")]
        struct Event {
            booking_id: u64,
            #[audit(pseudonym)] passenger: String,
            #[audit(public, max_len = 80, rename = "remark")] text: String,
            #[audit(skip)] connection: Connection,
        }
    });
    let doc = "Event `a.b`, version 2, category `security`.\n\n\
        | field | class | action |\n\
        |---|---|---|\n\
        | `booking_id` | that of its type | keep |\n\
        | `data.passenger` | personal | pseudonym |\n\
        | `data.remark` | public | keep, cut beyond 80 bytes |\n";
    let expected = proc_macro2::Literal::string(doc).to_string();
    let made = made.to_string();
    assert!(made.contains(&expected), "{expected} is not in {made}");
}

#[test]
fn the_attribute_leaves_the_item_as_it_stands() {
    let item = quote!(
        #[derive(Debug)]
        pub struct Event {
            #[cfg(any())]
            a: u8,
            #[audit(drop)]
            b: u8,
        }
    );
    let made = expand::attribute(&quote!(name = "a.b"), &item).to_string();
    let expected = quote! {
        #[derive(::compliance_log::AuditEvent)]
        #[audit(name = "a.b")]
        #item
    };
    assert_eq!(made, expected.to_string());

    let function = quote!(
        fn handler() {}
    );
    let made = expand::attribute(&quote!(name = "a.b"), &function).to_string();
    assert!(made.contains("put `#[audit_event(...)]` on one"), "{made}");
    assert!(made.ends_with(&function.to_string()), "{made}");
}
