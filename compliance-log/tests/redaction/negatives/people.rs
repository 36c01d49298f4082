//! What people and travel leave in a log and the built-in policy leaves too.

use super::Rows;

pub(super) const PEOPLE: Rows = &[
    (
        "phone",
        3,
        &[
            "+49 30 ‹digits:6›",
            "+1-202-555-01‹digits:2›",
            "+44 20 7946 0‹digits:3›",
            "call +33 1 23 ‹digits:2› ‹digits:2› ‹digits:2› after ten",
            "tel:+4930‹digits:7›",
            "phone=+81-3-‹digits:4›-‹digits:4›",
            "(030) ‹digits:4› ‹digits:4›",
            "0800 ‹digits:3› ‹digits:4›",
        ],
    ),
    (
        "passenger",
        2,
        &[
            "passenger Ingrid Lindqvist boarded at gate B‹number:1-40›",
            "LINDQVIST/INGRID MS seat ‹number:1-40›A",
            "2 passengers were rebooked to XY‹number:100-999›",
            "name: Chiara Moreau, seat ‹number:1-40›C",
            "PNR ‹BASE36:6›",
            "booking reference X‹BASE36:5› confirmed",
            "FRA-JFK XY‹number:100-999› on ‹time:date›",
            "route HAM → MUC → LIS, ‹number:1-9› seats left",
            "gate change: XY‹number:100-999› now B‹number:1-40›",
            "baggage 23 kg, ‹number:1-3› pieces, tag XY ‹digits:6›",
            "fare basis Y‹BASE36:6›",
            "frequent flyer tier gold, ‹number:1000-99999› miles",
            "date of flight ‹time:date›, checked in ‹time:clock›",
        ],
    ),
    (
        "money-and-place",
        3,
        &[
            "‹number:10-9999›.‹digits:2› EUR",
            "EUR 1.‹digits:3›,‹digits:2›",
            "$‹number:10-9999›.‹digits:2›",
            "total 1 234 ‹digits:3›.‹digits:2› JPY",
            "price=‹number:100-99999› currency=EUR tax=19",
            "52.‹digits:6›, 13.‹digits:6›",
            "geo:48.‹digits:6›,11.‹digits:6›;u=35",
            "lat=50.‹digits:7› lon=8.‹digits:7›",
            "POINT(13.‹digits:6› 52.‹digits:6›)",
            "rate 1.‹digits:4› EUR/USD at ‹time:clock›",
            "‹number:100-999›,‹digits:3›,‹digits:3› rows in ‹number:1-99› s",
            "3.14159265358979323846‹digits:2›",
            "10115 Berlin, Invalidenstraße ‹number:1-120›",
        ],
    ),
];
