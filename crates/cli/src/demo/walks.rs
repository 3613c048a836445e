//! The guide's "Preview and test" part: people sign up and sign in on the org's own pages, and the hook decides.

use serde_json::Value;

use super::client::Client;
use super::guide::{ALLOWED, DENIED, FOUR_DIGITS, FOUR_DIGITS_ONLY, OKTA_AND_FOUR_DIGITS, ONLY_OKTA};
use super::people::{self, EXISTING, PASSWORD};
use super::play::text;
use super::table::Row;
use super::visitor::{Said, Visitor};

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// Signs up with this address, and an employee number where the form asks for one.
    SignUp(&'static str, Option<&'static str>),
    /// [`EXISTING`] signs in and enters this employee number when asked.
    SignIn(&'static str),
}

/// Somebody's way through the pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    does: Does,
    /// Where the guide's service refuses: the field, and its words.
    refused: Option<(&'static str, &'static str)>,
}

/// The walks of the hook at this place among the guide's hooks.
pub(super) const fn of_hook(place: usize) -> &'static [Walk] {
    use Does::{SignIn, SignUp};
    const EMAIL: &str = "email";
    const NUMBER: &str = "employeeNumber";
    match place {
        0 => &[
            Walk { does: SignUp(ALLOWED, None), refused: None },
            Walk { does: SignUp(DENIED, None), refused: Some((EMAIL, ONLY_OKTA)) },
        ],
        1 => &[
            Walk { does: SignIn("1234"), refused: None },
            Walk { does: SignIn("12345"), refused: Some((NUMBER, FOUR_DIGITS)) },
        ],
        2 => &[
            Walk { does: SignUp(ALLOWED, Some("1234")), refused: None },
            Walk { does: SignUp(ALLOWED, Some("12345")), refused: Some((EMAIL, OKTA_AND_FOUR_DIGITS)) },
            Walk { does: SignUp(DENIED, Some("1234")), refused: Some((EMAIL, OKTA_AND_FOUR_DIGITS)) },
            Walk { does: SignIn("1234"), refused: None },
            Walk { does: SignIn("12345"), refused: Some((NUMBER, FOUR_DIGITS_ONLY)) },
        ],
        _ => &[],
    }
}

/// Where an app's people sign in.
pub(super) fn page_of(app: &str) -> String {
    format!("/signin?app={app}")
}

/// Walks, looks at what became of it, and leaves the org as it was: who signed up is removed again.
///
/// # Errors
/// The org did not answer, or showed another page than the walk leads to.
pub(super) async fn walk(client: &mut Client, app: &str, walk: &Walk) -> anyhow::Result<Row> {
    let login = match walk.does {
        Does::SignUp(email, _) => {
            people::remove(client, email).await?;
            email
        }
        Does::SignIn(_) => {
            people::forget_employee_number(client).await?;
            EXISTING
        }
    };
    let (mut visitor, asked) = (Visitor::new(client), asked(walk.does));
    visitor.open(&page_of(app)).await?;
    match walk.does {
        Does::SignUp(email, number) => sign_up(&mut visitor, email, number).await?,
        Does::SignIn(number) => {
            visitor.send("/signin/identify", &[("identifier", EXISTING), ("passcode", PASSWORD)]).await?;
            visitor.send("/signin/profile", &[("userProfile.employeeNumber", number)]).await?;
        }
    }
    let (took, said) = (visitor.took, visitor.said());
    let signed_in = said.is_empty() && finish(&mut visitor).await?;
    let stored = people::user(client, login).await?;
    let row = Row {
        asked,
        answered: answered(walk.does, signed_in).to_owned(),
        allowed: signed_in,
        took,
        means: meaning(walk.does, stored.as_ref(), &said),
        as_guide: as_guide(walk, signed_in, stored.as_ref(), &said),
    };
    match walk.does {
        Does::SignUp(email, _) => people::remove(client, email).await?,
        Does::SignIn(_) => people::forget_employee_number(client).await?,
    }
    Ok(row)
}

async fn sign_up(visitor: &mut Visitor<'_>, email: &str, number: Option<&str>) -> anyhow::Result<()> {
    visitor.send("/signin/sign-up", &[]).await?;
    let mut fields =
        vec![("userProfile.email", email), ("userProfile.firstName", "Rosario"), ("userProfile.lastName", "Jones")];
    fields.extend(number.map(|number| ("userProfile.employeeNumber", number)));
    visitor.send("/signin/register", &fields).await
}

/// Sets a password if that is asked for; whether the person is signed in then.
async fn finish(visitor: &mut Visitor<'_>) -> anyhow::Result<bool> {
    if visitor.path() == "/signin" {
        visitor.send("/signin/set-password", &[("passcode", PASSWORD)]).await?;
    }
    Ok(visitor.path() == "/app/UserHome" && !visitor.title().is_empty())
}

fn asked(does: Does) -> String {
    match does {
        Does::SignUp(email, None) => format!("{email} signs up"),
        Does::SignUp(email, Some(number)) => format!("{email} signs up, employee number {number}"),
        Does::SignIn(number) => format!("{EXISTING} signs in, employee number {number}"),
    }
}

const fn answered(does: Does, signed_in: bool) -> &'static str {
    match (does, signed_in) {
        (_, false) => "REFUSED",
        (Does::SignUp(..), true) => "CREATED",
        (Does::SignIn(_), true) => "UPDATED",
    }
}

/// What is stored now, and what the person reads.
fn meaning(does: Does, stored: Option<&Value>, said: &[Said]) -> String {
    let stored = match (does, stored) {
        (_, None) => "No user.".to_owned(),
        (_, Some(user)) => {
            let profile = |name: &str| user.pointer(&format!("/profile/{name}")).and_then(Value::as_str);
            let (first, last) = (profile("firstName").unwrap_or_default(), profile("lastName").unwrap_or_default());
            let number = profile("employeeNumber").map_or_else(String::new, |number| format!(", number {number}"));
            format!("User {}: {first} {last}, {}{number}.", text(user, "id"), text(user, "status"))
        }
    };
    let shown = said.iter().map(|said| match &said.field {
        Some(field) => format!(" Shown at {field}: {}", said.text),
        None => format!(" Shown: {}", said.text),
    });
    stored + &shown.collect::<String>()
}

/// Whether it ended as the guide says: with the user or the new number, or with the service's words and neither.
fn as_guide(walk: &Walk, signed_in: bool, stored: Option<&Value>, said: &[Said]) -> bool {
    let number = stored.and_then(|user| user.pointer("/profile/employeeNumber")).and_then(Value::as_str);
    let (changed, wanted) = match walk.does {
        Does::SignUp(_, wanted) => (stored.is_some(), wanted),
        Does::SignIn(wanted) => (number.is_some(), Some(wanted)),
    };
    match walk.refused {
        None => signed_in && changed && number == wanted,
        Some((field, words)) => {
            let [said] = said else { return false };
            !signed_in && !changed && said.field.as_deref() == Some(field) && said.text == words
        }
    }
}
