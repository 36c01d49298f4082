//! Which field names are harmless, remembered per thread: looking one up costs more than writing
//! the field does.

const SETS: usize = 128;
/// So many names may fall into one set before they push each other out.
const WAYS: usize = 4;

/// Address and length of a name. Names live as long as the program, so these identify one.
type Key = (usize, usize);

/// A cache of names that the policy lets pass.
pub(super) struct NameCache {
    policy: u64,
    sets: Box<[[Key; WAYS]]>,
}

impl Default for NameCache {
    fn default() -> Self {
        Self {
            policy: 0,
            sets: vec![[(0, 0); WAYS]; SETS].into(),
        }
    }
}

impl NameCache {
    /// Forgets what was known under another policy.
    pub(super) fn under(&mut self, policy: u64) {
        if self.policy != policy {
            self.policy = policy;
            self.sets.fill([(0, 0); WAYS]);
        }
    }

    /// Whether `name` is known to pass; asks `passes` the first time.
    pub(super) fn passes(&mut self, name: &'static str, passes: impl FnOnce() -> bool) -> bool {
        let key = (name.as_ptr().addr(), name.len());
        let set = &mut self.sets[(key.0 ^ key.0 >> 7 ^ key.1) % SETS];
        if set.contains(&key) {
            return true;
        }
        let clean = passes();
        if clean {
            // The newest stands first; the oldest goes.
            set.rotate_right(1);
            set[0] = key;
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_set_do_not_push_each_other_out() {
        // So long that from each of its first bytes a name of this set begins, wherever it lies.
        let text: &'static str = "n".repeat(2 * SETS).leak();
        let mut cache = NameCache::default();
        let set =
            |name: &str| (name.as_ptr().addr() ^ name.as_ptr().addr() >> 7 ^ name.len()) % SETS;
        let names: Vec<&'static str> = (0..text.len())
            .flat_map(|from| (from + 1..=text.len()).map(move |to| &text[from..to]))
            .filter(|name| set(name) == set(text))
            .take(WAYS)
            .collect();
        assert_eq!(names.len(), WAYS);
        for asked in [true, false, false] {
            for name in &names {
                let mut was_asked = false;
                assert!(cache.passes(name, || {
                    was_asked = true;
                    true
                }));
                assert_eq!(was_asked, asked, "{name}");
            }
        }
    }
}
