//! Named bounds on everything that crosses from one side to the other.
//!
//! A bound that the issuer keeps when it writes is the bound that the filter enforces when it reads.

/// The longest token that is looked at, in bytes of its compact serialization.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The greatest leeway for clock skew that an issuer may be given, in seconds.
///
/// A revocation record must outlive every token that it concerns by this much.
pub const MAX_LEEWAY_SECONDS: u64 = 300;

/// The greatest NumericDate (RFC 7519 section 2) that is accepted: 2^53, the last integer that every JSON
/// implementation represents exactly.
pub const MAX_NUMERIC_DATE: u64 = 1 << 53;

/// The largest JWK Set that is fetched, published or configured, in bytes.
pub const MAX_JWK_SET_BYTES: usize = 256 * 1024;

/// The most keys that a JWK Set may hold.
pub const MAX_KEYS: usize = 64;

/// The longest `kid`, in bytes (RFC 7515 section 4.1.4 sets none).
pub const MAX_KEY_ID_BYTES: usize = 128;

/// The smallest modulus of an RSA key, in bits (RFC 7518 section 3.3).
pub const MIN_RSA_MODULUS_BITS: usize = 2048;

/// The largest modulus of an RSA key, in bits: with four times as many bits a signature takes sixteen times as long.
pub const MAX_RSA_MODULUS_BITS: usize = 8192;

/// The smallest exponent of an RSA key: with 1 every text would be its own signature, and none may be even.
pub const MIN_RSA_EXPONENT: u64 = 3;

/// The greatest exponent of an RSA key: one of 33 bits, the bound of BoringSSL, too, so that the filter and its host
/// take the same keys. A larger one only costs time.
pub const MAX_RSA_EXPONENT: u64 = (1 << 33) - 1;

/// The longest subject identifier, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 256;

/// The most roles that one token may carry.
pub const MAX_ROLES: usize = 64;

/// The longest role, in bytes.
pub const MAX_ROLE_BYTES: usize = 128;

/// The deepest nesting of JSON in a token or a JWK Set.
pub const MAX_JSON_DEPTH: usize = 16;
