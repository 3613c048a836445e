//! Work that ends even if nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Makes a future that, once it was polled, runs to its end: if it is dropped before, it goes on in a task of its own.
///
/// A caller who hangs up thus stops neither a call that the service may be acting on nor the record of it, and costs nothing
/// where nobody hangs up. Outside of a tokio runtime a drop is just a drop.
pub fn run_to_end<F>(future: F) -> RunToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    RunToEnd { future: Some(Box::pin(future)), begun: false }
}

/// The future that [`run_to_end`] makes.
#[derive(Debug)]
pub struct RunToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    future: Option<Pin<Box<F>>>,
    begun: bool,
}

impl<F> Future for RunToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.begun = true;
        // Polled again after its end, it waits for ever, as a fused future does. It is taken out while it runs, so that one
        // that panics is gone, also for whoever catches the panic and drops this later.
        let Some(mut future) = self.future.take() else { return Poll::Pending };
        let result = future.as_mut().poll(context);
        if result.is_pending() {
            self.future = Some(future);
        }
        result
    }
}

impl<F> Drop for RunToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn drop(&mut self) {
        if self.begun
            && let Some(future) = self.future.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_has_begun_ends_although_its_future_is_dropped() {
        let (ended, was_ended) = oneshot::channel();
        let work = run_to_end(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            ended.send("ended").unwrap();
        });
        assert!(tokio::time::timeout(Duration::from_millis(1), work).await.is_err());
        assert_eq!(was_ended.await, Ok("ended"));
    }

    #[tokio::test]
    async fn work_that_has_not_begun_never_does() {
        let (ended, was_ended) = oneshot::channel();
        drop(run_to_end(async move { ended.send("ended").unwrap() }));
        assert!(was_ended.await.is_err());
    }

    #[tokio::test]
    async fn work_that_is_waited_for_gives_its_result() {
        assert_eq!(run_to_end(async { 7 }).await, 7);
    }

    #[tokio::test]
    async fn a_panic_in_the_work_is_not_run_again() {
        let mut work = Box::pin(run_to_end(async { panic!("on purpose") }));
        let mut context = Context::from_waker(std::task::Waker::noop());
        let polled = std::panic::AssertUnwindSafe(|| work.as_mut().poll(&mut context));
        assert!(std::panic::catch_unwind(polled).is_err());
        assert!(work.future.is_none());
    }
}
