//! A VM of the plugin: what it holds, how it takes an answer, what it says of a token.

use crate::database::{LEEWAY, Position, Record, What};
use crate::feed::{FeedKey, Kind, Object, Request};
use crate::mutation::Mutation;
use crate::shared;
use crate::state::{State, Tick, Token};
use crate::world::World;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Vm {
    /// `None`: every request that needs it is answered with 503.
    pub(crate) feed: Option<Feed>,
    /// A snapshot that is being fetched. Nothing of it counts before the last page.
    pub(crate) paging: Option<Vec<Object>>,
    pub(crate) needs_snapshot: bool,
    /// A snapshot that is fetched beside the deltas, to stand for what they come after.
    pub(crate) renewal: Option<Renewal>,
    pub(crate) leads: bool,
    /// The keys of the feed that it has fetched.
    pub(crate) keys: Vec<u8>,
    pub(crate) trusts_planted_key: bool,
    /// Known to the checker, and not lost in a reload: every record that it ever applied.
    pub(crate) applied: Vec<Record>,
    /// Known to the checker: the greatest `as_of` that it ever claimed.
    pub(crate) claimed: Tick,
}

/// The chain as it will be: the snapshot of a position at which the VM was, and what it has taken since then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Renewal {
    pub(crate) pages: Vec<Object>,
    pub(crate) after: Vec<Object>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Feed {
    pub(crate) position: Position,
    pub(crate) as_of: Tick,
    pub(crate) records: Vec<Record>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// 503.
    Unavailable,
    Accepted,
    Expired,
    Revoked,
}

impl Renewal {
    pub(crate) fn is_whole(&self) -> bool {
        self.pages.last().is_some_and(Object::is_last)
    }

    /// The chain with this object, which goes on from where the VM is.
    pub(crate) fn with(&self, object: &Object) -> Vec<Object> {
        [&self.pages[..], &self.after[..], std::slice::from_ref(object)].concat()
    }
}

impl Vm {
    pub(crate) fn request(&self) -> Request {
        if let Some(next) = self.paging.as_deref().and_then(next_page) {
            return next;
        }
        match &self.feed {
            Some(feed) if !self.needs_snapshot => Request::After(feed.position),
            _ => Request::FirstPage,
        }
    }

    /// What it asks for in turn with [`request`](Self::request) where a chain is to be renewed.
    pub(crate) fn renewing(&self) -> Option<Request> {
        let feed = self.feed.as_ref().filter(|_| !self.needs_snapshot && self.paging.is_none())?;
        match &self.renewal {
            Some(renewal) if renewal.is_whole() => None,
            Some(renewal) => next_page(&renewal.pages),
            None => Some(Request::PageAt(feed.position)),
        }
    }

    pub(crate) fn knows(&self, world: &World, signer: FeedKey) -> bool {
        match signer {
            FeedKey::Feed(key) => self.keys.contains(&key),
            FeedKey::Token => world.breaks(Mutation::FeedByTokenKeys),
            FeedKey::Attacker => self.trusts_planted_key,
        }
    }

    /// At the VM's own time.
    pub(crate) fn judge(&self, world: &World, token: &Token, now: Tick) -> Verdict {
        let Some(feed) = &self.feed else { return Verdict::Unavailable };
        let now = now.saturating_sub(world.behind);
        if now >= token.expires_at.saturating_add(LEEWAY) {
            return Verdict::Expired;
        }
        let early = if world.breaks(Mutation::ForgottenAtExpiry) { 2 } else { 0 };
        let stays = |record: &&Record| !record.has_ended(now + early);
        let concerned = feed.records.iter().filter(stays).any(|record| concerns(world, record, token));
        if concerned { Verdict::Revoked } else { Verdict::Accepted }
    }
}

/// Whether a record ends a token.
fn concerns(world: &World, record: &Record, token: &Token) -> bool {
    if world.breaks(Mutation::RecordsCompareClocks) {
        let is_named = match record.what {
            What::Session { id } => id == token.session,
            What::Subject { user, .. } => user == token.user,
            What::Key { kid } => kid == token.kid,
            What::Epoch { .. } => true,
        };
        return is_named && token.issued_at <= record.written_at;
    }
    match record.what {
        What::Session { id } => id == token.session,
        What::Subject { user, gone: true, .. } if world.breaks(Mutation::GoneRefusesAll) => {
            user == token.user
        }
        // Versions of a history that was lost say nothing about tokens of the one after it.
        What::Subject { user, minimum, .. } => {
            let is_of_its_time = token.epoch <= record.epoch || world.breaks(Mutation::SubjectsWithoutEpoch);
            user == token.user && token.version < minimum && is_of_its_time
        }
        What::Key { kid } => kid == token.kid,
        What::Epoch { minimum } => token.epoch < minimum,
    }
}

fn next_page(pages: &[Object]) -> Option<Request> {
    let last = pages.last()?;
    let Kind::Page { number, through, .. } = last.kind else { return None };
    Some(Request::NextPage { head: last.head, number, after: through })
}

fn continues(world: &World, pages: &[Object], object: &Object) -> bool {
    let Kind::Page { after, number, .. } = object.kind else { return false };
    pages.last().is_some_and(|last| {
        let is_next = matches!(last.kind, Kind::Page { through, number: before, .. }
                           if through == after && before + 1 == number);
        is_next && (last.head == object.head || world.breaks(Mutation::PagesOfAnyHead))
    })
}

/// Takes a page into the chain that is to be. It makes nobody fresh, and its position is one that the VM has had.
fn renew(world: &World, vm: &mut Vm, object: &Object) -> bool {
    let Some(feed) = vm.feed.as_ref().filter(|_| world.renews && !vm.needs_snapshot) else { return false };
    match (&mut vm.renewal, &object.kind) {
        (None, Kind::Page { number: 1, .. }) if object.head == feed.position => {
            vm.renewal = Some(Renewal { pages: vec![object.clone()], after: Vec::new() });
            true
        }
        (Some(renewal), Kind::Page { .. }) if continues(world, &renewal.pages, object) => {
            renewal.pages.push(object.clone());
            true
        }
        _ => false,
    }
}

/// Takes an answer. What does not go on from where the VM is, is left alone: asking again costs nothing.
pub(crate) fn receive(world: &World, state: &mut State, index: usize, object: Object) -> Option<()> {
    let vm = state.vms.get(index)?;
    if !vm.knows(world, object.signer) {
        state.marks.key_unknown = true;
        return Some(());
    }
    if let Some(vm) = state.vms.get_mut(index)
        && renew(world, vm, &object)
    {
        return Some(());
    }
    let vm = state.vms.get(index)?;
    let known = vm.feed.as_ref();
    let is_older =
        known.is_some_and(|feed| object.as_of < feed.as_of) && !world.breaks(Mutation::AsOfGoesBack);
    let goes_on = !is_older
        && match object.kind {
            Kind::Delta { from } => known.is_some_and(|feed| {
                feed.position == from
                    || (world.breaks(Mutation::BareSequence) && feed.position.sequence == from.sequence)
            }),
            Kind::Page { number: 1, .. } => vm.paging.is_none() && (vm.needs_snapshot || known.is_none()),
            Kind::Page { .. } => vm.paging.as_ref().is_some_and(|pages| continues(world, pages, &object)),
        };
    if !goes_on {
        state.marks.late_ignored = true;
        return Some(());
    }
    let chain = match object.kind {
        Kind::Delta { .. } => vec![object],
        Kind::Page { .. } => {
            let vm = state.vms.get_mut(index)?;
            let is_last = object.is_last();
            let pages = vm.paging.get_or_insert_default();
            pages.push(object);
            if !is_last {
                return Some(());
            }
            vm.paging.take()?
        }
    };
    if chain.len() > 1 {
        state.marks.two_pages = true;
    }
    // Others must find it before it counts here, or a reload would lose it.
    if world.shares && !shared::put(world, state, index, &chain) {
        return Some(());
    }
    let renewal = state.vms.get_mut(index)?.renewal.take();
    apply(world, state, index, &chain)?;
    if let (Some(mut renewal), [object]) = (renewal, &chain[..])
        && matches!(object.kind, Kind::Delta { .. })
        && !renewal.is_whole()
    {
        if renewal.after.last().is_some_and(Object::is_heartbeat) {
            renewal.after.pop();
        }
        renewal.after.push(object.clone());
        state.vms.get_mut(index)?.renewal = Some(renewal);
    }
    Some(())
}

/// Makes objects count that were verified and go on from where the VM is, or are a snapshot.
pub(crate) fn apply(world: &World, state: &mut State, index: usize, chain: &[Object]) -> Option<()> {
    let vm = state.vms.get_mut(index)?;
    let last = chain.last()?;
    let is_snapshot = matches!(chain.first()?.kind, Kind::Page { .. });
    // What a later page says was read later; that the head had not moved meanwhile, it does not say.
    let as_of = match last.kind {
        Kind::Page { .. } if world.breaks(Mutation::AsOfOfLastPage) => last.as_of,
        Kind::Page { .. } => chain.iter().map(|object| object.as_of).min()?,
        Kind::Delta { .. } => last.as_of,
    };
    let mut records = match &vm.feed {
        Some(feed) if !(is_snapshot && world.breaks(Mutation::SnapshotReplaces)) => feed.records.clone(),
        _ => Vec::new(),
    };
    merge(&mut records, chain);
    merge(&mut vm.applied, chain);
    vm.feed = Some(Feed { position: last.head, as_of, records });
    vm.needs_snapshot = false;
    vm.renewal = None;
    state.marks.claim_went_back |= as_of < vm.claimed;
    vm.claimed = vm.claimed.max(as_of);
    state.marks.forgery_believed |= chain.iter().any(|object| !matches!(object.signer, FeedKey::Feed(_)));
    Some(())
}

fn merge(records: &mut Vec<Record>, chain: &[Object]) {
    records.extend(chain.iter().flat_map(|object| object.records.iter().copied()));
    records.sort_unstable();
    records.dedup();
}
