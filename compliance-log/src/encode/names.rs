//! Which field names are harmless, remembered per thread: looking one up costs more than writing
//! the field does.

const SLOTS: usize = 512;

/// A direct-mapped cache of names that the policy lets pass. Names live as long as the program, so
/// their address identifies them.
pub(super) struct NameCache {
    policy: u64,
    slots: Box<[(usize, usize)]>,
}

impl Default for NameCache {
    fn default() -> Self {
        Self {
            policy: 0,
            slots: vec![(0, 0); SLOTS].into(),
        }
    }
}

impl NameCache {
    /// Forgets what was known under another policy.
    pub(super) fn under(&mut self, policy: u64) {
        if self.policy != policy {
            self.policy = policy;
            self.slots.fill((0, 0));
        }
    }

    /// Whether `name` is known to pass; asks `passes` the first time.
    pub(super) fn passes(&mut self, name: &'static str, passes: impl FnOnce() -> bool) -> bool {
        let key = (name.as_ptr().addr(), name.len());
        let slot = &mut self.slots[(key.0 ^ key.0 >> 9 ^ key.1) % SLOTS];
        if *slot == key {
            return true;
        }
        let clean = passes();
        if clean {
            *slot = key;
        }
        clean
    }
}
