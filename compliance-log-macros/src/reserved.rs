/// First words of names that only compliance-log writes.
pub(crate) const RESERVED: [&str; 15] = [
    "chain.",
    "segment.",
    "seal.",
    "stream.",
    "anchor.",
    "log.",
    "policy.",
    "key.",
    "clock.",
    "security.",
    "record.",
    "audit.",
    "volume.",
    "service.",
    "http.",
];
