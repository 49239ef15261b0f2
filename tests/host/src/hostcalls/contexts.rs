use super::call::{Call, Done};
use crate::status::Status;
use crate::vm::Action;

/// Until the callback ends, hostcalls are about this context.
pub(super) fn set_effective(call: &mut Call<'_>, context: u32) -> Done {
    if !call.state().contexts.contains_key(&context) {
        return Err(Status::BadArgument.into());
    }
    call.state_mut().effective = context;
    Ok(())
}

/// Ends the waiting that `proxy_on_done` of a root context asked for.
pub(super) fn done(call: &mut Call<'_>) -> Done {
    let context = call.context();
    let state = call.state_mut();
    match state.root_mut(context) {
        Some(root) if root.awaits_done => {
            root.awaits_done = false;
            state.after_call.push(Action::Delete { context });
            Ok(())
        }
        _ => Err(Status::NotFound.into()),
    }
}

/// How the last call of the root context failed, also when a stream asks.
pub(super) fn get_status(call: &mut Call<'_>, code: u32, data: u32, size: u32) -> Done {
    let context = call.root_context();
    let (number, text) = call.state().root(context).map(|root| root.status.clone()).unwrap_or_default();
    call.write_u32(code, number)?;
    call.give(text.as_bytes(), data, size)
}
