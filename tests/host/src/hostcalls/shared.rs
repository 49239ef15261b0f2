//! Shared data and shared queues.

use super::call::{Call, Done};
use crate::shared::Event;
use crate::status::Status;

pub(super) fn get_data(call: &mut Call<'_>, key: u32, key_size: u32, data: u32, size: u32, cas: u32) -> Done {
    let key = call.read(key, key_size)?;
    let state = call.state();
    let found = state.shared.borrow().data.get(&state.configuration.vm_id, &key).cloned();
    let (value, number) = found.ok_or(Status::NotFound)?;
    call.give(&value, data, size)?;
    Ok(call.write_u32(cas, number)?)
}

pub(super) fn set_data(
    call: &mut Call<'_>,
    key: u32,
    key_size: u32,
    value: u32,
    value_size: u32,
    cas: u32,
) -> Done {
    let (key, value) = (call.read(key, key_size)?, call.read(value, value_size)?);
    let state = call.state();
    let written = state.shared.borrow_mut().data.set(&state.configuration.vm_id, &key, &value, cas);
    if written { Ok(()) } else { Err(Status::CasMismatch.into()) }
}

/// Whoever registers last is woken, alone.
pub(super) fn register_queue(call: &mut Call<'_>, name: u32, name_size: u32, token: u32) -> Done {
    let name = call.read(name, name_size)?;
    let root = call.root_context();
    let state = call.state();
    let wakes = (state.number, root);
    let number = state.shared.borrow_mut().queues.register(&state.configuration.vm_id, &name, wakes);
    Ok(call.write_u32(token, number)?)
}

/// An empty `vm_id` is the own one.
pub(super) fn resolve_queue(
    call: &mut Call<'_>,
    vm_id: u32,
    vm_id_size: u32,
    name: u32,
    name_size: u32,
    token: u32,
) -> Done {
    let (vm_id, name) = (call.read_text(vm_id, vm_id_size)?, call.read(name, name_size)?);
    let state = call.state();
    let vm_id = if vm_id.is_empty() { &state.configuration.vm_id } else { &vm_id };
    let number = state.shared.borrow().queues.resolve(vm_id, &name);
    Ok(call.write_u32(token, number.ok_or(Status::NotFound)?)?)
}

pub(super) fn enqueue(call: &mut Call<'_>, token: u32, data: u32, size: u32) -> Done {
    let item = call.read(data, size)?;
    let mut shared = call.state().shared.borrow_mut();
    let (vm, context) = shared.queues.enqueue(token, &item).ok_or(Status::NotFound)?;
    let now = shared.now_ns;
    shared.due.at(now, Event::QueueReady { vm, context, queue: token });
    Ok(())
}

pub(super) fn dequeue(call: &mut Call<'_>, token: u32, data: u32, size: u32) -> Done {
    let found = call.state().shared.borrow_mut().queues.dequeue(token);
    let item = found.ok_or(Status::NotFound)?.ok_or(Status::Empty)?;
    call.give(&item, data, size)
}
