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
    /// Whether a VM may fetch a snapshot beside the deltas.
    pub renews: bool,
    /// How many questions of a stranger are answered to a VM: he is in the network, and has the credential.
    pub misled: u8,
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
    /// What must be seen to happen in it, or it would prove nothing.
    pub shows: &'static [&'static str],
    /// What does not hold in it, though nothing of the protocol is broken.
    pub gives_up: &'static [&'static str],
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
