//! What a user granted a client by signing in: the tokens of one sign-in hang together, and end together.

use super::{REFRESH_GRACE, Scopes};
use crate::Timestamp;
use crate::id::{AppId, UserId};

/// What was granted when a code was exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Unique key, opaque. Access tokens name it.
    pub id: String,
    /// SHA-256 of the code that it was exchanged for.
    pub code_sha256: [u8; 32],
    /// The app of the client.
    pub application: AppId,
    /// The user.
    pub user: UserId,
    /// The scopes.
    pub scopes: Scopes,
    /// When the user proved who they are.
    pub authenticated: Timestamp,
    /// When it was granted.
    pub created: Timestamp,
    /// When it ends in any case.
    pub expires: Timestamp,
    /// When it was taken back, if it was.
    pub revoked: Option<Timestamp>,
}

impl Grant {
    /// Whether its tokens still count.
    #[must_use]
    pub fn is_alive_at(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}

/// A refresh token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub sha256: [u8; 32],
    /// The grant.
    pub grant: String,
    /// When it was given out.
    pub created: Timestamp,
    /// When it was first exchanged, if the client gets a new one each time.
    pub first_used: Option<Timestamp>,
    /// When it dies if it is not used.
    pub expires: Timestamp,
}

/// What a refresh token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshJudgement {
    /// It can be exchanged.
    Good,
    /// Nothing.
    Worthless,
    /// It was exchanged before, and not just now: two parties have it. The grant must end (RFC 9700 section 4.14.2).
    Reused,
}

/// Judges a refresh token.
#[must_use]
pub fn judge_refresh(token: &RefreshToken, grant: &Grant, application: &AppId, now: Timestamp) -> RefreshJudgement {
    // A clock that was set back revives nothing.
    let now = now.max(token.created);
    if grant.application != *application || !grant.is_alive_at(now) || now >= token.expires {
        return RefreshJudgement::Worthless;
    }
    match token.first_used {
        Some(first_used) if now.since(first_used) > REFRESH_GRACE => RefreshJudgement::Reused,
        _ => RefreshJudgement::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_judged_by_its_owner_its_age_and_its_uses() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let (mine, other) = (AppId::from_text("0oa1"), AppId::from_text("0oa2"));
        let grant = Grant {
            id: "g".to_owned(),
            code_sha256: [0; 32],
            application: mine.clone(),
            user: UserId::from_text("00u1"),
            scopes: Scopes::granted("openid offline_access"),
            authenticated: at(0),
            created: at(1),
            expires: at(10_000),
            revoked: None,
        };
        let token =
            RefreshToken { sha256: [1; 32], grant: "g".to_owned(), created: at(1), first_used: None, expires: at(500) };
        let judge = |token: &RefreshToken, now| judge_refresh(token, &grant, &mine, at(now));
        assert_eq!(judge(&token, 499), RefreshJudgement::Good);
        assert_eq!(judge(&token, 500), RefreshJudgement::Worthless);
        let used = RefreshToken { first_used: Some(at(100)), ..token.clone() };
        assert_eq!(judge(&used, 130), RefreshJudgement::Good);
        assert_eq!(judge(&used, 131), RefreshJudgement::Reused);
        assert_eq!(judge_refresh(&token, &grant, &other, at(2)), RefreshJudgement::Worthless);
        assert_eq!(judge_refresh(&used, &grant, &other, at(300)), RefreshJudgement::Worthless);
        let revoked = Grant { revoked: Some(at(1)), ..grant.clone() };
        assert_eq!(judge_refresh(&token, &revoked, &mine, at(2)), RefreshJudgement::Worthless);
        let over = Grant { expires: at(5), ..grant.clone() };
        assert_eq!(judge_refresh(&token, &over, &mine, at(5)), RefreshJudgement::Worthless);
    }
}
