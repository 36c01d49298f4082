//! What the derive says, message by message and in order. Where it says it is for the compiler's
//! own tests in `compliance-log`.

use crate::expand;
use quote::{ToTokens as _, quote};
use syn::{DeriveInput, Item, parse_quote};

/// The messages of the `compile_error!` calls that `input` is answered with.
fn messages(input: &DeriveInput) -> Vec<String> {
    let file: syn::File = syn::parse2(expand::derive(input)).unwrap();
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
    let found = messages(input);
    let same =
        found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| f.starts_with(e));
    assert!(same, "found {found:#?}\nexpected {expected:#?}");
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
                #[audit(public)] note: Option<String>,
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
    for name in ["chain.genesis", "log.started", "service.a.b", "key.made"] {
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
                target_resource: String,
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
                #[audit(skip, public, drop, rename = "x")] d: u8,
                #[audit(skip, secret)] e: u8,
            }
        },
        &[
            "`pseudonym` makes the field `personal`; remove `public`",
            "`mask` makes the field `cardholder`; remove `personal`",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
            "`skip` leaves the field out of the event; remove this, or remove `skip`",
        ],
    );
}

#[test]
fn targets() {
    check(
        &parse_quote! {
            #[audit(name = "a.b", target = "{a}/{b}/{c}/{d}/{e}/{r}/{:?}/}/{")]
            struct Event {
                a: u8,
                #[audit(pseudonym)] b: u8,
                #[audit(mask = "pan")] c: u8,
                #[audit(drop)] d: u8,
                #[audit(skip)] e: u8,
                #[audit(rename = "r")] f: u8,
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
