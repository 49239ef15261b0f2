//! Replicas of the issuer: what each has read of the primary, and what it answers.

use crate::causes::raise_epoch;
use crate::database::{Position, Record, Row, holds};
use crate::feed::{Answer, Kind, Object, Request};
use crate::mutation::Mutation;
use crate::state::{State, Tick};
use crate::world::World;

/// How old what was read may be, in ticks, when it is answered.
const MAX_AGE: u8 = 1;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Replica {
    pub(crate) connected: bool,
    pub(crate) seen: Option<Seen>,
    /// Between the two statements of a reading: the primary's time, or the head by who reads in the wrong order.
    pub(crate) reading: Option<Seen>,
}

/// A head with its log, and the primary's time of before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    pub(crate) as_of: Tick,
    pub(crate) head: Position,
    pub(crate) log: Vec<Row>,
}

/// Connects to whoever is primary now. Before anything is signed, the instance is compared with the one that the database
/// remembers; who finds another raises generation and epoch.
pub(crate) fn connect(world: &World, state: &mut State, replica: usize) -> Option<()> {
    let connected = state.replicas.get_mut(replica).filter(|replica| !replica.connected)?;
    connected.connected = true;
    if state.primary.known_instance == state.instance || world.breaks(Mutation::GenerationNotRaised) {
        return Some(());
    }
    state.primary.known_instance = state.instance;
    state.primary.generation = if world.breaks(Mutation::GenerationByCounting) {
        state.primary.generation + 1
    } else {
        state.next_generation += 1;
        state.next_generation
    };
    let record = raise_epoch(world, state);
    state.primary.sessions_from_epoch = state.primary.epoch;
    let sequence = state.primary.head.sequence + 1;
    state.primary.append(sequence, record);
    // The checker has known of the fork since the copy took over.
    if let Some(fork) = state.causes.iter_mut().rfind(|cause| cause.record.is_none() && cause.is_fork()) {
        fork.record = Some(record);
    }
    Some(())
}

/// Time first, head second, in one step where the world does not look between the two.
pub(crate) fn read(world: &World, state: &mut State, replica: usize) -> Option<()> {
    let now = seen_now(state, replica);
    let row = state.replicas.get_mut(replica).filter(|replica| replica.connected)?;
    let head_first = world.breaks(Mutation::AsOfAfterHead);
    row.seen = match row.reading.take() {
        Some(begun) if head_first => Some(Seen { as_of: now.as_of, ..begun }),
        Some(begun) => Some(Seen { as_of: begun.as_of, ..now }),
        None if world.split_reads => {
            row.reading = Some(now);
            return Some(());
        }
        None => Some(now),
    };
    Some(())
}

/// `None`: 503, it has not read the primary lately.
pub(crate) fn answer(world: &World, state: &mut State, replica: usize, request: &Request) -> Option<Answer> {
    let row = state.replicas.get(replica)?;
    let is_connected = row.connected;
    if !world.remembers {
        if !is_connected {
            return None;
        }
        let fitting = respond(world, state, &seen_now(state, replica), request);
        mark_conflict(state, &fitting, request);
        return Some(fitting);
    }
    let mut seen = row.seen.clone()?;
    if state.now - seen.as_of > MAX_AGE {
        if !world.breaks(Mutation::BlindHeartbeat) {
            state.marks.blind = true;
            return None;
        }
        seen.as_of = state.now;
    }
    let fitting = respond(world, state, &seen, request);
    if fitting != Answer::Conflict || world.breaks(Mutation::ConflictFromMemory) {
        mark_conflict(state, &fitting, request);
        return Some(fitting);
    }
    // It may be this replica that is behind: nobody is sent to a snapshot before the primary was asked.
    if !is_connected {
        return None;
    }
    let seen = seen_now(state, replica);
    let fitting = respond(world, state, &seen, request);
    mark_conflict(state, &fitting, request);
    if let Some(row) = state.replicas.get_mut(replica) {
        row.seen = Some(seen);
    }
    Some(fitting)
}

fn respond(world: &World, state: &State, seen: &Seen, request: &Request) -> Answer {
    let live = |row: &&Row| !row.record.has_ended(state.now) && row.sequence <= seen.head.sequence;
    let (kind, head, records) = match *request {
        Request::After(position) => {
            if !seen.holds(world, position) {
                return Answer::Conflict;
            }
            let rows = seen.log.iter().filter(live).filter(|row| row.sequence > position.sequence);
            (Kind::Delta { from: position }, seen.head, rows.map(|row| row.record).collect())
        }
        Request::FirstPage => page(world, seen, seen.head, 1, 0, live),
        // What is not the head any more was it at another time than `as_of` says.
        Request::PageAt(position) if position != seen.head && !world.breaks(Mutation::FirstPageOfAnyHead) => {
            return respond(world, state, seen, &Request::After(position));
        }
        Request::PageAt(position) => {
            if !seen.holds(world, position) {
                return Answer::Conflict;
            }
            page(world, seen, position, 1, 0, live)
        }
        Request::NextPage { head, number, after } => {
            // The rest of another snapshot is worth nothing, unless one breaks just this.
            let head = if world.breaks(Mutation::PagesOfAnyHead) { seen.head } else { head };
            if !seen.holds(world, head) {
                return Answer::Conflict;
            }
            page(world, seen, head, number + 1, after, live)
        }
    };
    Answer::Signed(Object { signer: state.signer(), kind, head, as_of: seen.as_of, records })
}

type Content = (Kind, Position, Vec<Record>);

fn page(
    world: &World,
    seen: &Seen,
    head: Position,
    number: u8,
    after: u8,
    live: impl Fn(&&Row) -> bool,
) -> Content {
    let size = usize::from(world.page_size);
    let rows = seen.log.iter().filter(live).filter(|row| row.sequence <= head.sequence);
    let rows: Vec<&Row> = if world.breaks(Mutation::PagesByNumber) {
        rows.skip(size * usize::from(number - 1)).collect()
    } else {
        rows.filter(|row| row.sequence > after).collect()
    };
    let through = match rows.get(size.saturating_sub(1)) {
        Some(row) if rows.len() > size => row.sequence,
        _ => head.sequence,
    };
    let records = rows.iter().take(size).map(|row| row.record).collect();
    (Kind::Page { number, after, through }, head, records)
}

impl Seen {
    fn holds(&self, world: &World, position: Position) -> bool {
        if world.breaks(Mutation::BareSequence) {
            return position.sequence <= self.head.sequence;
        }
        holds(self.head, &self.log, position)
    }
}

fn seen_now(state: &State, replica: usize) -> Seen {
    let database = state.deposed.as_ref().filter(|_| replica == 0).unwrap_or(&state.primary);
    Seen { as_of: state.now, head: database.head, log: database.log.clone() }
}

fn mark_conflict(state: &mut State, answer: &Answer, request: &Request) {
    if *answer == Answer::Conflict {
        state.marks.conflict = true;
        let (Request::After(position) | Request::PageAt(position) | Request::NextPage { head: position, .. }) =
            *request
        else {
            return;
        };
        state.marks.needless_conflict |= state.primary.holds(position);
    }
}
