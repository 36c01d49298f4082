//! Other implementations read our notes, and we read theirs.

use compliance_log::seal::note::{Note, Signer as _, SigningKey, VerifierKey};
use signed_note::{StandardSigner, StandardVerifier, VerifierList};

use crate::keys::{ALGORITHMS, key};

const TEXT: &str = "log.example/booking/pod-7/0123456789abcdef\n17\nfXgDXt1XJLmVuIMP3pzWQZ5q0xW0DVPMZYyYyk4tDtc=\n";

#[test]
fn notes_are_the_same_bytes_as_those_of_signed_note() {
    let ours = key("log.example/booking", ALGORITHMS[0]);
    let mut note = Note::unsigned(TEXT).unwrap();
    note.sign(&ours).unwrap();

    let theirs = StandardSigner::new(&ours.to_skey().unwrap()).unwrap();
    let mut written = signed_note::Note::new(TEXT.as_bytes(), &[]).unwrap();
    written.add_sigs(&[&theirs]).unwrap();
    assert_eq!(note.to_string().as_bytes(), written.to_bytes());

    let read = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
    let verifier = StandardVerifier::new(&ours.verifier().to_string()).unwrap();
    let (good, unknown) = read
        .verify(&VerifierList::new(vec![Box::new(verifier)]))
        .unwrap();
    assert_eq!((good.len(), unknown.len()), (1, 0));
}

/// Written by Go's `golang.org/x/mod/sumdb/note`, with the secret 00 01 02 … 1f.
#[test]
fn a_note_that_go_wrote_is_the_one_that_we_write() {
    const SKEY: &str =
        "PRIVATE+KEY+log.example/golden+15cad01a+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    const VKEY: &str = "log.example/golden+15cad01a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    const LINE: &str = "— log.example/golden FcrQGob+N7/rA7JyCRg+RsgAOt4/yirDZI5n5DC1M7ajgwQRVygf/EjhwBnaUQOBAVtKMTkoNk1JJUoFl142sPwhjwM=";
    let written = format!("{TEXT}\n{LINE}\n");

    let read = Note::parse(written.as_bytes()).unwrap();
    let key: VerifierKey = VKEY.parse().unwrap();
    read.check(&key).unwrap();

    let ours = SigningKey::from_skey(SKEY).unwrap();
    assert_eq!(ours.key(), &key);
    let mut note = Note::unsigned(TEXT).unwrap();
    note.sign(&ours).unwrap();
    assert_eq!(note.to_string(), written);
}

/// Written with OpenSSL, by way of Python's `cryptography`.
#[cfg(feature = "fips")]
#[test]
fn a_p256_signature_of_openssl_holds() {
    const VKEY: &str = "log.example/golden+f1d59449+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFFcPW6545a5BNP+yn9U/c0MwemXvzddylFa0KbDtANfRTa+OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q=";
    const LINE: &str = "— log.example/golden 8dWUSTBFAiBh6KgsUpfKKt7/5pvatFgBx0g47cxW7seCZjBxHupAUgIhAJpVRbMQfte2BWHxIassLXywSXi/l1QkLabsfNQ/JwbN";
    let read = Note::parse(format!("{TEXT}\n{LINE}\n").as_bytes()).unwrap();
    read.check(&VKEY.parse().unwrap()).unwrap();
}
