use super::call::{Call, Done};
use crate::shared::Event;

const NS_PER_MS: u64 = 1_000_000;

pub(super) fn now(call: &mut Call<'_>, time: u32) -> Done {
    let now = call.state().shared.borrow().now_ns;
    Ok(call.write_u64(time, now)?)
}

/// The timer belongs to the root context; 0 stops it. Setting it starts the period anew.
pub(super) fn set_tick_period(call: &mut Call<'_>, period_ms: u32) -> Done {
    let root = call.root_context();
    let state = call.state_mut();
    let vm = state.number;
    let Some(context) = state.root_mut(root) else { return Ok(()) };
    context.ticks_set += 1;
    let setting = context.ticks_set;
    let period = u64::from(period_ms).saturating_mul(NS_PER_MS);
    context.tick = (period > 0).then_some((period, setting));
    if period > 0 {
        let mut shared = state.shared.borrow_mut();
        let due = shared.now_ns.saturating_add(period);
        shared.due.at(due, Event::Tick { vm, context: root, setting });
    }
    Ok(())
}
