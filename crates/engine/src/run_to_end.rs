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
        // Polled again after its end, it waits for ever, as a fused future does.
        let Some(future) = self.future.as_mut() else { return Poll::Pending };
        let result = std::task::ready!(future.as_mut().poll(context));
        self.future = None;
        Poll::Ready(result)
    }
}

impl<F> Drop for RunToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn drop(&mut self) {
        // What has panicked must not be polled again.
        if self.begun
            && !std::thread::panicking()
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

    #[test]
    fn a_panic_in_the_work_is_not_run_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let work = async { run_to_end(async { panic!("on purpose") }).await };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(work))).is_err());
    }
}
