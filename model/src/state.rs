//! All there is at one moment. Numbers are small on purpose: a name, a version or a tick of time is a byte.

use crate::causes::Transaction;
use crate::database::{Database, Record};
use crate::feed::{Answer, FeedKey, Object};
use crate::issuer::Replica;
use crate::proxy::Vm;
use crate::writing::Login;

/// A tick of time, which is a second or an hour: only the order of things counts.
pub(crate) type Tick = u8;

/// The state that is explored. What the participants cannot know, and only properties look at, is marked as *known to
/// the checker*.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) now: Tick,
    pub(crate) primary: Database,
    /// A standby that lags, or a backup: what takes over is this.
    pub(crate) copy: Option<Database>,
    /// A primary that nobody stopped when the copy took over. The first replica still works with it.
    pub(crate) deposed: Option<Database>,
    /// Of the instance that is primary now: PostgreSQL's system identifier and timeline.
    pub(crate) instance: u8,
    /// The next number that nobody else has: session identifiers and generations are random in reality.
    pub(crate) next_session: u8,
    pub(crate) next_generation: u8,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) logins: Vec<Login>,
    pub(crate) replicas: Vec<Replica>,
    /// Every token that was ever signed.
    pub(crate) tokens: Vec<Token>,
    /// In flight, with the VM that asked.
    pub(crate) network: Vec<(usize, Answer)>,
    pub(crate) vms: Vec<Vm>,
    pub(crate) shared: Shared,
    /// The feed's keys: what is published, and which one signs.
    pub(crate) published: Vec<u8>,
    pub(crate) signing: u8,
    /// The life that tokens are given, which a setting may lower.
    pub(crate) life: u8,
    pub(crate) spent: Spent,
    /// Known to the checker: every cause that was ever committed, in order.
    pub(crate) causes: Vec<Cause>,
    /// Known to the checker: what went wrong or happened in one moment and cannot be seen in a later state.
    pub(crate) marks: Marks,
}

/// The data that the VMs of a proxy share. Any plugin under the same `vm_id` can write here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shared {
    /// A whole snapshot and what came after it, as signed.
    pub(crate) chain: Vec<Object>,
    pub(crate) lease: Option<Lease>,
    /// A key that somebody else wrote here as if it were the feed's.
    pub(crate) planted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    pub(crate) holder: usize,
    pub(crate) until: Tick,
}

/// An access token. Its signature is good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    pub(crate) user: u8,
    pub(crate) session: u8,
    pub(crate) version: u8,
    pub(crate) epoch: u8,
    pub(crate) issued_at: Tick,
    pub(crate) expires_at: Tick,
    pub(crate) kid: u8,
    /// Signed by a thief with a key that leaked, who writes into it what he likes.
    pub(crate) forged: bool,
    /// Known to the checker: on what grounds it was granted.
    pub(crate) grounds: Grounds,
    /// Known to the checker: how many causes had been committed when it was granted.
    pub(crate) after: u8,
}

/// Known to the checker: what was true when the password was verified that a session goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Grounds {
    pub(crate) version: u8,
    /// How many times the database had been taken over.
    pub(crate) history: u8,
}

/// What ends tokens, as the checker remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cause {
    pub(crate) kind: CauseKind,
    pub(crate) at: Tick,
    pub(crate) history: u8,
    /// The content of its record; `None` where there was no token to end.
    pub(crate) record: Option<Record>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CauseKind {
    Logout {
        session: u8,
    },
    /// Password change, logout everywhere, deletion: all that the user was granted on grounds before this version.
    Grounds {
        user: u8,
        version: u8,
    },
    /// Roles changed: all tokens before this version, while sessions go on.
    Claims {
        user: u8,
        version: u8,
    },
    /// All tokens granted before.
    Everything,
    /// All tokens that this key signed.
    Key {
        kid: u8,
    },
    /// As `Everything`; known to the checker as the end of a fork.
    Fork,
}

/// How often each bounded event has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Spent {
    pub(crate) logins: u8,
    pub(crate) refreshes: u8,
    pub(crate) causes: u8,
    pub(crate) takeovers: u8,
    pub(crate) copies: u8,
    pub(crate) late_answers: u8,
    pub(crate) repeats: u8,
    pub(crate) reloads: u8,
    pub(crate) hostile: u8,
    pub(crate) rotations: u8,
    pub(crate) forgeries: u8,
    pub(crate) purges: u8,
    pub(crate) misled: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Marks {
    /// A token was granted on grounds that a cause had ended.
    pub(crate) void_grant: bool,
    /// 409 for a position that is on the log.
    pub(crate) needless_conflict: bool,
    /// An object was believed that no key of the feed had signed.
    pub(crate) forgery_believed: bool,
    /// A VM's claim went back.
    pub(crate) claim_went_back: bool,
    /// Of what shall be seen to happen: a 409, a snapshot of two pages, a leader that was replaced, a forged object
    /// refused, a key unknown to a VM, a replica that was silent because it had not read, a reload out of shared data.
    pub(crate) conflict: bool,
    pub(crate) two_pages: bool,
    pub(crate) leader_replaced: bool,
    pub(crate) forgery_refused: bool,
    pub(crate) key_unknown: bool,
    pub(crate) blind: bool,
    pub(crate) restored: bool,
    pub(crate) late_ignored: bool,
    pub(crate) login_too_late: bool,
    pub(crate) renewed: bool,
}

impl State {
    /// Whether the database that is primary no longer knows of a cause.
    pub(crate) fn is_lost(&self, cause: usize) -> bool {
        self.primary.causes & (1 << cause) == 0
    }

    /// Whether a cause ended this token: by what the token was granted on, never by what it says.
    pub(crate) fn is_ended_by(&self, token: &Token, index: usize) -> bool {
        let Some(cause) = self.causes.get(index) else { return false };
        // Whoever verified a password after a cause was lost depends on nothing of what was lost.
        if self.is_lost(index) && token.grounds.history > cause.history {
            return false;
        }
        let before = usize::from(token.after) <= index;
        match cause.kind {
            CauseKind::Logout { session } => token.session == session,
            CauseKind::Grounds { user, version } => token.user == user && token.grounds.version < version,
            CauseKind::Claims { user, version } => token.user == user && before && token.version < version,
            CauseKind::Everything | CauseKind::Fork => before,
            CauseKind::Key { kid } => token.kid == kid,
        }
    }

    /// Whether nothing speaks against a token but the time.
    pub(crate) fn is_honest(&self, token: &Token) -> bool {
        !token.forged && (0..self.causes.len()).all(|cause| !self.is_ended_by(token, cause))
    }

    pub(crate) fn signer(&self) -> FeedKey {
        FeedKey::Feed(self.signing)
    }
}

impl Cause {
    pub(crate) fn is_fork(&self) -> bool {
        self.kind == CauseKind::Fork
    }
}
