//! What a flow must do with the result of a hook call: one table for all hook types.

/// What the flow that called the hook does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowDecision {
    /// The flow goes on, with the commands of the answer applied, if any.
    Proceed,
    /// The flow ends; nothing is stored.
    Stop,
    /// The flow goes on as if there were no hook; nothing of the answer is applied.
    ContinueUnchanged,
    /// Okta's built-in provider sends the passcode.
    FallbackProvider,
}
