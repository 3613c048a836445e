//! A service that asks for an access token, for hooks of type `OAUTH`.

use hookwright_responder::{AccessTokens, Answer, RegistrationRequest, Responder};

pub(crate) fn service(issuer: &str, jwks_url: &str) -> Result<Responder, hookwright_responder::BadKeyUrl> {
    let tokens = AccessTokens::fetching(issuer, "api://hooks", jwks_url)?.scope("hook:call");
    Ok(Responder::new()
        .registration("/hook", |request: RegistrationRequest| async move {
            if request.text("email").is_some() { Answer::allow() } else { Answer::deny("An email address is needed.") }
        })
        .access_tokens(tokens))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = "https://example.okta.com/oauth2/default";
    Ok(service(issuer, &format!("{issuer}/v1/keys"))?.serve("127.0.0.1:8081").await?)
}
