//! The token hook: a custom authorization server is about to return tokens.

use super::{Attributes, Member, RequestData, RequestDetail, Session, User};
use crate::HookType;

lenient_objects! {
    /// `data` of a token request.
    TokenData {
        /// Circumstances.
        context: TokenContext,
        /// The ID token to be returned, if one was asked for.
        identity: IdentityToken,
        /// The access token to be returned, if one was asked for.
        access: AccessToken,
        /// The refresh token, if there is one.
        #[serde(rename = "refresh_token")]
        refresh_token: RefreshToken,
    }

    /// `data.context` of a token request.
    TokenContext {
        /// The HTTP request that set off the hook.
        request: RequestDetail,
        /// The OAuth request.
        protocol: TokenProtocol,
        /// The session of the user, if a user takes part.
        session: Session,
        /// The user, if one takes part.
        user: User,
        /// The access policy that led to the hook.
        policy: TokenPolicy,
    }

    /// The OAuth request, `data.context.protocol`.
    TokenProtocol {
        /// `OAUTH2.0`.
        #[serde(rename = "type")]
        kind: String,
        /// Parameters of the authorization or token request.
        request: Attributes,
        /// The request that first got the refresh token being used now.
        #[serde(rename = "OriginalGrant")]
        original_grant: Attributes,
        /// The authorization server.
        issuer: OAuthIssuer,
        /// The client.
        client: OAuthClient,
    }

    /// The authorization server of a token request.
    OAuthIssuer {
        /// Its issuer URL.
        uri: String,
    }

    /// The client of a token request.
    OAuthClient {
        /// Client id.
        id: String,
        /// Name of the app.
        name: String,
        /// `PUBLIC` or `CONFIDENTIAL`.
        #[serde(rename = "type")]
        kind: String,
    }

    /// The access policy of a token request.
    TokenPolicy {
        /// Id of the policy.
        id: String,
        /// Its rule.
        rule: PolicyRule,
    }

    /// The rule of a [`TokenPolicy`].
    PolicyRule {
        /// Id of the rule.
        id: String,
    }

    /// The ID token to be returned.
    IdentityToken {
        /// Its claims so far.
        claims: Attributes,
        /// Its properties.
        token: TokenDetail,
    }

    /// The access token to be returned.
    AccessToken {
        /// Its claims so far.
        claims: Attributes,
        /// Its properties.
        token: TokenDetail,
        /// Its scopes by name, each with id and action.
        scopes: Attributes,
    }

    /// Properties of a token.
    TokenDetail {
        /// How long it will be valid.
        lifetime: Lifetime,
    }

    /// A lifetime.
    Lifetime {
        /// In seconds.
        expiration: i64,
    }

    /// The refresh token of a token request.
    RefreshToken {
        /// Its id.
        jti: String,
    }
}

impl RequestData for TokenData {
    const HOOK_TYPE: HookType = HookType::Token;
    const ORDER: [Member; 9] = [
        Member::Source,
        Member::EventId,
        Member::EventTime,
        Member::EventTypeVersion,
        Member::CloudEventVersion,
        Member::ContentType,
        Member::EventType,
        Member::RequestType,
        Member::Data,
    ];
}
