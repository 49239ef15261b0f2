//! Which events may happen in a world, and how often. A world is small, so that every order of its events is explored; each
//! looks at one side of the protocol.

use crate::mutation::Mutation;

/// What ends tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Of one session.
    Logout,
    /// Ends all sessions and opens one.
    ChangePassword,
    /// As it says, all sessions of the user.
    LogOutEverywhere,
    /// Keeps the sessions.
    ChangeRoles,
    /// Until enabled again.
    Disable,
    /// What was ended stays so.
    Enable,
    /// For ever, with all rows.
    Delete,
    /// The epoch.
    RevokeEverything,
    /// A key that leaked.
    RevokeKey,
}

/// What another plugin may do that shares the proxy's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hostile {
    /// Writes an object that it signed itself.
    Forge,
    /// The same, signed with a key that signs tokens.
    ForgeByTokenKey,
    /// All of it.
    Erase,
    /// And never polls.
    TakeLease,
    /// Puts back what stood there before.
    PutBack,
    /// Writes a key of its own as the feed's.
    PlantKey,
}

/// Bounds: how many there are, and how often something may happen.
#[derive(Clone, Debug)]
pub struct World {
    /// How it is called in reports.
    pub name: &'static str,
    /// Users, replicas of the issuer, VMs in one proxy.
    pub users: u8,
    /// See `users`.
    pub replicas: usize,
    /// See `users`.
    pub vms: usize,
    /// The last tick of time.
    pub ticks: u8,
    /// How long tokens live.
    pub life: u8,
    /// Whether an operator may lower that to one tick.
    pub lowers_life: bool,
    /// How many logins there may be.
    pub logins: u8,
    /// How many refreshes.
    pub refreshes: u8,
    /// What may end tokens.
    pub acts: &'static [Act],
    /// How often.
    pub causes: u8,
    /// Whether statements of several transactions alternate.
    pub statements: bool,
    /// How often a copy of the database is taken.
    pub copies: u8,
    /// How often a copy takes over.
    pub takeovers: u8,
    /// Whether a restore leaves no trace: a dump that is played back into the same instance.
    pub unnoticed_restore: bool,
    /// Whether a replica may be stopped between reading the time and reading the head.
    pub split_reads: bool,
    /// Whether replicas answer by what they read before, and not by what is there.
    pub remembers: bool,
    /// How many answers may be late. None is lost: one that does not arrive is in flight for ever. Beside them there may be
    /// any number that arrive at once.
    pub late_answers: u8,
    /// How many of them are delivered more than once.
    pub repeats: u8,
    /// How many records a page of a snapshot holds.
    pub page_size: u8,
    /// How often a VM traps.
    pub reloads: u8,
    /// Whether VMs share data.
    pub shares: bool,
    /// What others do to it.
    pub hostile: &'static [Hostile],
    /// How often.
    pub hostile_acts: u8,
    /// How often the feed's key is rotated.
    pub rotations: u8,
    /// How many tokens a thief makes with a key that leaked.
    pub forgeries: u8,
    /// How often ended records are purged.
    pub purges: u8,
    /// By how much the proxy's clock is behind.
    pub behind: u8,
    /// The protocol as it is to be, or broken.
    pub mutation: Option<Mutation>,
}

impl World {
    /// The same world under a broken protocol.
    #[must_use]
    pub fn broken(mut self, mutation: Mutation) -> Self {
        self.mutation = Some(mutation);
        self
    }

    pub(crate) fn breaks(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }
}

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
    reloads: 0,
    shares: false,
    hostile: &[],
    hostile_acts: 0,
    rotations: 0,
    forgeries: 0,
    purges: 0,
    behind: 0,
    mutation: None,
};

/// Statements of logins, refreshes and causes, in every order.
pub const WRITING: World = World {
    name: "writing",
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
pub const UNNOTICED: World =
    World { name: "an unnoticed restore", takeovers: 1, unnoticed_restore: true, acts: &[Act::Logout], ..RESTORES };

/// Reading, answering and receiving, each delayed against the others.
pub const FRESHNESS: World = World {
    name: "freshness",
    replicas: 2,
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
    vms: 2,
    ticks: 2,
    logins: 1,
    acts: &[Act::Logout],
    causes: 1,
    late_answers: 1,
    reloads: 1,
    shares: true,
    ..QUIET
};

/// The same with another plugin that writes where they do.
pub const SHARING: World = World {
    name: "sharing",
    late_answers: 0,
    hostile: &[Hostile::Forge, Hostile::ForgeByTokenKey, Hostile::Erase, Hostile::TakeLease],
    hostile_acts: 1,
    ..LEASE
};

/// The same with another plugin that can do what only an own `vm_id` prevents.
pub const INTRUDED: World =
    World { name: "intruded", hostile: &[Hostile::PutBack, Hostile::PlantKey], ..SHARING };

/// The feed's keys change while answers are on their way and VMs are loaded anew.
pub const ROTATION: World =
    World { name: "rotation", rotations: 1, vms: 1, ..LEASE };

/// Tokens and records end, by a clock that is behind; a key of the tokens has leaked.
pub const EXPIRY: World = World {
    name: "expiry",
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

/// Every world that is explored in each run of the tests.
pub const WORLDS: &[World] =
    &[WRITING, NUMBERING, FORKS, REPLICAS, RESTORES, UNNOTICED, FRESHNESS, PAGES, LEASE, SHARING, ROTATION, EXPIRY];

/// Worlds that take minutes.
pub const LARGE_WORLDS: &[World] = &[
    World {
        name: "forks with shared data",
        vms: 2,
        replicas: 1,
        reloads: 1,
        shares: true,
        logins: 1,
        acts: &[Act::LogOutEverywhere],
        ..FORKS
    },
    World { name: "writing through a fork", copies: 1, takeovers: 1, logins: 2, acts: &[Act::ChangePassword, Act::ChangeRoles, Act::Disable, Act::Enable], ..WRITING },
];
