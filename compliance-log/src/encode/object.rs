//! A JSON object of values of our own, for records that the log writes about itself.

use super::json;

/// Grows key by key; what is absent is left out, never null.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object(Vec<u8>);

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        json::string(&mut self.0, key);
        self.0.push(b':');
        &mut self.0
    }

    pub(crate) fn text(mut self, key: &str, value: impl AsRef<str>) -> Self {
        json::string(self.key(key), value.as_ref());
        self
    }

    pub(crate) fn text_if(self, key: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    pub(crate) fn number(mut self, key: &str, value: u64) -> Self {
        json::u64(self.key(key), value);
        self
    }

    pub(crate) fn number_if(self, key: &str, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self,
        }
    }

    pub(crate) fn signed(mut self, key: &str, value: i64) -> Self {
        json::i64(self.key(key), value);
        self
    }

    pub(crate) fn flag(mut self, key: &str, value: bool) -> Self {
        json::display(self.key(key), value);
        self
    }

    pub(crate) fn object_if(mut self, key: &str, value: Option<Self>) -> Self {
        if let Some(value) = value {
            let value = value.into_json();
            self.key(key).extend_from_slice(value.as_bytes());
        }
        self
    }

    pub(crate) fn list(mut self, key: &str, values: impl IntoIterator<Item = Self>) -> Self {
        let out = self.key(key);
        out.push(b'[');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(value.into_json().as_bytes());
        }
        out.push(b']');
        self
    }

    pub(crate) fn texts(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let out = self.key(key);
        out.push(b'[');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            json::string(out, value.as_ref());
        }
        out.push(b']');
        self
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The finished text.
    pub(crate) fn into_json(mut self) -> String {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.push(b'}');
        // Built of whole strings only.
        String::from_utf8(self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_nest_and_leave_out_what_is_absent() {
        let inner = Object::new().text("file", "a\"b").number("bytes", 7);
        let json = Object::new()
            .signed("delta_ms", -3)
            .text_if("why", None::<&str>)
            .object_if("torn", Some(inner.clone()))
            .list("lost", [inner.clone(), inner])
            .texts("added", ["x", "y"])
            .flag("resumed", true)
            .into_json();
        assert_eq!(
            json,
            r#"{"delta_ms":-3,"torn":{"file":"a\"b","bytes":7},"lost":[{"file":"a\"b","bytes":7},{"file":"a\"b","bytes":7}],"added":["x","y"],"resumed":true}"#
        );
        assert_eq!(Object::new().into_json(), "{}");
    }
}
