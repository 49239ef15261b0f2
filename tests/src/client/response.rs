use serde_json::Value;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, unpacked from its chunks.
    pub body: Vec<u8>,
}

impl Response {
    /// The one value of a header, as text.
    ///
    /// # Panics
    /// If it stands there twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value);
        let value = values.next().map(|value| String::from_utf8_lossy(value).into_owned());
        assert!(values.next().is_none(), "the header {name} stands there twice");
        value
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The member of the body that people read: `error`.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        self.json()["error"].as_str().map(str::to_owned)
    }

    /// The member of the body that programs read: the reason of a rejection, `code`.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        self.json()["code"].as_str().map(str::to_owned)
    }

    /// The challenge: `WWW-Authenticate`.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        self.header("www-authenticate")
    }
}
