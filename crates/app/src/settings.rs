//! What was configured, as far as the operations need to know it.

use std::time::Duration;

use hookwright_engine::DEFAULT_TIMEOUT;
use hookwright_model::address::{AddressPolicy, Network};
use hookwright_model::secret_display::SecretDisplay;

use crate::MailSettings;

/// The settings of an org.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base of `_links`, issuer and cookies, without a slash at its end.
    pub public_url: String,
    /// The login of the first administrator, who is made with the org; without it nobody's address is taken for that.
    pub admin_login: Option<String>,
    /// How a kept `authScheme` value is shown.
    pub secret_display: SecretDisplay,
    /// Which addresses hooks may be sent to.
    pub address_policy: AddressPolicy,
    /// The most inline hooks of all types together (Okta: 100).
    pub inline_hook_limit: u64,
    /// The time of one attempt to call a hook (Okta: 3 s, which its support can change).
    pub attempt_timeout: Duration,
    /// Whether calls are counted against Okta's rate limits.
    pub rate_limits: bool,
    /// How many forms of sign-up one network may send within an hour, where rate limits are on; 0 for any number.
    pub sign_ups_per_hour: u32,
    /// Proxies whose `X-Forwarded-For` tells where a request came from.
    pub trusted_proxies: Vec<Network>,
    /// Whether successful calls make a System Log event too, or failed ones only.
    pub log_successful_calls: bool,
    /// Where mails go; without it they stay in the outbox.
    pub mail: Option<MailSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            admin_login: None,
            secret_display: SecretDisplay::Mask,
            address_policy: AddressPolicy::default(),
            inline_hook_limit: 100,
            attempt_timeout: DEFAULT_TIMEOUT,
            rate_limits: true,
            sign_ups_per_hour: 60,
            trusted_proxies: Vec::new(),
            log_successful_calls: true,
            mail: None,
        }
    }
}
