//! The menu and the orders, in memory and bounded.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// How many orders are remembered; the oldest is forgotten for a new one.
const MAX_ORDERS: usize = 1_000;
/// How many items one order may name.
pub(crate) const MAX_ITEMS: usize = 100;

/// Something to eat.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MenuItem {
    id: u32,
    name: &'static str,
    /// In cents.
    price: u32,
}

/// What someone wants to eat.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    id: u64,
    /// Whom `x-user-id` named; null without that header.
    user_id: Option<String>,
    /// Ids of menu items.
    items: Vec<u32>,
    status: Status,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Placed,
    Preparing,
    OnTheWay,
    Delivered,
}

/// Why an order is not accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OrderRefused {
    /// Not between 1 and [`MAX_ITEMS`] items.
    ItemCount,
    /// The menu has no item of this id.
    NotOnTheMenu(u32),
}

/// All that the restaurant remembers, until it is restarted.
#[derive(Debug)]
pub(crate) struct Kitchen {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    menu: Vec<MenuItem>,
    orders: VecDeque<Order>,
    next_order: u64,
}

impl Kitchen {
    /// A kitchen with a full menu and no orders.
    pub(crate) fn new() -> Self {
        let item = |id, name, price| MenuItem { id, name, price };
        let menu = vec![
            item(1, "Margherita", 950),
            item(2, "Masala dosa", 820),
            item(3, "Paneer tikka", 1_140),
            item(4, "Ramen", 1_290),
            item(5, "Lemonade", 350),
        ];
        Self { state: Mutex::new(State { menu, orders: VecDeque::new(), next_order: 1 }) }
    }

    pub(crate) fn menu(&self) -> Vec<MenuItem> {
        self.lock().menu.clone()
    }

    /// Takes an item off the menu; `None` when it is not there.
    pub(crate) fn remove_from_menu(&self, id: u32) -> Option<MenuItem> {
        let mut state = self.lock();
        let at = state.menu.iter().position(|item| item.id == id)?;
        Some(state.menu.remove(at))
    }

    /// The orders for which `wanted` holds, oldest first.
    pub(crate) fn orders(&self, wanted: impl Fn(Option<&str>) -> bool) -> Vec<Order> {
        let state = self.lock();
        state.orders.iter().filter(|order| wanted(order.user_id.as_deref())).cloned().collect()
    }

    /// Places an order, for whomever.
    ///
    /// # Errors
    /// What is ordered is too much, nothing, or not on the menu.
    pub(crate) fn place(&self, user_id: Option<String>, items: Vec<u32>) -> Result<Order, OrderRefused> {
        if items.is_empty() || items.len() > MAX_ITEMS {
            return Err(OrderRefused::ItemCount);
        }
        let mut state = self.lock();
        if let Some(id) = items.iter().find(|id| !state.menu.iter().any(|item| item.id == **id)) {
            return Err(OrderRefused::NotOnTheMenu(*id));
        }
        if state.orders.len() == MAX_ORDERS {
            state.orders.pop_front();
        }
        let order = Order { id: state.next_order, user_id, items, status: Status::Placed };
        state.next_order += 1;
        state.orders.push_back(order.clone());
        Ok(order)
    }

    /// Sets how far an order has come; `None` when there is no such order.
    pub(crate) fn set_status(&self, id: u64, status: Status) -> Option<Order> {
        let mut state = self.lock();
        let order = state.orders.iter_mut().find(|order| order.id == id)?;
        order.status = status;
        Some(order.clone())
    }

    /// Every change above is complete before it can panic, so a poisoned lock still guards a whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
