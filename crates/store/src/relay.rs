//! How answers get from the writer's thread to those who wait: one message for all who wait in one thread.
//!
//! To wake a task in another thread takes a system call. Of a group's answers, only the first that goes to a thread makes one;
//! a task there hands out the others.

use std::cell::RefCell;

use tokio::runtime::{self, Handle};
use tokio::sync::{mpsc, oneshot};

/// An answer on its way to who waits for it.
pub(crate) struct Delivery<T> {
    pub(crate) to: oneshot::Sender<T>,
    pub(crate) answer: T,
}

/// The way to those who wait in one thread; cheap to clone.
pub(crate) struct Relay<T>(mpsc::UnboundedSender<Vec<Delivery<T>>>);

impl<T> Clone for Relay<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Relay<T> {
    /// Whether both lead to the same task.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// Hands out answers. If their runtime has ended, nobody waits any longer.
    pub(crate) fn deliver(&self, deliveries: Vec<Delivery<T>>) {
        let _ = self.0.send(deliveries);
    }
}

/// The relay of each thread, and the runtime that its task runs on: a thread can run one runtime after another.
pub(crate) type Place<T> = RefCell<Option<(runtime::Id, Relay<T>)>>;

/// The relay of this thread, made if there is none. Must be called from within a runtime.
pub(crate) fn here<T: Send + 'static>(place: &Place<T>) -> Relay<T> {
    let runtime = Handle::current();
    let mut known = place.borrow_mut();
    if let Some((id, relay)) = &*known
        && *id == runtime.id()
        && !relay.0.is_closed()
    {
        return relay.clone();
    }
    let (sender, mut inbox) = mpsc::unbounded_channel::<Vec<Delivery<T>>>();
    runtime.spawn(async move {
        while let Some(deliveries) = inbox.recv().await {
            for Delivery { to, answer } in deliveries {
                // A caller that hung up does not want to know.
                let _ = to.send(answer);
            }
        }
    });
    let relay = Relay(sender);
    *known = Some((runtime.id(), relay.clone()));
    relay
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    /// Asks a thread for as many answers as there are senders.
    fn deliver(relay: Relay<usize>, to: Vec<oneshot::Sender<usize>>) -> std::thread::JoinHandle<()> {
        let deliveries = to.into_iter().enumerate().map(|(answer, to)| Delivery { to, answer }).collect();
        std::thread::spawn(move || relay.deliver(deliveries))
    }

    #[test]
    fn everybody_gets_their_own_answer_whichever_runtime_the_thread_runs() {
        let place = Place::default();
        let (first, second) = (runtime(), runtime());
        for runtime in [&first, &second, &first] {
            runtime.block_on(async {
                let relay = here(&place);
                assert!(relay.is(&here(&place)));
                let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel()).unzip();
                let thread = deliver(relay, senders);
                for (number, receiver) in receivers.into_iter().enumerate() {
                    assert_eq!(receiver.await.unwrap(), number);
                }
                thread.join().unwrap();
            });
        }
    }

    #[test]
    fn an_answer_for_a_runtime_that_has_ended_goes_nowhere() {
        let place = Place::default();
        let runtime = runtime();
        let relay = runtime.block_on(async { here(&place) });
        drop(runtime);
        let (sender, mut receiver) = oneshot::channel();
        deliver(relay, vec![sender]).join().unwrap();
        assert!(receiver.try_recv().is_err());
    }
}
