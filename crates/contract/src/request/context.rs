//! What several hook types say about the circumstances: the HTTP request that set off the hook, the user and the
//! session.

use super::Attributes;

lenient_objects! {
    /// The HTTP request that made Okta call the hook, `data.context.request`.
    RequestDetail {
        /// Id of that request, as in the `X-Okta-Request-Id` header and the System Log.
        id: String,
        /// HTTP method.
        method: String,
        /// Where it was sent to.
        url: RequestUrl,
        /// Address of the client.
        ip_address: String,
    }

    /// The address inside a [`RequestDetail`].
    RequestUrl {
        /// A path or a whole URL.
        value: String,
    }

    /// The user concerned, `data.context.user`.
    User {
        /// Okta id of the user.
        id: String,
        /// When the password was last changed, RFC 3339.
        password_changed: String,
        /// First and last name, login, locale and time zone.
        profile: Attributes,
        /// Where the user's groups and factors can be read.
        #[serde(rename = "_links")]
        links: Links,
    }

    /// Links of a [`User`].
    Links {
        /// The groups of the user.
        groups: Link,
        /// The factors of the user.
        factors: Link,
    }

    /// One link.
    Link {
        /// The address, relative or absolute.
        href: String,
    }

    /// The session of the user, `data.context.session`.
    Session {
        /// Id of the session.
        id: String,
        /// Okta id of its user.
        user_id: String,
        /// Login of its user.
        login: String,
        /// When it began, RFC 3339.
        created_at: String,
        /// When it ends, RFC 3339.
        expires_at: String,
        /// `ACTIVE`, `MFA_REQUIRED` and so on.
        status: String,
        /// When the password was last checked, RFC 3339.
        last_password_verification: String,
        /// How the user proved to be the user.
        amr: Vec<String>,
        /// Who vouched for the user.
        idp: IdentityProvider,
        /// Whether a second factor is set up.
        mfa_active: bool,
    }

    /// The identity provider of a [`Session`].
    IdentityProvider {
        /// Okta id of the provider; the org's id for Okta itself.
        id: String,
        /// `OKTA`, `ACTIVE_DIRECTORY`, `LDAP`, `FEDERATION` or `SOCIAL`.
        #[serde(rename = "type")]
        kind: String,
    }
}
