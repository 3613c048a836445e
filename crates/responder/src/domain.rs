//! Mail addresses and domains: what "an address of okta.com" means.

/// The domain of a mail address: what stands behind its only `@`, if something stands in front of it.
pub(crate) fn domain_of(address: &str) -> Option<&str> {
    match address.split_once('@') {
        Some((local, domain)) if !local.is_empty() && !domain.contains('@') => Some(domain),
        _ => None,
    }
}

/// Whether a domain is another one or a subdomain of it, without regard to ASCII case.
pub(crate) fn lies_within(domain: &str, parent: &str) -> bool {
    let Some((below, end)) = domain.len().checked_sub(parent.len()).and_then(|split| domain.split_at_checked(split))
    else {
        return false;
    };
    if !end.eq_ignore_ascii_case(parent) {
        return false;
    }
    match below.strip_suffix('.') {
        Some(labels) => labels.split('.').all(is_label),
        None => below.is_empty(),
    }
}

/// Letters, digits, hyphens and underscores, and whatever lies outside ASCII: nothing that could end a name or begin
/// another address.
fn is_label(label: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii();
    !label.is_empty() && label.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_lies_within_itself_and_its_parents_only() {
        for domain in ["okta.com", "OKTA.Com", "a.okta.com", "a-b.c_d.okta.com", "é.okta.com"] {
            assert!(lies_within(domain, "okta.com"), "{domain}");
        }
        for domain in ["", "com", "notokta.com", ".okta.com", "a..okta.com", "a b.okta.com", "a@b.okta.com", "ékta.com"]
        {
            assert!(!lies_within(domain, "okta.com"), "{domain}");
        }
    }

    #[test]
    fn an_address_has_one_at_sign_and_something_before_it() {
        assert_eq!(domain_of("a@okta.com"), Some("okta.com"));
        for address in ["", "okta.com", "@okta.com", "a@b@okta.com"] {
            assert_eq!(domain_of(address), None, "{address}");
        }
    }
}
