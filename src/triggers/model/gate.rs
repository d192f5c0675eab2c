//! Who goes first: requests of several clients in an order that the test chooses.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};

/// Lets one request at a time pass, when every client has one or has left.
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// How many clients are about; none of them is waited for where there is no order.
    clients: Option<usize>,
    waiting: BTreeSet<usize>,
    turn: Option<usize>,
    order: Vec<usize>,
}

impl Gate {
    /// Lets everybody pass.
    pub fn open() -> Self {
        Self::with(None, Vec::new())
    }

    /// For so many clients. Each number chooses among those that wait; when there is none left, the first goes.
    pub fn ordered(clients: usize, mut order: Vec<usize>) -> Self {
        order.reverse();
        Self::with(Some(clients), order)
    }

    fn with(clients: Option<usize>, order: Vec<usize>) -> Self {
        let state = State { clients, waiting: BTreeSet::new(), turn: None, order };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for this client's turn.
    pub fn pass(&self, client: usize) {
        let mut state = self.state.lock().expect("the gate");
        if state.clients.is_none() {
            return;
        }
        state.waiting.insert(client);
        state.choose();
        self.changed.notify_all();
        while state.turn != Some(client) {
            state = self.changed.wait(state).expect("the gate");
        }
        state.turn = None;
        state.waiting.remove(&client);
    }

    /// A client that sends nothing more.
    pub fn leave(&self) {
        let mut state = self.state.lock().expect("the gate");
        state.clients = state.clients.map(|c| c - 1);
        state.choose();
        self.changed.notify_all();
    }
}

impl State {
    fn choose(&mut self) {
        if self.turn.is_none() && self.clients == Some(self.waiting.len()) && !self.waiting.is_empty() {
            let number = self.order.pop().unwrap_or_default() % self.waiting.len();
            self.turn = self.waiting.iter().nth(number).copied();
        }
    }
}
