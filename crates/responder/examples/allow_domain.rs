//! Lets people of one domain sign up. Run it with `cargo run -p hookwright-responder --example allow_domain`.

use hookwright_responder::{Answer, Cause, RegistrationRequest, Responder, ServeError};

pub(crate) fn service() -> Responder {
    Responder::new()
        .registration("/hook", |request: RegistrationRequest| async move {
            if request.text("email").is_some_and(|email| email.ends_with("@okta.com")) {
                Answer::allow()
            } else {
                Answer::deny("Please sign up with your okta.com address.").cause(
                    Cause::at("data.userProfile.email", "Only okta.com addresses can sign up.")
                        .reason("INVALID_EMAIL_DOMAIN"),
                )
            }
        })
        .basic_auth("admin", "supersecret")
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    service().serve("127.0.0.1:8081").await
}
