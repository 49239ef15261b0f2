use super::Known;
use crate::client::Request;
use crate::token::{self, Key};
use serde_json::json;

/// What a step says of itself in `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing, or what stands in the request already.
    None,
    /// The customer's token.
    Customer,
    /// The same, after `bearer` in lower case.
    CustomerInLowerCase,
    /// The administrator's token.
    Admin,
    /// The token of this device.
    Device(&'static str),
    /// The customer's token, its role changed to `admin`.
    TamperedRole,
    /// The customer's claims and `kid` under another key.
    AnotherKey,
    /// The customer's claims with `alg: none`.
    Unsigned,
    /// The customer's claims, expired an hour ago, under the issuer's own key.
    Expired,
}

/// A seed that no issuer has made.
const ANOTHER_SEED: [u8; 32] = [7; 32];

impl Credentials {
    /// Adds them to a request.
    pub(super) fn present(self, request: Request, known: &Known<'_>) -> Result<Request, String> {
        if self == Self::None {
            return Ok(request);
        }
        if let Self::Device(name) = self {
            let token = known.value_of(&format!("{name}/token")).ok_or("an earlier step failed")?;
            return Ok(request.bearer(&token));
        }
        let account = if self == Self::Admin { &known.admin } else { &known.customer };
        let token = &account.as_ref().ok_or("nobody has logged in: an earlier step failed")?.token;
        let token = match self {
            Self::CustomerInLowerCase => {
                return Ok(request.header("authorization", format!("bearer {token}")));
            }
            Self::TamperedRole => token::tampered(token, |claims| claims["roles"] = json!(["admin"])),
            Self::AnotherKey => token::forged(token, &Key::Ed25519(ANOTHER_SEED), |_, _| {}),
            Self::Unsigned => token::forged(token, &Key::None, |header, _| header["alg"] = json!("none")),
            Self::Expired => {
                let (kid, key) = known.signing_key()?;
                token::forged(token, &key, |header, claims| {
                    header["kid"] = json!(kid);
                    claims["iat"] = json!(token::now() - 7200);
                    claims["exp"] = json!(token::now() - 3600);
                })
            }
            Self::None | Self::Customer | Self::Admin | Self::Device(_) => token.clone(),
        };
        Ok(request.bearer(&token))
    }
}
