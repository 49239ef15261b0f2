//! What the document of a policy says, read by other code than the policy's compiler.

use serde_json::Value;

/// Headers that change, for some upstreams, what was judged.
pub const OVERRIDES: [&str; 9] = [
    "path-info",
    "script-name",
    "x-forwarded-prefix",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-script-name",
];
/// Headers that name another host, where that decides which policy applies.
const HOST_OVERRIDES: [&str; 6] = [
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-server",
    "x-host",
    "x-http-host-override",
    "x-original-host",
];
/// The identity headers where the document names none, each with where it comes from.
const USUAL: [(&str, &str); 3] =
    [("x-user-id", "subject"), ("x-user-issuer", "issuer"), ("x-user-roles", "roles")];
/// Where a token stands where the document says nothing.
const USUAL_SPOT: Spot<'static> = Spot::Header("authorization", Some("Bearer"));

/// Who gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, and no token is looked at. So it is for a preflight.
    Public,
    /// Everybody; a token that is there must be good.
    Optional,
    /// Whoever has a good token.
    Authenticated,
}

/// A rule and what stands around it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'d> {
    document: &'d Value,
    policy: &'d Value,
    /// `None`: it is a preflight.
    rule: Option<&'d Value>,
}

/// A place where a token may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot<'d> {
    /// The name of a header, and the scheme after which it stands there.
    Header(&'d str, Option<&'d str>),
    /// The name of a cookie.
    Cookie(&'d str),
    /// The name of a parameter of the query.
    Query(&'d str),
}

impl<'d> Place<'d> {
    /// The rule of a verdict.
    ///
    /// # Panics
    /// If the document has none of this name.
    #[must_use]
    pub fn named(document: &'d Value, (policy, rule): (&str, &str)) -> Self {
        let policy = named(&document["policies"], policy).expect("a policy of the document");
        let found = named(&policy["rules"], rule);
        let is_preflight = rule == "cors_preflight" && policy["cors_preflight"] == "allow";
        assert!(found.is_some() || is_preflight, "no rule `{rule}` in {policy}");
        Self { document, policy, rule: found }
    }

    /// Who gets through.
    ///
    /// # Panics
    /// If it says what nobody knows.
    #[must_use]
    pub fn access(&self) -> Access {
        match self.rule.map(|rule| rule["access"].as_str()) {
            None | Some(Some("public")) => Access::Public,
            Some(Some("optional")) => Access::Optional,
            Some(None | Some("authenticated")) => Access::Authenticated,
            Some(other) => panic!("access {other:?} in a compiled policy"),
        }
    }

    /// Whether a refusal is carried out: the closest says.
    #[must_use]
    pub fn enforces(&self) -> bool {
        self.closest("mode").is_none_or(|mode| mode != "observe")
    }

    /// Whose tokens count.
    #[must_use]
    pub fn issuers(&self) -> Vec<&'d str> {
        let of_rule = self.rule.and_then(|rule| rule["issuers"].as_array());
        let issuers = of_rule.or_else(|| self.policy["issuers"].as_array());
        issuers.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Where a token counts.
    #[must_use]
    pub fn spots(&self) -> Vec<Spot<'d>> {
        self.credentials().map_or_else(|| vec![USUAL_SPOT], spots)
    }

    /// Whose pages may use a cookie.
    #[must_use]
    pub fn origins(&self, cookie: &str) -> Vec<&'d str> {
        let named = self.credentials().and_then(|list| items(list).find(|entry| entry["cookie"] == cookie));
        named.map_or_else(Vec::new, |entry| {
            items(&entry["allowed_origins"]).filter_map(Value::as_str).collect()
        })
    }

    /// What else must be so; `null` where nothing must.
    #[must_use]
    pub fn requirement(&self) -> &'d Value {
        self.rule.map_or(&Value::Null, |rule| &rule["require"])
    }

    fn credentials(&self) -> Option<&'d Value> {
        self.policy.get("credentials").or_else(|| self.document.get("credentials"))
    }

    fn closest(&self, field: &str) -> Option<&'d Value> {
        let of_rule = self.rule.and_then(|rule| rule.get(field));
        of_rule.or_else(|| self.policy.get(field)).or_else(|| self.document.get(field))
    }
}

/// Every place of the document where a token may stand.
#[must_use]
pub fn all_spots(document: &Value) -> Vec<Spot<'_>> {
    let of_policies = items(&document["policies"]).filter_map(|policy| policy.get("credentials"));
    let of_document = document.get("credentials");
    let mut all: Vec<_> = of_document.map_or_else(|| vec![USUAL_SPOT], spots);
    all.extend(of_policies.flat_map(spots));
    all
}

/// The identity headers, in lower case, each with where it comes from: a word, or a path to a claim.
#[must_use]
pub fn identity(document: &Value) -> Vec<(String, Value)> {
    match document["forward"]["headers"].as_object() {
        None => USUAL.map(|(name, from)| (name.to_owned(), from.into())).into(),
        Some(headers) => headers
            .iter()
            .map(|(name, source)| {
                let source = source.get("from").unwrap_or(&source["claim"]);
                (name.to_ascii_lowercase().replace('_', "-"), source.clone())
            })
            .collect(),
    }
}

/// Whether the client may not send this header, in any spelling.
#[must_use]
pub fn is_ours(document: &Value, name: &[u8]) -> bool {
    let is = |other: &str| folded(name) == folded(other.as_bytes());
    let is_kept = |other: &&str| items(&document["forward"]["keep"]).any(|kept| kept == other);
    let hosts = items(&document["policies"]).flat_map(|policy| items(&policy["hosts"]).collect::<Vec<_>>());
    let names_hosts = hosts.into_iter().any(|host| host != "*");
    let of_host = HOST_OVERRIDES.iter().filter(|_| names_hosts);
    identity(document).iter().any(|(own, _)| is(own))
        || USUAL.iter().any(|(own, _)| is(own))
        || OVERRIDES.iter().chain(of_host).filter(|other| !is_kept(other)).any(|other| is(other))
}

/// Whether no token goes on to the upstream.
#[must_use]
pub fn removes_tokens(document: &Value) -> bool {
    document["forward"]["token"] == "remove"
}

/// The documents that are stricter by what observes no more: by all of it, and by each. None where nothing observes.
#[must_use]
pub fn stricter(document: &Value) -> Vec<Value> {
    let mut places = vec![String::new()];
    for (index, policy) in items(&document["policies"]).enumerate() {
        places.push(format!("/policies/{index}"));
        let rules = items(&policy["rules"]).enumerate();
        places.extend(rules.map(|(rule, _)| format!("/policies/{index}/rules/{rule}")));
    }
    places.retain(|place| document.pointer(place).is_some_and(|found| found["mode"] == "observe"));
    let enforcing = |places: &[String]| {
        let mut changed = document.clone();
        for place in places {
            changed.pointer_mut(place).expect("it was there")["mode"] = "enforce".into();
        }
        changed
    };
    let each = places.iter().map(|place| enforcing(std::slice::from_ref(place)));
    let mut all: Vec<_> = each.collect();
    if places.len() > 1 {
        all.push(enforcing(&places));
    }
    all
}

/// Letters and digits as they are, all else as `-`.
#[must_use]
pub fn folded(name: &[u8]) -> Vec<u8> {
    let fold = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    name.iter().map(fold).collect()
}

/// The items of a list; none where there is no list.
pub fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn named<'d>(list: &'d Value, name: &str) -> Option<&'d Value> {
    items(list).find(|entry| entry["name"] == name)
}

fn spots(list: &Value) -> Vec<Spot<'_>> {
    items(list).filter_map(spot).collect()
}

fn spot(entry: &Value) -> Option<Spot<'_>> {
    let text = |field: &str| entry[field].as_str();
    let header = text("header").map(|name| Spot::Header(name, text("scheme")));
    header.or_else(|| text("cookie").map(Spot::Cookie)).or_else(|| text("query").map(Spot::Query))
}
