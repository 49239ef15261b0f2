//! What can happen next, and what then is.

mod offers;

use stateright::{Model, Property};

use crate::causes;
use crate::database::{Database, Position};
use crate::feed::{Answer, Request};
use crate::issuer::{self, Replica};
use crate::mutation::Mutation;
use crate::property;
use crate::proxy::{self, Vm};
use crate::shared;
use crate::state::{Cause, CauseKind, Grounds, Marks, Shared, Spent, State, Token};
use crate::world::{Act, Hostile, World};
use crate::writing;

/// A world with the properties that are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) world: World,
    /// `None`: all.
    pub(crate) only: Option<&'static str>,
}

/// One thing that happens. Numbers say which user, session, replica, VM or answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    TimePasses,
    LifeIsLowered,
    PasswordIsVerified(u8),
    SessionIsOpened(usize),
    SessionIsRefreshed(u8),
    Begins(Act, u8),
    NextStatement(usize),
    RecordsArePurged,
    CopyIsTaken,
    CopyTakesOver,
    ReplicaConnects(usize),
    ReplicaReads(usize),
    /// Asks, and the answer arrives at once.
    Polls {
        vm: usize,
        replica: usize,
    },
    /// Asks, and the answer is late.
    Asks {
        vm: usize,
        replica: usize,
    },
    /// The same for the next page of a snapshot beside the deltas.
    Renews {
        vm: usize,
        replica: usize,
    },
    AsksToRenew {
        vm: usize,
        replica: usize,
    },
    /// What a stranger asked for, by a position of the log, is answered to a VM.
    IsMisled {
        vm: usize,
        replica: usize,
        row: usize,
    },
    Arrives {
        answer: usize,
    },
    ArrivesAndWillAgain {
        answer: usize,
    },
    ClaimsLease(usize),
    ReadsShared(usize),
    IsReloaded(usize),
    Intrudes(Hostile),
    FeedKeyIsPublished,
    FeedKeySigns,
    OldFeedKeyIsRetired,
    FetchesFeedKeys(usize),
    ThiefSignsToken,
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let world = &self.world;
        let vm = Vm { leads: world.vms == 1, keys: vec![0], ..Vm::default() };
        vec![State {
            now: 0,
            primary: Database::new(world.users),
            copy: None,
            deposed: None,
            instance: 0,
            next_session: 0,
            next_generation: 1,
            transactions: Vec::new(),
            logins: Vec::new(),
            replicas: vec![Replica { connected: true, ..Replica::default() }; world.replicas],
            tokens: Vec::new(),
            network: Vec::new(),
            vms: vec![vm; world.vms],
            shared: Shared::default(),
            published: vec![0],
            signing: 0,
            life: world.life,
            spent: Spent::default(),
            causes: Vec::new(),
            marks: Marks::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        offers::writing(&self.world, state, actions);
        offers::reading(&self.world, state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        happen(&self.world, &mut next, &action)?;
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let all = property::all();
        match self.only {
            Some(name) => all.into_iter().filter(|property| property.name == name).collect(),
            None => all,
        }
    }
}

/// `None`: it cannot happen here.
fn happen(world: &World, state: &mut State, action: &Action) -> Option<()> {
    match *action {
        Action::TimePasses => state.now += 1,
        Action::LifeIsLowered => state.life = 1,
        Action::PasswordIsVerified(user) => {
            serving(state)?;
            writing::verify(state, user)?;
            if !world.statements {
                let last = state.logins.len() - 1;
                writing::open(world, state, last)?;
            }
        }
        Action::SessionIsOpened(login) => {
            serving(state)?;
            writing::open(world, state, login)?;
        }
        Action::SessionIsRefreshed(session) => {
            serving(state)?;
            writing::refresh(world, state, session)?;
        }
        Action::Begins(act, target) => {
            serving(state)?;
            causes::begin(world, state, act, target)?;
        }
        Action::NextStatement(transaction) => causes::step(world, state, transaction)?,
        Action::RecordsArePurged => {
            state.spent.purges += 1;
            state.primary.purge(state.now);
        }
        Action::CopyIsTaken => {
            state.spent.copies += 1;
            state.copy = Some(state.primary.clone());
        }
        Action::CopyTakesOver => take_over(world, state)?,
        Action::ReplicaConnects(replica) => issuer::connect(world, state, replica)?,
        Action::ReplicaReads(replica) => issuer::read(world, state, replica)?,
        Action::Polls { vm, replica } => poll(world, state, vm, replica)?,
        Action::Asks { vm, replica } => {
            let request = state.vms.get(vm)?.request();
            let answer = issuer::answer(world, state, replica, &request)?;
            state.spent.late_answers += 1;
            state.network.push((vm, answer));
        }
        Action::Renews { vm, replica } => {
            let request = state.vms.get(vm)?.renewing()?;
            let answer = issuer::answer(world, state, replica, &request)?;
            arrive_beside(world, state, vm, answer)?;
        }
        Action::AsksToRenew { vm, replica } => {
            let request = state.vms.get(vm)?.renewing()?;
            let answer = issuer::answer(world, state, replica, &request)?;
            state.spent.late_answers += 1;
            state.network.push((vm, answer));
        }
        Action::IsMisled { vm, replica, row } => {
            state.spent.misled += 1;
            let generation = state.primary.generation;
            let position = match row.checked_sub(1).and_then(|row| state.primary.log.get(row)) {
                Some(row) => Position { generation, sequence: row.sequence, digest: row.digest },
                None => Position { generation, ..Position::default() },
            };
            let answer = issuer::answer(world, state, replica, &Request::PageAt(position))?;
            arrive(world, state, vm, answer)?;
        }
        Action::Arrives { answer } => {
            let (vm, answer) = state.network.remove(answer);
            arrive(world, state, vm, answer)?;
        }
        Action::ArrivesAndWillAgain { answer } => {
            state.spent.repeats += 1;
            let (vm, answer) = state.network.get(answer)?.clone();
            arrive(world, state, vm, answer)?;
        }
        Action::ClaimsLease(vm) => shared::claim(world, state, vm)?,
        Action::ReadsShared(vm) => shared::follow(world, state, vm)?,
        Action::IsReloaded(vm) => shared::reload(world, state, vm)?,
        Action::Intrudes(hostile) => shared::be_hostile(state, hostile)?,
        Action::FeedKeyIsPublished => {
            state.spent.rotations += 1;
            state.published.push(state.signing + 1);
        }
        Action::FeedKeySigns => state.signing += 1,
        Action::OldFeedKeyIsRetired => {
            state.published.remove(0);
        }
        Action::FetchesFeedKeys(vm) => {
            let published = state.published.clone();
            state.vms.get_mut(vm)?.keys = published;
        }
        Action::ThiefSignsToken => {
            state.spent.forgeries += 1;
            state.tokens.push(stolen(state));
        }
    }
    Some(())
}

/// Whether some replica can write. One that lost its connection compares instances before it does anything again.
fn serving(state: &State) -> Option<()> {
    state.replicas.iter().any(|replica| replica.connected).then_some(())
}

/// Asks, and takes the answer, if there is one.
pub(crate) fn poll(world: &World, state: &mut State, vm: usize, replica: usize) -> Option<()> {
    let request = state.vms.get(vm)?.request();
    match issuer::answer(world, state, replica, &request) {
        Some(answer) => arrive(world, state, vm, answer),
        None => Some(()),
    }
}

fn arrive(world: &World, state: &mut State, vm: usize, answer: Answer) -> Option<()> {
    match answer {
        Answer::Signed(object) => proxy::receive(world, state, vm, object),
        Answer::Conflict => {
            let vm = state.vms.get_mut(vm)?;
            vm.needs_snapshot = true;
            vm.paging = None;
            vm.renewal = None;
            Some(())
        }
    }
}

/// A snapshot that has no more pages is begun anew; what is held is none the worse.
fn arrive_beside(world: &World, state: &mut State, vm: usize, answer: Answer) -> Option<()> {
    let vm_before = state.vms.get_mut(vm)?;
    if answer == Answer::Conflict && vm_before.renewal.take().is_some() {
        return Some(());
    }
    arrive(world, state, vm, answer)
}

/// A standby that lags is promoted, or a backup restored. It takes time, and what was not copied is lost.
fn take_over(world: &World, state: &mut State) -> Option<()> {
    if state.now >= world.ticks {
        return None;
    }
    let history = state.spent.takeovers + 1;
    state.spent.takeovers = history;
    state.now += 1;
    if world.breaks(Mutation::DeposedPrimaryAnswers) {
        state.deposed = Some(state.primary.clone());
    }
    state.primary = Database { history, raised_at: state.now, ..state.copy.clone()? };
    state.transactions.clear();
    if world.unnoticed_restore {
        return Some(());
    }
    state.instance += 1;
    let cut_off = usize::from(state.deposed.is_some());
    for replica in state.replicas.iter_mut().skip(cut_off) {
        replica.connected = false;
        replica.reading = None;
    }
    state.primary.causes |= 1 << state.causes.len();
    state.causes.push(Cause { kind: CauseKind::Fork, at: state.now, history, record: None });
    Some(())
}

/// A thief writes into a token what suits him best.
fn stolen(state: &State) -> Token {
    Token {
        user: 0,
        session: u8::MAX,
        version: u8::MAX,
        epoch: u8::MAX,
        issued_at: u8::MAX,
        expires_at: u8::MAX,
        kid: 0,
        forged: true,
        grounds: Grounds { version: u8::MAX, history: u8::MAX },
        after: u8::try_from(state.causes.len()).unwrap_or(u8::MAX),
    }
}
