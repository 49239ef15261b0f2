//! What tests of the feed share: an issuer that answers.
