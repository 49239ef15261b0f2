//! The worlds that are explored, each small enough for every order of its events.

use crate::property::{APPLIED, NO_VOID_GRANT, ONWARD};
use crate::world::{Act, Hostile, World};

/// One user, one replica, one VM; nothing happens but a login.
const QUIET: World = World {
    name: "quiet",
    users: 1,
    replicas: 1,
    vms: 1,
    ticks: 1,
    life: 3,
    lowers_life: false,
    logins: 1,
    refreshes: 0,
    acts: &[],
    causes: 0,
    statements: false,
    copies: 0,
    takeovers: 0,
    unnoticed_restore: false,
    split_reads: false,
    remembers: false,
    late_answers: 0,
    repeats: 0,
    page_size: 9,
    renews: false,
    misled: 0,
    reloads: 0,
    shares: false,
    hostile: &[],
    hostile_acts: 0,
    rotations: 0,
    forgeries: 0,
    purges: 0,
    behind: 0,
    shows: &[],
    gives_up: &[],
    mutation: None,
};

/// Statements of logins, refreshes and causes, in every order.
pub const WRITING: World = World {
    name: "writing",
    shows: &[
        "a token is refused by an applied record",
        "an honest token is accepted after a cause",
        "a login is too late",
    ],
    logins: 2,
    refreshes: 1,
    acts: &[
        Act::Logout,
        Act::ChangePassword,
        Act::LogOutEverywhere,
        Act::ChangeRoles,
        Act::Disable,
        Act::Enable,
        Act::Delete,
        Act::RevokeEverything,
    ],
    causes: 2,
    statements: true,
    ..QUIET
};

/// Two transactions of two users, which wait for nothing but the head.
pub const NUMBERING: World = World {
    name: "numbering",
    shows: &["a token is refused by an applied record", "a login is too late"],
    users: 2,
    logins: 2,
    acts: &[Act::LogOutEverywhere],
    causes: 2,
    statements: true,
    ticks: 2,
    ..QUIET
};

/// A copy takes over that lacks the last records, while an answer is late.
pub const FORKS: World = World {
    name: "forks",
    shows: &[
        "a fork is noticed and left behind",
        "a fork is unknown to a proxy that applied what was lost",
        "an honest token is accepted after a cause",
        "a late answer is left alone",
    ],
    ticks: 3,
    life: 5,
    logins: 2,
    acts: &[Act::Logout, Act::LogOutEverywhere],
    causes: 1,
    copies: 1,
    takeovers: 1,
    late_answers: 1,
    ..QUIET
};

/// The same, with replicas that each remember what they have read.
pub const REPLICAS: World = World {
    name: "replicas",
    shows: &[
        "a fork is noticed and left behind",
        "a replica that has not read says nothing",
        "a late answer is left alone",
    ],
    replicas: 2,
    remembers: true,
    ticks: 2,
    logins: 1,
    acts: &[Act::LogOutEverywhere],
    causes: 1,
    ..FORKS
};

/// A backup that is restored a second time, and sessions of before.
pub const RESTORES: World = World {
    name: "restores",
    shows: &["a fork is noticed and left behind", "an honest token is accepted after a cause"],
    ticks: 3,
    life: 6,
    logins: 2,
    refreshes: 1,
    acts: &[Act::Logout, Act::RevokeEverything],
    causes: 1,
    copies: 1,
    takeovers: 2,
    ..QUIET
};

/// A restore that leaves no trace.
pub const UNNOTICED: World = World {
    name: "an unnoticed restore",
    shows: &["a fork is noticed and left behind"],
    gives_up: &[NO_VOID_GRANT],
    takeovers: 1,
    unnoticed_restore: true,
    acts: &[Act::Logout],
    ..RESTORES
};

/// Reading, answering and receiving, each delayed against the others.
pub const FRESHNESS: World = World {
    name: "freshness",
    shows: &[
        "a token is refused by an applied record",
        "a replica that has not read says nothing",
        "a late answer is left alone",
    ],
    replicas: 1,
    ticks: 3,
    life: 5,
    logins: 1,
    acts: &[Act::Logout],
    causes: 1,
    split_reads: true,
    remembers: true,
    late_answers: 1,
    repeats: 1,
    ..QUIET
};

/// Snapshots of several pages, while records come and go.
pub const PAGES: World = World {
    name: "pages",
    shows: &[
        "a snapshot of two pages is taken",
        "a fork is noticed and left behind",
        "a record is forgotten",
    ],
    ticks: 4,
    life: 1,
    logins: 2,
    acts: &[Act::Logout],
    causes: 2,
    copies: 1,
    takeovers: 1,
    page_size: 1,
    purges: 1,
    ..QUIET
};

/// Two VMs with a lease, reloads, and a leader whose answer is late.
pub const LEASE: World = World {
    name: "lease",
    shows: &[
        "a leader is replaced",
        "two lead",
        "a VM that was loaded anew answers out of shared data",
        "a late answer is left alone",
    ],
    vms: 2,
    ticks: 1,
    logins: 1,
    acts: &[Act::Logout],
    causes: 1,
    late_answers: 1,
    reloads: 1,
    shares: true,
    ..QUIET
};

/// The same, while a snapshot is fetched beside the deltas.
pub const RENEWAL: World = World {
    name: "renewal",
    shows: &[
        "a chain is renewed",
        "a leader is replaced",
        "a VM that was loaded anew answers out of shared data",
    ],
    renews: true,
    late_answers: 1,
    ..LEASE
};

/// Snapshots of several pages, and a stranger who has the credential and is in the network.
pub const MISLED: World = World {
    name: "misled",
    shows: &["a snapshot of two pages is taken", "a chain is renewed", "a late answer is left alone"],
    vms: 1,
    ticks: 2,
    life: 3,
    logins: 2,
    acts: &[Act::Logout],
    causes: 2,
    page_size: 1,
    renews: true,
    misled: 1,
    reloads: 1,
    shares: true,
    ..QUIET
};

/// Two VMs with a lease, and another plugin that writes where they do.
pub const SHARING: World = World {
    name: "sharing",
    shows: &[
        "a forgery is refused",
        "a leader is replaced",
        "a VM that was loaded anew answers out of shared data",
    ],
    late_answers: 0,
    hostile: &[Hostile::Forge, Hostile::ForgeByTokenKey, Hostile::Erase, Hostile::TakeLease],
    hostile_acts: 1,
    ..LEASE
};

/// The same with another plugin that can do what only an own `vm_id` prevents.
pub const INTRUDED: World = World {
    name: "intruded",
    shows: &["a forgery is refused"],
    gives_up: &[APPLIED, ONWARD],
    hostile: &[Hostile::PutBack, Hostile::PlantKey],
    ..SHARING
};

/// The feed's keys change while answers are on their way and VMs are loaded anew.
pub const ROTATION: World = World {
    ticks: 2,
    name: "rotation",
    shows: &[
        "a feed key is unknown",
        "a VM goes on under a new feed key",
        "a VM that was loaded anew answers out of shared data",
    ],
    rotations: 1,
    vms: 1,
    ..LEASE
};

/// Tokens and records end, by a clock that is behind; a key of the tokens has leaked.
pub const EXPIRY: World = World {
    name: "expiry",
    shows: &["a token expires", "a record is forgotten", "a thief's token is refused"],
    ticks: 6,
    life: 3,
    lowers_life: true,
    logins: 1,
    refreshes: 1,
    acts: &[Act::Logout, Act::RevokeKey],
    causes: 1,
    forgeries: 1,
    purges: 1,
    behind: 1,
    ..QUIET
};

/// Worlds that take minutes.
pub const LARGE_WORLDS: &[World] = &[
    World {
        name: "writing, large",
        causes: 3,
        acts: &[Act::ChangePassword, Act::ChangeRoles, Act::Disable, Act::Enable],
        ..WRITING
    },
    World { name: "forks, large", causes: 2, ..FORKS },
    World { name: "lease, large", ticks: 2, ..LEASE },
    World { name: "sharing, large", ticks: 2, ..SHARING },
    World {
        name: "forks with shared data",
        shows: &[
            "a fork is noticed and left behind",
            "a VM that was loaded anew answers out of shared data",
            "an honest token is accepted after a cause",
        ],
        vms: 2,
        reloads: 1,
        shares: true,
        ticks: 2,
        acts: &[Act::LogOutEverywhere],
        late_answers: 0,
        ..FORKS
    },
    World { name: "freshness, large", replicas: 2, ..FRESHNESS },
];
