//! The README shows the service that the documentation's tests run.

#[test]
fn the_readme_shows_the_service_as_it_is_tested() {
    let readme = include_str!("../../README.md");
    let service = include_str!("../../docs/service.rs");
    assert!(readme.contains(&format!("```rust,no_run\n{service}```")));
}
