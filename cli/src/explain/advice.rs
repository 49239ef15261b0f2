//! What each refusal means and what would change it: one table, complete by the compiler's own check.

use bearward_core::Rejection;

/// What a refusal means, and who can do what about it.
pub(super) struct Advice {
    /// What happened, as a sentence.
    pub(super) happened: &'static str,
    /// What the client can do.
    pub(super) client: &'static str,
    /// What whoever writes the policy, or runs the issuer, can do.
    pub(super) operator: &'static str,
}

macro_rules! advice {
    ($($rejection:ident { $happened:literal $client:literal $operator:literal })+) => {
        impl Advice {
            /// The advice for a refusal.
            pub(super) const fn of(rejection: Rejection) -> Self {
                match rejection {
                    $(Rejection::$rejection => Self { happened: $happened, client: $client, operator: $operator },)+
                }
            }
        }
    };
}

advice! {
    TokenMissing {
        "The request came without a token, where one is needed."
        "send `Authorization: Bearer <token>`, or the token where the policy's `credentials` look for it"
        "nothing, if the path is meant to be protected; else a rule with `access: public`, or `optional`"
    }
    RequestMalformed {
        "The request line is none that could be judged: its method, authority or path is missing or malformed."
        "send a method in capital letters, one host, and a path that begins with `/`"
        "nothing; if many clients do it, look at what stands in front of Envoy and writes requests anew"
    }
    PathAmbiguous {
        "Two servers could read the path in two ways, and come to two rules."
        "send the path in its canonical form: no `//`, no dot segments, no needless percent-encoding, letters as the rules have them"
        "if every server behind reads it in one way, say which by `paths` (docs/policy.md); else nothing"
    }
    CredentialsAmbiguous {
        "The request held two tokens where one is looked for, so that nobody can say whose it is."
        "send one `Authorization` header, one cookie or one parameter of that name"
        "look for a proxy or a browser extension that adds a second one"
    }
    TokenTooLarge {
        "The token is longer than any that is looked at."
        "ask the issuer for a smaller token"
        "let the issuer put less into its tokens: group memberships are the usual cause"
    }
    TokenMalformed {
        "What was sent as a token is no signed JWT: an opaque token, an encrypted one, or something cut short."
        "send the access token as the issuer gave it, whole; `bearward token inspect` shows what it is"
        "some providers give out JWTs only where an audience is asked for; see the provider's settings for access tokens"
    }
    TypeNotAllowed {
        "The token is of another type than this issuer's access tokens: an ID token, perhaps."
        "send the access token, not the ID token"
        "compare `typ` of a token with the issuer's `token_types`"
    }
    AlgorithmNotAllowed {
        "The token is signed with an algorithm that this issuer's tokens must not have."
        "take a new token from the issuer that the API names"
        "compare `alg` of a token with the issuer's `algorithms`, and `alg` of its keys; add none that the issuer does not use"
    }
    KeyUnknown {
        "The token names a key that its issuer does not publish: an old token after a rotation, or one from another environment."
        "log in again for a new token"
        "compare `kid` of a token with the issuer's JWK Set; publish a key before tokens are signed with it, and keep it until the last of them has expired"
    }
    SignatureInvalid {
        "The signature does not fit the token: it was changed, cut, or signed with another key of the same name."
        "take a new token from the issuer that the API names"
        "if every token fails, the keys are another environment's, or the secret is not the issuer's"
    }
    ClaimsMalformed {
        "A claim that is needed is missing, or of another type than the standards have it."
        "take a new token from the issuer that the API names"
        "see the claims step of `bearward explain` for which; `claims` says where subject and roles stand, `accept_missing` lets `iss` and `aud` be absent"
    }
    IssuerMismatch {
        "The token is of an issuer that this rule does not trust."
        "log in with the provider that this API trusts"
        "compare `iss` of a token, byte by byte, with the issuer's `iss` (a slash at the end counts), and see which `issuers` policy and rule name"
    }
    AudienceMismatch {
        "The token is good, and meant for another API."
        "ask the issuer for a token for this API (its `audience`, `resource` or `scope`)"
        "compare `aud` of a token with the issuer's `audiences`"
    }
    TokenNotYetValid {
        "The token is valid from a later time on: the clocks of issuer and proxy differ."
        "wait a moment and try again"
        "set the clocks right; `leeway_seconds` allows for what is left"
    }
    TokenExpired {
        "The token has expired."
        "refresh it, or log in again"
        "if it happens early, compare the clocks of issuer and proxy"
    }
    TokenRevoked {
        "The token, or its session, was revoked: somebody logged out or changed a password."
        "log in again"
        "nothing: that is what a revocation is for"
    }
    SubjectGone {
        "The user was deleted or disabled."
        "nothing"
        "enable the user, if that was not meant"
    }
    RoleMissing {
        "The token is good, and its roles do not suffice for this rule."
        "ask for the role, then take a new token: an old one does not learn of it"
        "grant the role to the user, or change `require` of the rule; with several issuers see `role_prefix` and `granted_roles`"
    }
    ClaimMismatch {
        "The token is good, and a claim of it is not what this rule requires."
        "ask the issuer for a token with that scope, or use the resource that is one's own"
        "compare the claim with `require.claims` of the rule: types are never converted, `\"7\"` is not 7"
    }
    CsrfRejected {
        "The token came in a cookie, with a request from another site's page."
        "send the request from a page of an origin that the policy lists, or the token in a header"
        "add the origin of the front end to the cookie's `allowed_origins`, as browsers write it"
    }
    NoRule {
        "No rule names this method and path, and what none names is refused."
        "compare method and path with the API's documentation: letters count by case, and so does a slash at the end"
        "add a rule, if the path is meant to be reachable"
    }
    KeysUnavailable {
        "The keys to verify the token could not be had: nothing is wrong with the request."
        "try again in a moment"
        "see that the proxy reaches the JWK Set: the metrics `bearward_keys` and `bearward_key_fetches`, the cluster of `keys.remote`, and the proxy's log for why an answer was refused"
    }
    RevocationsUnavailable {
        "Nothing is known yet of what the issuer has revoked: nothing is wrong with the request."
        "try again in a moment"
        "see that the proxy reaches the feed: the cluster and the credential of `revocations`, and the proxy's log for why an answer was refused"
    }
    RevocationsStale {
        "What is known of revocations is too old to let anybody in: nothing is wrong with the request."
        "try again in a moment"
        "see that the proxy reaches the feed of revocations; `when_stale: allow` would let in whoever was not known to be revoked"
    }
    HostFailure {
        "The filter has no policy, or Envoy refused it something that it needs: nothing is wrong with the request."
        "try again in a moment"
        "run `bearward check` on the configuration, and see the proxy's log for lines of the filter"
    }
}
