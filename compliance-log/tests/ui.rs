//! What does not compile, and what the compiler says: one file per rule in `ui/`.
//!
//! The answers are those of Rust 1.95; another compiler may word or place them otherwise.
//! `TRYBUILD=overwrite cargo test --test ui` writes the answers anew; read them before they are kept.

use std::time::Instant;

#[test]
fn long_each_mistake_is_told_on_its_own_token() {
    let began = Instant::now();
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/*.rs");
    // Dropped, it compiles them.
    drop(cases);
    println!("compiled in {:.1} s", began.elapsed().as_secs_f32());
}
