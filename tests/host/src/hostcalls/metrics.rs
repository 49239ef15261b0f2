//! Metrics: numbers belong to a VM, values to the proxy.

use super::call::{Call, Done};
use crate::status::Status;

/// The kind stands in the lowest bits of a metric's number.
const KIND_MASK: u32 = 3;
const STEP: u32 = 4;
const COUNTER: u32 = 0;
const GAUGE: u32 = 1;
const HISTOGRAM: u32 = 2;

/// Every definition gets a number of its own, also a second one of the same name.
pub(super) fn define(call: &mut Call<'_>, kind: u32, name: u32, name_size: u32, metric: u32) -> Done {
    let name = call.read_text(name, name_size)?;
    let state = call.state_mut();
    let kind = usize::try_from(kind).unwrap_or(usize::MAX);
    let next = state.next_metric.get_mut(kind).ok_or(Status::BadArgument)?;
    let number = *next;
    *next += STEP;
    state.metrics.insert(number, name.clone());
    state.shared.borrow_mut().metrics.entry(name).or_default();
    Ok(call.write_u32(metric, number)?)
}

pub(super) fn increment(call: &mut Call<'_>, metric: u32, offset: i64) -> Done {
    let kind = metric & KIND_MASK;
    if kind != COUNTER && kind != GAUGE {
        return Err(Status::BadArgument.into());
    }
    if kind == COUNTER && offset <= 0 && call.state().metrics.contains_key(&metric) {
        return Err(Status::BadArgument.into());
    }
    change(call, metric, |value| value.wrapping_add_signed(offset))
}

/// A counter is added to; a gauge is set; a histogram takes a sample, of which this host keeps the count.
pub(super) fn record(call: &mut Call<'_>, metric: u32, value: u64) -> Done {
    match metric & KIND_MASK {
        COUNTER => change(call, metric, |before| before.wrapping_add(value)),
        GAUGE => {
            change(call, metric, |_| value)?;
            let state = call.state_mut();
            let name = state.metrics.get(&metric).ok_or(Status::NotFound)?.clone();
            state.gauges.insert(name, value);
            Ok(())
        }
        HISTOGRAM => change(call, metric, |samples| samples + 1),
        _ => Err(Status::NotFound.into()),
    }
}

pub(super) fn get(call: &mut Call<'_>, metric: u32, value: u32) -> Done {
    if metric & KIND_MASK > GAUGE {
        return Err(Status::BadArgument.into());
    }
    let state = call.state();
    let name = state.metrics.get(&metric).ok_or(Status::NotFound)?;
    let number = state.shared.borrow().metrics.get(name).copied().unwrap_or(0);
    Ok(call.write_u64(value, number)?)
}

fn change(call: &mut Call<'_>, metric: u32, change: impl FnOnce(u64) -> u64) -> Done {
    let state = call.state();
    let name = state.metrics.get(&metric).ok_or(Status::NotFound)?;
    let mut shared = state.shared.borrow_mut();
    let value = shared.metrics.entry(name.clone()).or_default();
    *value = change(*value);
    Ok(())
}
