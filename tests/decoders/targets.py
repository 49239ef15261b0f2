"""The request targets that every server is asked for: what is special, in every place where it may stand."""

# What stands for one path in the eyes of one server, and for another in those of another.
TOKENS = [
    # Characters that are reserved (RFC 3986 section 2.2), as they are and encoded.
    *"!$&'()*+,:=@;",
    *(f"%{ord(character):02X}" for character in "!$&'()*+,:=@;?#[]/\\%"),
    # Such as ought to be encoded, as they are and encoded.
    *'"<>^`{|}\\',
    *(f"%{ord(character):02X}" for character in '"<>^`{|}'),
    # Unreserved ones, encoded; `%6D` is `m`.
    "%2E", "%2e", "%2D", "%5F", "%7E", "%41", "%61", "%6D",
    # Control characters, spaces.
    "%00", "%01", "%08", "%09", "%0A", "%0D", "%0B", "%0C", "%1F", "%20", "%7F", "%0d%0a",
    # Encoded twice, three times; no encoding; that of IIS; an HTML entity.
    "%252F", "%252e", "%25%32%46", "%25252F", "%2541", "%25", "%", "%2", "%zz", "%2G", "%u002F", "%u2215", "&#47;",
    # Overlong forms, halves of characters, surrogates, bytes of Latin-1.
    "%C0%AF", "%c0%ae", "%E0%80%AF", "%F0%80%80%AF", "%C0%80", "%C3", "%A9", "%FF", "%ED%A0%80", "%F4%90%80%80", "%E9",
    # What looks like something else: fullwidth, fraction and division slashes, dots, no-break and invisible spaces.
    "%EF%BC%8F", "%EF%BC%8E", "%EF%BC%85", "%E2%88%95", "%E2%81%84", "%E2%80%A4", "%E3%80%82", "%C2%A0", "%E2%80%8B",
    "%EF%BB%BF", "%E2%80%AE", "%E3%80%80", "%E2%80%A8", "%C2%85",
    # Parameters.
    ";x", ";x=/", ";jsessionid=1", "%3Bx", ";", ";/", ";%2F",
    # Names as file systems and handlers know them.
    ".", "..", "...", ".json", ".html", "~", "~1", "::$DATA", "%20.", ".%20", "+",
    # Slashes and steps.
    "/", "//", "/.", "/..", "/./", "/../", "/%2e", "/%2e%2e", "/.%2e", "/%2e%2e/", "/;x", "/.;x", "/..;x", "/..;/",
    "%2F", "%2F..", "%2F%2E%2E%2F", "%5C", "%5C..", "\\..", "/ ", "/%20", "/%20/", "/%00", "/%09",
    # The end of a path.
    "?", "?x", "?/../", "#", "#x", "%3F", "%23", "?%2e%2e", "\t", " ", "\x01", "\x7f", "\xa0", "\xc3\xa9", "\xe9", "\x00", "\x0b",
]

# Every route, and what leads to another one when it is read otherwise.
AFTER = ["/api/menu", "/api/menu/7", "/api/orders/7/status"]
INSIDE = [("/api", "menu"), ("/api/m", "nu"), ("/api/menu", "7"), ("/admin", "x"), ("/api/users/u", "1")]
BEFORE = ["/admin/x"]

# Tokens that are tried inside, where only what concerns slashes, dots and parameters matters.
SEPARATORS = [
    "/", "//", "///", "/./", "/../", "/.//", "/;/", "/;x/", "/.;/", "/..;/", "/..;x/", "/%2e/", "/%2E%2e/", "/.%2e/", "/%20/",
    "/.%20/", "/..%20/", "/ /", "/.../", "/~/", "%2F", "%2f", "/%2F", "%2F/", "%2F%2F", "%252F", "%5C", "\\", "/\\", "%C0%AF",
    "%E2%88%95", "%EF%BC%8F", "/%00/", "/%0A/", ";/", ";x/", "./", ".%2F", "..%2F", "/..%2F", "/%2e%2e%2F", "/..%5C", "/..\\",
    "/%252e%252e/", "/%c0%ae%c0%ae/", "%3B/", "?/", "#/", "%23/", "%3F/", "%00/", "%20/", "%65", "%E9", "+", "-", "",
]

# One by one: letters, Unicode's own among them, every literal in every spelling, steps from one route into another.
SINGLE = """
/ // /// /. /.. /./ /../ /api /api/ /API /nowhere /nowhere/ /api/nowhere * api/menu
http://api.test/api/menu http://api.test/admin/x HTTP://API.TEST/admin http://api.test http://api.test/ https://api.test/admin
http://user@api.test/admin http://other.test/admin //api.test/admin ///admin //admin/x http:/admin http:admin ftp://api.test/admin
/API/MENU /Api/Menu /api/Menu /api/MENU/7 /api/menu/7/ /api/Menu/7/ /ADMIN /Admin/x /admin /admin/ /admin// /admin/x/ /ADMIN/
/api/orders /api/orders/ /api/Orders /api/orders/7 /api/orders/7/ /api/orders/7/status /api/orders/7/status/ /api/orders/7/Status
/api/orders/7/STATUS/ /api/orders//status /api/orders/7//status /api/orders/7/x/../status /api/orders/7/status/x
/api/kiosk /api/kiosk/ /api/KIOSK /api/%E2%84%AAiosk /api/kio%C5%BFk /api/k%C4%B0osk /api/k%C4%B1osk /api/%EF%BD%8Biosk
/api/kios%6B /api/kiosk%CC%81 /api/or%64ers /api/u%C5%BFers/u1 /api/u%73ers/u1
/caf%C3%A9 /caf%c3%a9 /caf%C3%A9/ /caf%C3%89 /caf%c3%89 /CAF%C3%A9 /CAF%C3%89 /cafe%CC%81 /caf%E9 /caf%C3%83%C2%A9 /caf%25C3%25A9
/two%20words /two%20Words /two%20words/ /two+words /two%2520words /two%20%20words /two%09words /two%C2%A0words /two%E3%80%80words
/a,b /a%2Cb /a%2cb /A,b /a%2Cb/ /a,b/ /a%252Cb /a%EF%BC%8Cb
/files /files/ /files/x /Files/x /files/../admin /files/../admin/x /files/%2e%2e/admin/x /files/..;/admin/x /files/..%2Fadmin/x
/files/x/../../admin/x /files/./../admin /files//../admin/x /files/..%5Cadmin%5Cx /files\\..\\admin /files/..%252Fadmin/x
/files/x;/../../admin /files;x/admin /files/;/admin /files/.;/admin /files/..;x=y/admin /files/%252e%252e/admin /files/..%00/admin
/files/..%20/admin /files/.../admin /files/....//admin /files/%c0%ae%c0%ae/admin /files/%uff0e%uff0e/admin /files/%EF%BC%8E%EF%BC%8E/admin
/files/..?/admin /files/..#/admin /files?/../admin /files#/../admin /files%3F/../admin /files%23/../admin /files%2F..%2Fadmin
/admin/../files/x /admin/..%2Ffiles /admin/..;/files /api/menu/../../admin /api/menu/..%2F..%2Fadmin /api/menu/7/../../../admin/x
/api/menu/%2e%2e/orders /api/menu/..;/orders /api/menu;/7 /api/menu;x/7 /api/menu/7;x /api/menu/;7 /api/menu/%3B7 /api/;/menu /;/admin
/;x/admin/x /;admin /admin;x /admin;/x /admin;x/x /admin/;x /admin%3Bx /admin%3B/x /%3B/admin /.;/admin /..;/admin /%2e/admin
/./admin /../admin /x/../admin /x/%2e%2e/admin /%2F/admin /%2Fadmin /%5Cadmin /\\admin /admin\\x /admin%5Cx /admin%2Fx /admin%2f /admin%2F%2Fx
/admin%00 /admin%00/x /admin%20 /admin%20/x /admin. /admin./x /admin.. /admin%2E /admin%09 /admin%0A /admin%0D%0A /admin%23 /admin%3F
/admin%3Fx /admin? /admin?x /admin#x /admin.json /admin.html /admin/x.json /admin%C2%A0 /admin%E2%80%8B /%61dmin /%61%64%6D%69%6E
/adm%69n/x /%41dmin /%2561dmin /%u0061dmin /%EF%BD%81dmin /admin%C0%80 /admin%C0%AFx /admin%E2%88%95x /admin%EF%BC%8Fx /admin+ /+admin
/ad%0Amin /ad%00min /a%64min%2Fx /admin%252Fx /admin%25%32%46x /admin%25252Fx /adminx /admin-x /admin:x /admin@x /admin,x /admin=x /admin&x
/api/users/u1 /api/users/u1/ /api/users/U1 /api/users/u%31 /api/users/u1%20 /api/users/%20u1 /api/users/u1%2F /api/users/u1%2Fu2
/api/users/u2%2F..%2Fu1 /api/users/u1%00 /api/users/u1%00u2 /api/users/u1;x /api/users/u1;u2 /api/users/;u1 /api/users/u1%3Bx
/api/users/u1%3Fx /api/users/u1%23x /api/users/u1%252F /api/users/u1%25 /api/users/u1+u2 /api/users/u1%2Bu2 /api/users/u1%C3%A9
/api/users/u1%C3%89 /api/users/u1e%CC%81 /api/users/u1. /api/users/u1%E2%80%8B /api/users/u1%5Cu2 /api/users/a%2Cb /api/users/a,b
/api/users/a%40b /api/users/a@b /api/users/a%3Ab /api/users/a:b /api/users/a%26b /api/users/a%3Db /api/users/a%24b /api/users/a%27b
/api/users/a%22b /api/users/%7Bid%7D /api/users/:id /api/users/%3Aid /api/users/* /api/users/%2A /api/users/** /api/users/a%7Cb
/api/users/.. /api/users/%2e%2e /api/users/. /api/users/... /api/users/~ /api/users/u1/../u2 /api/users/u2/../u1
""".split()


def targets():
    """Each once, as text whose characters are the bytes."""
    made = list(SINGLE)
    made += ["/api/menu/" + "a" * 1000, "/api" + "/." * 200 + "/menu", "/x" * 200 + "/.." * 200 + "/admin"]
    made += [base + token for base in AFTER for token in TOKENS]
    made += [f"/{token}{base[1:]}" for base in BEFORE for token in TOKENS if not token.startswith("/")]
    made += [before + token + after for before, after in INSIDE for token in SEPARATORS]
    made += ["/a" + token + "b" for token in TOKENS]
    # As they are forwarded where encoded unreserved characters are replaced.
    made += [replaced(target) for target in made]
    return list(dict.fromkeys(target for target in made if target and "\n" not in target and "\r" not in target))


def replaced(target):
    """RFC 3986 section 6.2.2.2, once, before the query."""
    path, mark, query = target.partition("?")
    done, rest = "", path
    while rest:
        digits = rest[1:3]
        if rest[0] == "%" and len(digits) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
            byte = chr(int(digits, 16))
            if byte.isascii() and (byte.isalnum() or byte in "-._~"):
                done, rest = done + byte, rest[3:]
                continue
        done, rest = done + rest[0], rest[1:]
    return done + mark + query


if __name__ == "__main__":
    print(len(targets()))
