//! stub
use crate::chain::Digest;
#[derive(Debug)]
pub struct Policy {
    d: Digest,
}
pub(crate) struct Hit<'p> {
    pub(crate) rule: &'p str,
    pub(crate) effect: Effect,
}
#[derive(Clone, Copy)]
pub(crate) enum Effect {
    Drop,
    Mask,
}
impl Effect {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mask => "mask",
        }
    }
}
impl Policy {
    pub fn builtin() -> Self {
        Self { d: Digest::of(b"") }
    }
    pub fn document(&self) -> &str {
        ""
    }
    pub fn digest(&self) -> Digest {
        self.d
    }
    pub fn short(&self) -> &str {
        "e3b0c442"
    }
    pub fn rules(&self) -> impl Iterator<Item = (&str, Digest)> {
        [].into_iter()
    }
    pub(crate) fn name(&self, _n: &str) -> Option<Hit<'_>> {
        None
    }
    pub(crate) fn suspicious(&self, _e: &[u8]) -> bool {
        false
    }
    pub(crate) fn suspicious_value(&self, _e: &[u8]) -> bool {
        false
    }
    pub(crate) fn redact(&self, _t: &str, _o: &mut String, _f: &mut dyn FnMut(Hit<'_>)) -> bool {
        false
    }
}
