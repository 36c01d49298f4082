use compliance_log::{
    ErrorKind,
    seal::note::{KeyName, Note, NoteFile, Signer, SigningKey, VerifierKey},
};
use proptest::prelude::*;

use crate::keys::{ALGORITHMS, flips, key};

const TEXT: &str = "two lines\nof text\n";

fn signed(text: &str, keys: &[&SigningKey]) -> Note {
    let mut note = Note::unsigned(text).unwrap();
    for key in keys {
        note.sign(*key).unwrap();
    }
    note
}

#[test]
fn a_note_says_who_signed_and_nobody_else() {
    for &algorithm in ALGORITHMS {
        let (one, two) = (key("one", algorithm), key("two", algorithm));
        let stranger = key("one", algorithm);
        let note = signed(TEXT, &[&one, &two]);
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(read, note);
        assert_eq!(read.text(), TEXT);
        read.check(one.verifier()).unwrap();
        read.check(two.verifier()).unwrap();
        let error = read.check(stranger.verifier()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Seal);
    }
}

#[test]
fn no_bit_of_a_note_changes_unseen() {
    for &algorithm in ALGORITHMS {
        let (one, two) = (key("a/one", algorithm), key("b/two", algorithm));
        let note = signed(TEXT, &[&one, &two]);
        for (bit, flipped) in flips(note.to_string().as_bytes()) {
            let accepted = Note::parse(&flipped).is_ok_and(|note| {
                note.check(one.verifier()).is_ok() && note.check(two.verifier()).is_ok()
            });
            assert!(!accepted, "{algorithm:?}, bit {bit}");
        }
    }
}

#[test]
fn keys_are_read_as_they_are_written() {
    for &algorithm in ALGORITHMS {
        let key = key("log.example/booking", algorithm);
        let vkey = key.verifier().to_string();
        let read: VerifierKey = vkey.parse().unwrap();
        assert_eq!(&read, key.verifier());
        assert_eq!(read.algorithm(), algorithm);

        let skey = key.to_skey().unwrap();
        let again = SigningKey::from_skey(&skey).unwrap();
        assert_eq!(again.verifier(), key.verifier());
        assert_eq!(*again.to_skey().unwrap(), *skey);
        signed(TEXT, &[&again]).check(key.verifier()).unwrap();

        let shown = format!("{key:?}");
        let secret = secret(&skey);
        assert!(shown.contains(&vkey) && !shown.contains(secret), "{shown}");

        for (bit, flipped) in flips(vkey.as_bytes()) {
            let read = String::from_utf8(flipped).ok();
            let read = read.and_then(|vkey| vkey.parse::<VerifierKey>().ok());
            // The id of an ECDSA key does not depend on its name, so only there another name is a key.
            let same_key = read.is_some_and(|read| read.name() == key.verifier().name());
            assert!(!same_key, "bit {bit} of {vkey}");
        }
    }
}

#[test]
fn what_is_no_vkey_is_refused_and_says_why() {
    let vkey = key("name", ALGORITHMS[0]).verifier().to_string();
    let (_, id, base64) = parts(&vkey);
    let other = key("name", ALGORITHMS[0]).verifier().to_string();
    let weak = format!("name+{id}+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let unknown = format!("name+{id}+/w==");
    for (wrong, reason) in [
        ("name".to_owned(), "a vkey is"),
        (format!("name+{id}"), "a vkey is"),
        (format!("+{id}+{base64}"), "names no key"),
        (format!("a name+{id}+{base64}"), "names no key"),
        (format!("eman+{id}+{base64}"), "has id"),
        (format!("name+{}+{base64}", parts(&other).1), "has id"),
        (format!("name+{id}+{base64}="), "not canonical base64"),
        (format!("name+{id}+{base64}\n"), "not canonical base64"),
        (format!("name+{id}+"), "a vkey is"),
        (unknown, "of algorithm ff"),
        (weak, "holds no key"),
    ] {
        let error = wrong.parse::<VerifierKey>().unwrap_err();
        assert!(error.to_string().contains(reason), "{wrong:?}: {error}");
    }
    let upper = format!("name+{}+{base64}", id.to_uppercase());
    assert!(upper == vkey || upper.parse::<VerifierKey>().is_err());
}

fn parts(vkey: &str) -> (&str, &str, &str) {
    let mut parts = vkey.splitn(3, '+');
    let mut next = || parts.next().unwrap();
    (next(), next(), next())
}

#[test]
fn an_skey_is_not_shown_when_it_is_refused() {
    let skey = key("name", ALGORITHMS[0]).to_skey().unwrap();
    let secret = secret(&skey);
    let front = skey.strip_suffix(&format!("+{secret}")).unwrap();
    let other = key("name", ALGORITHMS[0]).to_skey().unwrap();
    let other_id = other.split('+').nth(3).unwrap();
    for wrong in [
        secret.to_owned(),
        format!("{front}+{secret}="),
        format!("{front}+{}", &secret[..40]),
        format!("PRIVATE+KEY+name+{other_id}+{secret}"),
        format!("PRIVATE+KEY+name+{secret}"),
    ] {
        let error = SigningKey::from_skey(&wrong).unwrap_err().to_string();
        assert!(!error.contains(&secret[..16]), "{error}");
    }
}

/// What comes after the fourth plus; Base64 has pluses too.
fn secret(skey: &str) -> &str {
    skey.splitn(5, '+').nth(4).unwrap()
}

/// Base64 has bits that decode to nothing; a second spelling of the same signature must not pass.
#[test]
fn a_signature_has_one_spelling() {
    let signer = key("one", ALGORITHMS[0]);
    let note = signed(TEXT, &[&signer]).to_string();
    let last = note.trim_end_matches("=\n").chars().next_back().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let at = alphabet.find(last).unwrap();
    // 68 bytes leave two bits of the last digit unused.
    for spare in 1..4 {
        let digit = &alphabet[at + spare..=at + spare];
        let wrong = note.replace(&format!("{last}=\n"), &format!("{digit}=\n"));
        let error = Note::parse(wrong.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("canonical"), "{error}");
    }
}

#[test]
fn what_is_no_note_is_refused_and_says_why() {
    let signer = key("one", ALGORITHMS[0]);
    let note = signed(TEXT, &[&signer]).to_string();
    let line = note.lines().last().unwrap();
    let many: String = (0..101)
        .map(|n| signed(TEXT, &[&key(&format!("k{n}"), ALGORITHMS[0])]))
        .map(|note| note.to_string().lines().last().unwrap().to_owned() + "\n")
        .collect();
    for (wrong, reason) in [
        (format!("{TEXT}{line}\n"), "no empty line"),
        (format!("{TEXT}\n"), "ends within a line"),
        (format!("{TEXT}\n{line}"), "ends within a line"),
        (format!("{TEXT}\n{line}\n\n"), "signature line"),
        (format!("{TEXT}\n{line}\n{line}\n"), "two signatures"),
        (format!("{TEXT}\n{line} \n"), "canonical"),
        (
            format!("{TEXT}\n{}\n", line.replacen(' ', "  ", 1)),
            "canonical",
        ),
        (
            format!("{TEXT}\n{}\n", line.replace('\u{2014}', "-")),
            "signature line",
        ),
        (format!("\n{TEXT}\n{line}\n"), "none of them empty"),
        (format!("tab\there\n\n{line}\n"), "control characters"),
        (format!("{TEXT}\n\u{2014} one AAAAAA==\n"), "signature line"),
        (format!("{TEXT}\n{many}"), "at most 100"),
        (
            format!("{}\n{TEXT}\n{line}\n", "x".repeat(1_000_000)),
            "million bytes",
        ),
    ] {
        let error = Note::parse(wrong.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(reason), "{wrong:.60?}: {error}");
    }
    assert!(Note::parse(b"\xff\n\n").is_err());
    for wrong in ["", "no end", "an\n\nempty line\n", "\u{7}\n"] {
        assert!(Note::unsigned(wrong).is_err(), "{wrong:?}");
    }
    let mut twice = signed(TEXT, &[&signer]);
    assert!(twice.sign(&signer).is_err());
}

/// A signer whose module answers with something else.
#[derive(Debug)]
struct Broken(SigningKey);

impl Signer for Broken {
    fn key(&self) -> &VerifierKey {
        self.0.verifier()
    }

    fn sign(&self, text: &[u8]) -> std::io::Result<Vec<u8>> {
        self.0.sign(&text[1..])
    }
}

#[test]
fn a_wrong_signature_is_never_used() {
    let mut note = Note::unsigned(TEXT).unwrap();
    let error = note.sign(&Broken(key("one", ALGORITHMS[0]))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Seal);
    assert!(note.signatures().is_empty());
}

#[test]
fn a_file_of_notes_is_taken_apart_and_its_torn_end_found() {
    let signer = key("one", ALGORITHMS[0]);
    let notes: Vec<Note> = (0..3)
        .map(|n| signed(&format!("note {n}\n"), &[&signer]))
        .collect();
    let blocks: Vec<String> = notes.iter().map(Note::to_block).collect();
    let file = blocks.concat();
    let whole = NoteFile::split(file.as_bytes());
    assert_eq!(whole.torn, None);
    for (((at, bytes), note), n) in whole.notes.iter().zip(&notes).zip(0..) {
        assert_eq!(*at, blocks[..n].concat().len() as u64);
        assert_eq!(&Note::parse(bytes).unwrap(), note);
    }
    for cut in 0..file.len() {
        let found = NoteFile::split(&file.as_bytes()[..cut]);
        let complete = (0..3)
            .filter(|n| blocks[..=*n].concat().len() <= cut)
            .count();
        assert_eq!(found.notes, whole.notes[..complete], "cut at {cut}");
        let end = blocks[..complete].concat().len();
        assert_eq!(
            found.torn,
            (end < cut).then_some(end as u64),
            "cut at {cut}"
        );
    }
}

proptest! {
    #[test]
    fn a_note_is_read_as_it_was_written(
        lines in prop::collection::vec("[^\\x00-\\x1f]{1,40}", 1..6),
        name in "[^\\s+\\p{Cc}]{1,20}",
    ) {
        let name: KeyName = name.parse().unwrap();
        let signer = SigningKey::generate(name, ALGORITHMS[0]).unwrap();
        let text = lines.join("\n") + "\n";
        let note = signed(&text, &[&signer]);
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        prop_assert_eq!(read.text(), &text);
        prop_assert!(read.check(signer.verifier()).is_ok());
        prop_assert_eq!(read, note);
    }

    #[test]
    fn what_is_accepted_has_no_other_spelling(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes);
        }
    }
}
