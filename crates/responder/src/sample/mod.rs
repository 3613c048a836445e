//! The three endpoints of Okta's guide "Registration inline hook", with the guide's answers member for member.
//!
//! | path | sign-up | profile update |
//! |---|---|---|
//! | `/registrationHookSSR` | the domain of `login` decides | `{}` |
//! | `/registrationHookPP` | `{}` | `employeeNumber` decides |
//! | `/registrationHookSSRandPP` | the domain of `email` and `employeeNumber` decide | `employeeNumber` decides |

mod decision;
mod judge;
mod log;

use axum::Router;
use hookwright_contract::request::{RegistrationData, RegistrationRequest};

use crate::{Answer, Problem, Responder};
use decision::{Decision, decide_both, decide_progressive, decide_sign_up};
pub use judge::Matching;

/// The paths of the three endpoints.
pub const PATHS: [&str; 3] = [SSR, PP, SSR_AND_PP];

const SSR: &str = "/registrationHookSSR";
const PP: &str = "/registrationHookPP";
const SSR_AND_PP: &str = "/registrationHookSSRandPP";

/// The sample service, open to everybody: add credentials, then serve it.
///
/// ```no_run
/// # use hookwright_responder::sample::{self, Matching};
/// # async fn run() -> Result<(), hookwright_responder::ServeError> {
/// sample::responder(Matching::Strict).basic_auth("admin", "supersecret").serve("127.0.0.1:8081").await
/// # }
/// ```
#[must_use]
pub fn responder(matching: Matching) -> Responder {
    Responder::new()
        .registration(SSR, move |request| async move { logged(SSR, &request, decide_sign_up(matching, &request)) })
        .registration(PP, move |request| async move { logged(PP, &request, decide_progressive(matching, &request)) })
        .registration(SSR_AND_PP, move |request| async move {
            logged(SSR_AND_PP, &request, decide_both(matching, &request))
        })
}

/// The sample service as an axum router, open to everybody.
pub fn router(matching: Matching) -> Router {
    responder(matching).into_router()
}

fn logged(
    path: &str,
    request: &RegistrationRequest,
    decision: Result<Decision, Problem>,
) -> Result<Answer<RegistrationData>, Problem> {
    decision.map(|decision| {
        log::decided(path, request, decision.outcome);
        decision.answer
    })
}
