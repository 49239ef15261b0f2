/// Segments of the route table, and what is like them.
const SEGMENTS: [&str; 40] = [
    "api",
    "api",
    "api",
    "menu",
    "menu",
    "users",
    "orders",
    "status",
    "kiosk",
    "admin",
    "admin",
    "files",
    "files",
    "caf%C3%A9",
    "two%20words",
    "a,b",
    "u1",
    "7",
    "x",
    "nowhere",
    "API",
    "Menu",
    "%61dmin",
    "adm%69n",
    "a%2Cb",
    "caf%c3%a9",
    "menu%20",
    "admin.",
    "menu;x",
    "..;x",
    ".",
    "..",
    "...",
    "%2e",
    "%2E%2e",
    ".%2e",
    "%252e%252e",
    "",
    "%00",
    "caf\u{e9}",
];

/// What stands between them.
const JOINTS: [&str; 16] =
    ["/", "/", "/", "/", "/", "/", "/", "/", "/../", "/./", "//", "%2F", "%2f", "%5C", "\\", "/%2e%2e/"];

/// What a character is replaced by, or what is put before it.
const ODD: [&str; 34] = [
    "%",
    "%2",
    "%zz",
    "%25",
    "%252F",
    "%2541",
    "%2F",
    "%5c",
    "%2e",
    "%3B",
    "%3F",
    "%23",
    "%20",
    "%09",
    "%0a",
    "%7F",
    "%C0%AF",
    "%E2%84%AA",
    "%FF",
    "%C3%89",
    ";",
    "?",
    "#",
    "+",
    ",",
    ":",
    "@",
    "|",
    "\"",
    "~",
    "\\",
    "..",
    "//",
    "\u{212a}",
];

/// Request targets that lead to the routes, or past them: the same ones for the same seed.
#[derive(Debug)]
pub(super) struct Targets {
    state: u64,
}

impl Targets {
    pub(super) fn of(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below the bound: Steele, Lea and Flood's SplitMix.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
            mixed = (mixed ^ (mixed >> shift)).wrapping_mul(factor);
        }
        let mixed = mixed ^ (mixed >> 31);
        usize::try_from(mixed % bound as u64).expect("below the bound")
    }

    fn one_of(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len())]
    }

    fn whole(&mut self) -> String {
        const WHOLE: [&str; 14] = [
            "/api/menu",
            "/api/menu/7",
            "/api/users/u1",
            "/api/orders/7/status",
            "/api/orders/7",
            "/api/orders",
            "/api/kiosk",
            "/admin",
            "/admin/x",
            "/files/x",
            "/caf%C3%A9",
            "/two%20words",
            "/a,b",
            "/",
        ];
        let mut target = self.one_of(&WHOLE).to_owned();
        if self.below(4) == 0 {
            target.insert_str(0, "/files/..");
        }
        target
    }

    fn joined(&mut self) -> String {
        let mut target = String::new();
        for _ in 0..=self.below(5) {
            target.push_str(self.one_of(&JOINTS));
            target.push_str(self.one_of(&SEGMENTS));
        }
        if !target.starts_with('/') {
            target.insert(0, '/');
        }
        target
    }

    /// One character is encoded, in the other case, replaced, or has something before it.
    fn disturb(&mut self, target: &mut String) {
        let places: Vec<(usize, char)> = target.char_indices().skip(1).collect();
        if places.is_empty() {
            return;
        }
        let (at, own) = places[self.below(places.len())];
        let other = match self.below(5) {
            0 => own.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
            1 if own.is_ascii_lowercase() => own.to_ascii_uppercase().to_string(),
            1 => own.to_ascii_lowercase().to_string(),
            2 => self.one_of(&ODD).to_owned(),
            3 => String::new(),
            _ => format!("{}{own}", self.one_of(&ODD)),
        };
        target.replace_range(at..at + own.len_utf8(), &other);
    }
}

impl Iterator for Targets {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut target = if self.below(2) == 0 { self.whole() } else { self.joined() };
        for _ in 0..self.below(3) {
            self.disturb(&mut target);
        }
        match self.below(12) {
            0 => target.push('/'),
            1 => target.push_str("?a=/../%2e;b"),
            2 => target.push_str(self.one_of(&ODD)),
            _ => {}
        }
        Some(target)
    }
}
