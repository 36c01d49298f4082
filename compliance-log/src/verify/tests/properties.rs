//! Properties of generated stores.

use super::{SECOND, clean, lines_of};
use crate::{
    chain::Digest,
    verify::{
        Options, Verdict,
        fixture::{CHANNEL, Checked, FIRST, Stream},
    },
};
use proptest::prelude::*;
use std::num::NonZero;

#[derive(Clone, Debug)]
enum Step {
    Records(u64),
    Sync,
    Rotate,
    Supersede,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..8_u64).prop_map(Step::Records),
        2 => Just(Step::Sync),
        1 => Just(Step::Rotate),
        1 => Just(Step::Supersede),
    ];
    prop::collection::vec(step, 0..20)
}

fn build(steps: &[Step]) -> Stream {
    let mut stream = Stream::new();
    for step in steps {
        match step {
            Step::Records(count) => stream.records(*count),
            Step::Sync => stream.sync(),
            Step::Rotate => stream.rotate(),
            Step::Supersede => stream.supersede(),
        }
    }
    stream
}

fn both(stream: &Stream, chunk_bytes: u64, threads: usize) -> Checked {
    let whole = stream.verify_with(&Options::default().threads(NonZero::<usize>::MIN));
    let threads = NonZero::new(threads).unwrap();
    let options = Options::default().threads(threads).chunk_bytes(chunk_bytes);
    let chunked = stream.verify_with(&options);
    let strip = |checked: &Checked| {
        let store = &checked.report.stores[0];
        (store.verdict, store.streams.clone(), store.findings.clone())
    };
    assert_eq!(strip(&whole), strip(&chunked));
    whole
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_clean_store_is_accused(
        steps in steps(), lag in 0..4_usize, chunk in 1..3_000_u64, threads in 1..4_usize,
    ) {
        let mut stream = build(&steps);
        stream.lag(lag);
        both(&stream, chunk, threads).is_ok();
    }

    #[test]
    fn a_crash_is_never_called_tampering(
        steps in steps(), cut in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut stream = build(&steps);
        let durable = stream.durable();
        let bound = if stream.current_name() == crate::layout::segment_name(durable.segment) {
            usize::try_from(durable.offset).unwrap()
        } else {
            0
        };
        let file = stream.newest();
        let cut = bound + cut.index(file.len() - bound + 1);
        file.truncate(cut);
        file.extend_from_slice(&noise);
        let checked = both(&stream, 700, 2);
        prop_assert!(
            matches!(checked.verdict(), Verdict::Ok | Verdict::Torn),
            "{:#?}", checked.findings()
        );
    }

    #[test]
    fn changed_lines_never_pass_and_parts_never_matter(
        ops in prop::collection::vec((0..7_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
        newest in any::<bool>(), chunk in 1..3_000_u64,
    ) {
        let mut stream = clean();
        let mut other = Stream::of("fedcba9876543210", CHANNEL);
        other.records(30);
        let foreign = lines_of(other.first());
        let name = if newest { SECOND } else { FIRST };
        let mut lines = lines_of(&stream.files[name]);
        for (kind, one, two) in ops {
            let (at, to) = (one.index(lines.len()), two.index(lines.len()));
            match kind {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.swap(at, to),
                2 => lines.insert(to, lines[at].clone()),
                3 => lines[at].insert(0, b' '),
                4 => lines.insert(to, stream.forge(at as u64, Digest::of(b"any"))),
                5 => lines.insert(to, foreign[at].clone()),
                _ => {
                    let end = lines[at].len() - 1;
                    lines[at].insert(end, b'\r');
                }
            }
        }
        let changed = lines.concat() != stream.files[name];
        *stream.file(name) = lines.concat();
        let checked = both(&stream, chunk, 2);
        prop_assert_eq!(checked.report.exit, u8::from(changed), "{:#?}", checked.findings());
    }

    #[test]
    fn no_change_below_the_bound_passes(
        steps in steps(), file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        kind in 0..5_u8, chunk in 1..3_000_u64,
    ) {
        let mut stream = build(&steps);
        stream.records(2);
        stream.rotate();
        stream.records(2);
        stream.sync();
        let newest = stream.current_name();
        let names: Vec<String> = stream.files.keys().cloned().collect();
        let name = file.get(&names).clone();
        let before = stream.files[&name].clone();
        let at = at.index(before.len());
        let bytes = stream.file(&name);
        match kind {
            0 => bytes[at] ^= 1,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b'\n'),
            3 => bytes.truncate(at),
            _ => {
                let end = (at + 600).min(bytes.len());
                bytes[at..end].fill(0);
            }
        }
        let same = before.iter().zip(&*bytes).take_while(|(one, two)| one == two);
        let same = same.count();
        let checked = both(&stream, chunk, 2);
        // What a later file supersedes does not count, and may be changed.
        let ignored = name.contains("superseded") || (name != newest && {
            let mut without = stream.clone();
            without.files.insert(name.clone(), before);
            without.file(&name).truncate(same);
            without.verify().verdict() == Verdict::Ok
        });
        if !ignored {
            prop_assert_eq!(checked.report.exit, 1, "{} {:#?}", name, checked.findings());
        }
    }
}
