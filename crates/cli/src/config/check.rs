//! What a setting may not be: told at the start by the setting's name, since later it would only look like a fault.

use std::net::SocketAddr;

use anyhow::{Context, anyhow, bail};
use hookwright_app::MailSettings;
use secrecy::ExposeSecret;
use url::{Host, Url};

use super::Layer;

/// 128 bits in hexadecimal digits.
const LEAST_TOKEN_CHARACTERS: usize = 32;
/// 32 random hexadecimal digits have fewer different ones once in five billion times.
const LEAST_DISTINCT: usize = 7;

impl Layer {
    /// Looks at everything that can be judged before anything is opened or made.
    ///
    /// # Errors
    /// A setting that can't be used, by its name and without its value where that is a secret.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let counts = [
            ("max_connections", self.max_connections.map(|count| count as u64)),
            ("max_connections_per_address", self.max_connections_per_address.map(|count| count as u64)),
            ("max_calls", self.max_calls.map(|count| count as u64)),
            ("max_calls_per_hook", self.max_calls_per_hook.map(|count| count as u64)),
            ("retention_days", self.retention_days.map(u64::from)),
            ("retention_mb", self.retention_mb),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count == Some(0)) {
            bail!("{key}: 0 would leave nothing; the least is 1");
        }
        self.check_api_token()?;
        self.check_listen()?;
        self.public_base()?;
        self.address_policy()?;
        self.check_proxies()?;
        self.egress_proxy()?;
        if let Some(mail) = self.mail()? {
            mail.check().map_err(|reason| anyhow!("smtp_url, mail_from: {reason}"))?;
        }
        Ok(())
    }

    /// Passwords, tokens and sessions must not cross a network in the clear. A development org says so instead of refusing.
    fn check_listen(&self) -> anyhow::Result<()> {
        if let Some(listen) = self.open_listener()
            && !self.is_development()
            && !self.behind_proxy.unwrap_or(false)
        {
            bail!(
                "listen: {listen} is not loopback, and what is served there is plain HTTP; put a proxy with TLS in front, \
                 and say so by its https:// address in --public-url or with --behind-proxy"
            );
        }
        Ok(())
    }

    /// Behind a proxy whose word does not count, all clients are one: ten wrong passwords a minute would stop sign-in for all of
    /// them. A development org says so instead of refusing.
    fn check_proxies(&self) -> anyhow::Result<()> {
        if let Some(setting) = self.proxy_without_word()?
            && !self.is_development()
        {
            bail!(
                "trusted_proxies: {setting} says that a proxy is in front, and without its network here everybody counts as one \
                 client, so that a few wrong passwords stop sign-in for all: name it, as in --trusted-proxies 127.0.0.1 or \
                 10.0.0.0/8, and let the proxy append to X-Forwarded-For"
            );
        }
        Ok(())
    }

    /// The setting that says that a proxy is in front, if none is named whose word about clients counts.
    ///
    /// # Errors
    /// Those of [`Layer::trusted_proxies`].
    pub(crate) fn proxy_without_word(&self) -> anyhow::Result<Option<&'static str>> {
        let said = match self.behind_proxy {
            Some(true) => Some("--behind-proxy"),
            _ if self.has_https() => Some("the https:// address in --public-url"),
            _ => None,
        };
        Ok(if self.trusted_proxies()?.is_empty() { said } else { None })
    }

    /// TLS is not ended here, so that an address with it is that of a proxy.
    fn has_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// The address that others can reach, if nothing says that TLS stands in front of it.
    pub(crate) fn open_listener(&self) -> Option<SocketAddr> {
        self.listen.filter(|listen| !self.has_https() && !listen.ip().to_canonical().is_loopback())
    }

    fn check_api_token(&self) -> anyhow::Result<()> {
        let Some(token) = &self.api_token else { return Ok(()) };
        let token = token.expose_secret();
        if token.is_empty() {
            bail!("api_token: it is empty; give it a value, or leave it out to have one made");
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("api_token: a token has visible ASCII characters only, and no blank");
        }
        if !self.is_development() && is_weak(token) {
            bail!(
                "api_token: it can be guessed; take at least {LEAST_TOKEN_CHARACTERS} random characters, such as those of \
                 `openssl rand -hex 32`, or leave it out to have one made; only --development takes others"
            );
        }
        Ok(())
    }

    /// The public URL without a slash at its end, if one is set.
    ///
    /// # Errors
    /// It is no `http` or `https` URL of a whole host: the pages and cookies of the org need one to themselves.
    pub(crate) fn public_base(&self) -> anyhow::Result<Option<String>> {
        let Some(text) = &self.public_url else { return Ok(None) };
        let expected = || format!("public_url: {text:?} can't be used; expected a URL such as https://org.example.com");
        let url = Url::parse(text).with_context(expected)?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            bail!(expected());
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            bail!("public_url: {text:?} has more than a scheme, a host and a port; an org has a host to itself");
        }
        Ok(Some(text.trim_end_matches('/').to_owned()))
    }

    /// Whether links lead to an address that nobody can open: that of a listener on all of a machine's.
    pub(crate) fn lacks_public_url(&self, listener: SocketAddr) -> bool {
        self.public_url.is_none() && listener.ip().is_unspecified()
    }

    /// The mail server and the sender, if there is a server.
    ///
    /// # Errors
    /// Those of [`Layer::public_base`], whose host the sender is at by default.
    pub(crate) fn mail(&self) -> anyhow::Result<Option<MailSettings>> {
        let Some(smtp_url) = self.smtp_url.clone() else { return Ok(None) };
        let from = match (&self.mail_from, self.public_base()?) {
            (Some(from), _) => from.clone(),
            (None, base) => match base.as_deref().map(Url::parse).transpose()?.as_ref().and_then(Url::host) {
                Some(Host::Domain(name)) => format!("no-reply@{name}"),
                _ => "no-reply@localhost".to_owned(),
            },
        };
        Ok(Some(MailSettings { smtp_url, from }))
    }
}

/// Whether a token is too short for its kind of characters, or hardly more than one character again and again.
fn is_weak(token: &str) -> bool {
    let distinct: std::collections::HashSet<u8> = token.bytes().collect();
    token.len() < LEAST_TOKEN_CHARACTERS || distinct.len() < LEAST_DISTINCT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Layer {
        Layer::from_toml(text).unwrap()
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named_and_no_secret_is_shown() {
        for (text, key) in [
            ("max_connections = 0", "max_connections:"),
            ("max_connections_per_address = 0", "max_connections_per_address:"),
            ("max_calls = 0", "max_calls:"),
            ("max_calls_per_hook = 0", "max_calls_per_hook:"),
            ("retention_days = 0", "retention_days:"),
            ("retention_mb = 0", "retention_mb:"),
            ("api_token = \"\"", "api_token:"),
            ("api_token = \"s3cret of two\"", "api_token:"),
            ("api_token = \"s3cret\"", "api_token:"),
            ("api_token = \"s3cret-of-31-characters-in-all-\"", "api_token:"),
            ("api_token = \"s3crets3crets3crets3crets3crets3crets3cret\"", "api_token:"),
            ("public_url = \"org.example.com\"", "public_url:"),
            ("public_url = \"ftp://org.example.com\"", "public_url:"),
            ("public_url = \"https://org.example.com/hooks\"", "public_url:"),
            ("public_url = \"https://org.example.com/?a=b\"", "public_url:"),
            ("smtp_url = \"http://user:s3cret@mail.example\"", "smtp_url"),
            ("smtp_url = \"smtp://mail.example\"\nmail_from = \"nobody\"", "mail_from"),
            ("egress_proxy = \"socks5://user:s3cret@proxy\"", "egress_proxy"),
        ] {
            let error = format!("{:#}", settings(text).check().unwrap_err());
            assert!(error.contains(key) && !error.contains("s3cret"), "{text}: {error}");
        }
    }

    #[test]
    fn settings_that_can_be_used_pass() {
        for text in [
            "",
            "public_url = \"https://org.example.com/\"\ntrusted_proxies = [\"127.0.0.1\"]",
            "public_url = \"http://[::1]:8080\"",
            "api_token = \"0123456789abcdef0123456789abcdef\"",
            "api_token = \"a\"\ndevelopment = true",
        ] {
            settings(text).check().unwrap();
        }
    }

    #[test]
    fn plain_http_beyond_this_machine_needs_a_word_that_tls_is_in_front() {
        for listen in ["0.0.0.0:80", "[::]:80", "192.168.0.1:80"] {
            let checked = |more: &str| settings(&format!("listen = \"{listen}\"\n{more}"));
            for more in ["", "public_url = \"http://org.example\"", "behind_proxy = false"] {
                let error = checked(more).check().unwrap_err().to_string();
                assert!(error.starts_with("listen:") && error.contains("--behind-proxy"), "{listen} {more}: {error}");
            }
            let named = "trusted_proxies = [\"10.0.0.0/8\"]\n";
            for more in ["behind_proxy = true", "public_url = \"https://org.example\"", "development = true"] {
                checked(&format!("{named}{more}")).check().unwrap();
            }
            assert!(checked("behind_proxy = true").open_listener().is_some(), "cookies go without Secure");
            assert!(checked("public_url = \"https://org.example\"").open_listener().is_none());
        }
        for listen in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            settings(&format!("listen = \"{listen}\"")).check().unwrap();
        }
    }

    #[test]
    fn a_proxy_whose_word_does_not_count_is_refused() {
        for proxy in ["behind_proxy = true", "public_url = \"https://org.example\""] {
            let error = settings(proxy).check().unwrap_err().to_string();
            assert!(error.starts_with("trusted_proxies:") && error.contains("--trusted-proxies 127.0.0.1"), "{error}");
            settings(&format!("{proxy}\ntrusted_proxies = [\"127.0.0.1\"]")).check().unwrap();
            let development = settings(&format!("{proxy}\ndevelopment = true"));
            development.check().unwrap();
            assert!(development.proxy_without_word().unwrap().is_some(), "it is not said");
        }
        assert_eq!(settings("public_url = \"http://org.example\"").proxy_without_word().unwrap(), None);
    }

    #[test]
    fn a_listener_on_every_address_needs_a_public_url() {
        for (text, listener, lacks) in [
            ("", "0.0.0.0:8080", true),
            ("", "[::]:8080", true),
            ("", "127.0.0.1:8080", false),
            ("public_url = \"https://org.example.com\"", "0.0.0.0:8080", false),
        ] {
            assert_eq!(settings(text).lacks_public_url(listener.parse().unwrap()), lacks, "{text} {listener}");
        }
    }

    #[test]
    fn mails_come_from_the_host_of_the_public_url_unless_something_else_is_said() {
        for (text, from) in [
            ("", "no-reply@localhost"),
            ("public_url = \"https://org.example.com:8443\"", "no-reply@org.example.com"),
            ("public_url = \"http://[::1]:8080\"", "no-reply@localhost"),
            ("mail_from = \"Org <org@example.com>\"", "Org <org@example.com>"),
        ] {
            let mail = settings(&format!("smtp_url = \"smtp://mail.example\"\n{text}")).mail().unwrap().unwrap();
            assert_eq!(mail.from, from);
            mail.check().unwrap();
        }
    }
}
