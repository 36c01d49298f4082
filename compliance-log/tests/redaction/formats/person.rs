//! What belongs to one person: cards, accounts, documents, addresses.

use super::Rows;

pub(super) const NUMBERS: Rows = &[
    (
        "pan-visa",
        &["«pan:visa»", "«pan:visa/spaced»", "«pan:visa/dashed»"],
    ),
    ("pan-visa-19", &["«pan:visa-19»", "«pan:visa-19/spaced»"]),
    (
        "pan-mastercard",
        &[
            "«pan:mastercard»",
            "«pan:mastercard/spaced»",
            "«pan:mastercard/dashed»",
        ],
    ),
    (
        "pan-amex",
        &["«pan:amex»", "«pan:amex/spaced»", "«pan:amex/dashed»"],
    ),
    (
        "pan-discover",
        &[
            "«pan:discover»",
            "«pan:discover/spaced»",
            "«pan:discover/dashed»",
        ],
    ),
    ("pan-diners", &["«pan:diners»", "«pan:diners/spaced»"]),
    (
        "pan-jcb",
        &["«pan:jcb»", "«pan:jcb/spaced»", "«pan:jcb/dashed»"],
    ),
    ("pan-unionpay", &["«pan:unionpay»", "«pan:unionpay/spaced»"]),
    ("pan-maestro", &["«pan:maestro»", "«pan:maestro/spaced»"]),
    ("iban-de", &["«iban:DE»", "«iban:DE/spaced»"]),
    ("iban-fr", &["«iban:FR»", "«iban:FR/spaced»"]),
    ("iban-gb", &["«iban:GB»", "«iban:GB/spaced»"]),
    ("iban-nl", &["«iban:NL»", "«iban:NL/spaced»"]),
    ("iban-es", &["«iban:ES»", "«iban:ES/spaced»"]),
    (
        "iban-short",
        &[
            "«iban:NO»",
            "«iban:BE/spaced»",
            "«iban:BE»",
            "«iban:NO/spaced»",
        ],
    ),
    (
        "iban-other",
        &[
            "«iban:CH»",
            "«iban:AT/spaced»",
            "«iban:PL»",
            "«iban:SE/spaced»",
        ],
    ),
    ("email", &["«email»"]),
];

pub(super) const TEXTS: Rows = &[
    (
        "track-1",
        &[
            "%B«pan:visa»^LINDQVIST/INGRID^2912101«digits:16»?",
            "B«pan:mastercard»^OKAFOR/O^2811201«digits:14»",
        ],
    ),
    (
        "track-2",
        &[
            ";«pan:visa»=2912101«digits:13»?",
            ";«pan:amex»=2812201«digits:12»?",
        ],
    ),
    ("mrz-passport", &["«mrz:TD3»"]),
    ("mrz-id-card", &["«mrz:TD1»"]),
];
