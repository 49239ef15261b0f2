//! Callbacks, what Envoy does after each of them, and what comes by itself as time passes.

use super::World;
use crate::cluster::{self, Answer, CallEnd, CallRequest, HeldCall};
use crate::shared::{Event, VmNumber};
use crate::status::Status;
use crate::vm::{Action, Called, Vm};

const NS_PER_MS: u64 = 1_000_000;

impl World {
    /// Makes a callback and does afterwards what the module has asked for in it.
    pub(super) fn callback(
        &mut self,
        number: VmNumber,
        context: u32,
        name: &'static str,
        arguments: &[u32],
    ) -> Called {
        let called = self.call(number, context, name, arguments);
        self.act(number);
        called
    }

    /// Makes a callback only.
    pub(super) fn call(
        &mut self,
        number: VmNumber,
        context: u32,
        name: &'static str,
        arguments: &[u32],
    ) -> Called {
        let Some(vm) = self.vms.get_mut(&number) else { return Called::Skipped };
        let called = vm.call(context, name, arguments);
        if called == Called::Trapped {
            let trap = vm.failed().unwrap_or_default().to_owned();
            self.traps.push(trap);
        }
        called
    }

    /// Does what Envoy has put off until the callback returned.
    pub(super) fn act(&mut self, number: VmNumber) {
        let Some(vm) = self.vms.get_mut(&number) else { return };
        for action in std::mem::take(&mut vm.state_mut().after_call) {
            match action {
                Action::LocalReply { context, reply } => self.local_reply(number, context, &reply),
                Action::ContinueRequest { context } => self.continue_stream(number, context, true),
                Action::ContinueResponse { context } => self.continue_stream(number, context, false),
                Action::Reset { context } => self.reset(number, context),
                Action::Delete { context } => self.delete(number, context),
            }
        }
    }

    /// The last callback of a context.
    pub(super) fn delete(&mut self, number: VmNumber, context: u32) {
        let created = |vm: &Vm| vm.state().contexts.get(&context).is_some_and(|context| context.created);
        if self.vms.get(&number).is_some_and(created) {
            self.callback(number, context, "proxy_on_delete", &[context]);
        }
        if let Some(vm) = self.vms.get_mut(&number) {
            vm.state_mut().contexts.remove(&context);
        }
    }

    pub(super) fn note_trap(&mut self, vm: &Vm) {
        self.traps.extend(vm.failed().map(str::to_owned));
    }

    pub(super) fn pass_time(&mut self, until_ns: u64) {
        loop {
            let next = self.shared.borrow_mut().due.next_by(until_ns);
            let Some((due, event)) = next else { break };
            self.shared.borrow_mut().now_ns = due;
            self.happen(event);
        }
        self.shared.borrow_mut().now_ns = until_ns;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick { vm, context, setting } => self.tick(vm, context, setting),
            Event::Call { vm, context, token, request } => self.reach_cluster(vm, context, token, &request),
            Event::CallEnd { vm, context, token, end } => self.end_call(vm, context, token, end),
            Event::QueueReady { vm, context, queue } => {
                if self.vms.get(&vm).is_some_and(|vm| vm.state().contexts.contains_key(&context)) {
                    self.callback(vm, context, "proxy_on_queue_ready", &[context, queue]);
                }
            }
        }
    }

    /// A tick of a timer that was not set anew meanwhile; the next one is due a period later.
    fn tick(&mut self, number: VmNumber, context: u32, setting: u64) {
        let timer = |world: &Self| {
            let tick = world.vms.get(&number)?.state().root(context)?.tick;
            tick.filter(|(_, own)| *own == setting).map(|(period, _)| period)
        };
        if timer(self).is_none()
            || self.callback(number, context, "proxy_on_tick", &[context]) == Called::Skipped
        {
            return;
        }
        if let Some(period) = timer(self) {
            let mut shared = self.shared.borrow_mut();
            let due = shared.now_ns.saturating_add(period);
            shared.due.at(due, Event::Tick { vm: number, context, setting });
        }
    }

    fn reach_cluster(&mut self, vm: VmNumber, context: u32, token: u32, request: &CallRequest) {
        // Out of the way while it runs: it may hold what it likes.
        let cluster = self.shared.borrow_mut().clusters.remove(&request.cluster);
        let answer = match cluster {
            None => Answer::Unreachable,
            Some(mut cluster) => {
                let answer = cluster.answer(request);
                self.shared.borrow_mut().clusters.insert(request.cluster.clone(), cluster);
                answer
            }
        };
        self.schedule((vm, context, token), answer, request);
    }

    /// The calls that were [held](Answer::Held) and have not ended yet, in the order in which they were made.
    #[must_use]
    pub fn held(&self) -> Vec<HeldCall> {
        let waits = |call: &&HeldCall| {
            let (vm, context, token) = call.place;
            let vm = self.vms.get(&vm).filter(|vm| vm.failed().is_none());
            let root = vm.and_then(|vm| vm.state().root(context));
            root.is_some_and(|root| root.calls.contains(&token))
        };
        self.shared.borrow().held.iter().filter(waits).cloned().collect()
    }

    /// Ends a call that was held, or not yet: as [`Answer::After`] counts from now.
    pub fn answer(&mut self, call: &HeldCall, answer: Answer) {
        self.shared.borrow_mut().held.retain(|held| held.place != call.place);
        let untimed = CallRequest { timeout_ms: None, ..call.request.clone() };
        self.schedule(call.place, answer, &untimed);
    }

    fn hold(&mut self, place: (VmNumber, u32, u32), request: CallRequest) {
        let Some(vm) = self.vms.get(&place.0) else { return };
        let call = HeldCall { thread: vm.state().thread, request, since: self.now(), place };
        self.shared.borrow_mut().held.push(call);
    }

    fn schedule(
        &mut self,
        (vm, context, token): (VmNumber, u32, u32),
        answer: Answer,
        request: &CallRequest,
    ) {
        let timed_out = request.timeout_ms.map(|after| (after, CallEnd::Answered(cluster::timed_out())));
        let ends = match answer {
            Answer::After(delay, response) => Some((delay, CallEnd::Answered(response))),
            Answer::ResetAfter(delay) => Some((delay, CallEnd::Reset)),
            Answer::Unreachable => Some((0, CallEnd::Answered(cluster::unreachable()))),
            Answer::Never => None,
            Answer::Held => {
                self.hold((vm, context, token), request.clone());
                None
            }
        };
        let first = [ends, timed_out].into_iter().flatten().min_by_key(|(delay, _)| *delay);
        if let Some((delay, end)) = first {
            let mut shared = self.shared.borrow_mut();
            let due = shared.now_ns.saturating_add(delay.saturating_mul(NS_PER_MS));
            shared.due.at(due, Event::CallEnd { vm, context, token, end });
        }
    }

    /// Nobody is told of a call whose root context has ended meanwhile.
    fn end_call(&mut self, number: VmNumber, context: u32, token: u32, end: CallEnd) {
        let vm = self.vms.get_mut(&number);
        let Some(root) = vm.and_then(|vm| vm.state_mut().root_mut(context)) else { return };
        let Some(at) = root.calls.iter().position(|call| *call == token) else { return };
        root.calls.remove(at);
        let sizes = match end {
            CallEnd::Answered(response) => {
                let sizes = [response.headers.len(), response.body.len(), response.trailers.len()];
                root.response = Some(response);
                sizes
            }
            CallEnd::Reset => {
                root.status = (Status::BrokenConnection.code(), "reset".to_owned());
                [0; 3]
            }
        };
        let [headers, body, trailers] = sizes.map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let arguments = [context, token, headers, body, trailers];
        self.call(number, context, "proxy_on_http_call_response", &arguments);
        let vm = self.vms.get_mut(&number);
        if let Some(root) = vm.and_then(|vm| vm.state_mut().root_mut(context)) {
            root.response = None;
            root.status.1.clear();
        }
        self.act(number);
    }
}
