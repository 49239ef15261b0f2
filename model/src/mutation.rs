//! The protocol broken on purpose: each way with the world in which it shows, and the property that it breaks.

use crate::property::{
    APPLIED, FORK_NOTICED, FRESH, HONEST, NO_GAP, NO_NEEDLESS_SNAPSHOT, NO_VOID_GRANT, ONWARD, RECOVERS,
    SIGNED,
};
use crate::world::World;
use crate::worlds::{
    EXPIRY, FORKS, FRESHNESS, INTRUDED, LEASE, MISLED, NUMBERING, PAGES, RENEWAL, REPLICAS, RESTORES,
    ROTATION, SHARING, UNNOTICED, WRITING,
};

/// One way to break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// Records are held against `iat` instead of versions.
    RecordsCompareClocks,
    /// A session is opened although hash or version changed while the password was verified.
    LoginUnchecked,
    /// A disabled user keeps the version, and has no record.
    DisableWithoutVersion,
    /// `gone` refuses every token of the user.
    GoneRefusesAll,
    /// The number comes first, from a sequence that nobody waits for.
    NumberOutsideOfTransaction,
    /// The number comes first, under the head's lock until COMMIT.
    NumberFirst,
    /// A position is its sequence and nothing else.
    BareSequence,
    /// Another system identifier or timeline raises nothing.
    GenerationNotRaised,
    /// The generation is the stored one and one more.
    GenerationByCounting,
    /// The epoch is the stored one and one more.
    EpochByCounting,
    /// An epoch record ends by the tokens that the database remembers.
    EpochEndsByKnownTokens,
    /// A subject record counts for tokens of later epochs, too.
    SubjectsWithoutEpoch,
    /// A session of before a fork may be refreshed.
    SessionsOutliveForks,
    /// A snapshot replaces what is held.
    SnapshotReplaces,
    /// A replica that has not read the primary answers with the time of day.
    BlindHeartbeat,
    /// The head is read first, the time second.
    AsOfAfterHead,
    /// An answer is taken whose `as_of` is older than the one held.
    AsOfGoesBack,
    /// 409 out of memory, without asking the primary.
    ConflictFromMemory,
    /// The pages of a snapshot are counted, not continued after a sequence.
    PagesByNumber,
    /// A page of another head continues a snapshot.
    PagesOfAnyHead,
    /// A snapshot is as fresh as its last page.
    AsOfOfLastPage,
    /// The first page of a snapshot is had for every position, also for one that is not the head any more.
    FirstPageOfAnyHead,
    /// A snapshot that was fetched beside the deltas is written over whatever stands there.
    RenewalGoesBack,
    /// A claim of the lease always succeeds, as with `cas = 0`.
    UnconditionalClaim,
    /// A leader writes a snapshot over a newer one.
    SharedGoesBack,
    /// A leader that finds an older chain in shared data than its own waits for a newer one.
    OlderChainKept,
    /// Bytes out of shared data are believed as they are.
    SharedBytesBelieved,
    /// A VM that was loaded anew answers before it has restored anything.
    AnswersBeforeRestore,
    /// A key of the tokens verifies the feed.
    FeedByTokenKeys,
    /// Keys of the feed are taken out of shared data.
    KeysOfSharedDataBelieved,
    /// A record ends by the life that tokens have now.
    EndsByCurrentLife,
    /// A record ends as soon as its tokens do by the issuer's clock.
    NoMargin,
    /// The filter forgets a record when its tokens expire, leeway or not.
    ForgottenAtExpiry,
    /// The record of a key ends with the tokens that the issuer signed by it.
    KeyRecordsEnd,
    /// Nothing is broken, but another plugin puts back what stood in shared data before.
    SharedDataPutBack,
    /// Nothing is broken, but a primary that was replaced still answers a replica.
    DeposedPrimaryAnswers,
}

/// Where an idea comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The design warns of it.
    Warned,
    /// The design says it or leaves it open, and the model found that it does not hold.
    Hole,
    /// The protocol rests on its absence: nothing in it can help.
    Assumption,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is broken.
    pub mutation: Mutation,
    /// Who thought of it.
    pub origin: Origin,
    /// Where it shows.
    pub world: World,
    /// What then does not hold. `None`: it is harmless in this world, all of it explored.
    pub breaks: Option<&'static str>,
}

const fn case(mutation: Mutation, origin: Origin, world: World, breaks: Option<&'static str>) -> Case {
    Case { mutation, origin, world, breaks }
}

use Mutation as M;
use Origin::{Assumption, Hole, Warned};

/// Every mutation, some of them in several worlds.
pub const CASES: &[Case] = &[
    case(M::RecordsCompareClocks, Warned, WRITING, Some(HONEST)),
    case(M::RecordsCompareClocks, Warned, EXPIRY, Some(APPLIED)),
    case(M::LoginUnchecked, Warned, WRITING, Some(NO_VOID_GRANT)),
    case(M::LoginUnchecked, Warned, WRITING, Some(APPLIED)),
    case(M::DisableWithoutVersion, Warned, WRITING, Some(FRESH)),
    case(M::GoneRefusesAll, Warned, WRITING, Some(HONEST)),
    case(M::NumberOutsideOfTransaction, Warned, NUMBERING, Some(NO_GAP)),
    case(M::NumberOutsideOfTransaction, Warned, NUMBERING, Some(FRESH)),
    case(M::NumberFirst, Warned, NUMBERING, None),
    case(M::BareSequence, Warned, FORKS, Some(NO_GAP)),
    case(M::BareSequence, Warned, FORKS, Some(FRESH)),
    case(M::GenerationNotRaised, Warned, FORKS, Some(FRESH)),
    case(M::GenerationByCounting, Hole, RESTORES, None),
    case(M::EpochByCounting, Hole, RESTORES, Some(FRESH)),
    case(M::EpochByCounting, Hole, RESTORES, Some(HONEST)),
    case(M::EpochEndsByKnownTokens, Hole, RESTORES, Some(FRESH)),
    case(M::SubjectsWithoutEpoch, Hole, FORKS, Some(HONEST)),
    case(M::SessionsOutliveForks, Hole, RESTORES, Some(NO_VOID_GRANT)),
    case(M::SnapshotReplaces, Warned, UNNOTICED, Some(APPLIED)),
    case(M::BlindHeartbeat, Warned, FRESHNESS, Some(FRESH)),
    case(M::BlindHeartbeat, Warned, REPLICAS, Some(FORK_NOTICED)),
    case(M::AsOfAfterHead, Warned, FRESHNESS, Some(FRESH)),
    case(M::AsOfGoesBack, Warned, FRESHNESS, Some(ONWARD)),
    case(M::ConflictFromMemory, Hole, REPLICAS, Some(NO_NEEDLESS_SNAPSHOT)),
    case(M::PagesByNumber, Hole, PAGES, Some(NO_GAP)),
    case(M::PagesOfAnyHead, Warned, PAGES, Some(NO_GAP)),
    case(M::AsOfOfLastPage, Hole, PAGES, Some(FRESH)),
    case(M::FirstPageOfAnyHead, Hole, MISLED, Some(FRESH)),
    case(M::RenewalGoesBack, Hole, RENEWAL, Some(APPLIED)),
    case(M::UnconditionalClaim, Warned, LEASE, None),
    case(M::SharedGoesBack, Hole, LEASE, Some(APPLIED)),
    case(M::SharedBytesBelieved, Warned, SHARING, Some(SIGNED)),
    case(M::SharedBytesBelieved, Warned, SHARING, Some(FRESH)),
    case(M::AnswersBeforeRestore, Warned, LEASE, Some(APPLIED)),
    case(M::AnswersBeforeRestore, Warned, ROTATION, Some(APPLIED)),
    case(M::FeedByTokenKeys, Warned, SHARING, Some(SIGNED)),
    case(M::KeysOfSharedDataBelieved, Hole, INTRUDED, Some(SIGNED)),
    case(M::OlderChainKept, Hole, INTRUDED, Some(RECOVERS)),
    case(M::SharedDataPutBack, Assumption, INTRUDED, Some(APPLIED)),
    case(M::DeposedPrimaryAnswers, Assumption, REPLICAS, Some(FORK_NOTICED)),
    case(M::EndsByCurrentLife, Warned, EXPIRY, Some(APPLIED)),
    case(M::NoMargin, Warned, EXPIRY, Some(FRESH)),
    case(M::ForgottenAtExpiry, Warned, EXPIRY, Some(APPLIED)),
    case(M::KeyRecordsEnd, Hole, EXPIRY, Some(APPLIED)),
];
