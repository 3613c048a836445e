//! What a patch may touch: operations, paths, system claims and lifetimes, before anything is looked up.
//!
//! Source: Okta's references of the token inline hook (with its tables of reserved claims) and of the SAML assertion
//! inline hook.

use std::borrow::Cow;

use super::Target;
use crate::command::{PatchOp, PatchOperation};
use crate::fault::{Fault, Reason, one_of};
use crate::json::{self, MAX_DEPTH, Value};
use crate::shown::{kind, nearest, quote};

/// System claims of both tokens.
const RESERVED: [&str; 12] =
    ["acr", "auth_time", "cid", "cnf", "exp", "groups", "iat", "iss", "jti", "sid", "token_type", "ver"];

/// System claims of access tokens, besides.
const RESERVED_IN_ACCESS_TOKEN: [&str; 7] = ["as_uri", "authorization_details", "rpt", "rsi", "scp", "uid", "username"];

/// System claims of ID tokens, besides. `aud` and `sub` may be changed in access tokens.
const RESERVED_IN_ID_TOKEN: [&str; 43] = [
    "active",
    "aid",
    "amr",
    "app_id",
    "app_type",
    "at_hash",
    "aud",
    "c_hash",
    "client_id",
    "client_ip",
    "client_req_id",
    "client_type",
    "client_user_agent",
    "device_compliance",
    "device_id",
    "device_known",
    "device_managed",
    "device_name",
    "device_trust",
    "did",
    "dst",
    "group",
    "hotk",
    "idp",
    "idp_iss",
    "mac_key",
    "may_act",
    "nonce",
    "oid",
    "okta_emailVerified",
    "okta_lastUpdated",
    "orig",
    "permissions",
    "purpose",
    "pwd_exp_days",
    "pwd_exp_time",
    "rid",
    "role",
    "scope",
    "scopes",
    "sub",
    "term",
    "user_ip",
];

/// The parts of an assertion that a patch may touch.
const ASSERTION_ROOTS: [&str; 4] = ["subject", "authentication", "conditions", "claims"];

/// Where the lifetime of a token stands.
const LIFETIME: &str = "/token/lifetime/expiration";

/// Seconds a token may live.
const LIFETIME_SECONDS: std::ops::RangeInclusive<u64> = 300..=86_400;

/// Whether a claim belongs to the system.
pub(super) fn is_reserved(target: Target, claim: &str) -> bool {
    let own: &[&str] = match target {
        Target::IdToken => &RESERVED_IN_ID_TOKEN,
        Target::AccessToken => &RESERVED_IN_ACCESS_TOKEN,
        Target::Assertion => return false,
    };
    RESERVED.contains(&claim) || own.contains(&claim)
}

/// Checks one operation by itself and returns its path, split.
pub(super) fn check<'o>(target: Target, operation: &'o PatchOperation<'_>) -> Result<Vec<Cow<'o, str>>, Fault> {
    check_op(target, operation.op)?;
    let path = check_path(target, &operation.path)?;
    check_value(operation, &path)?;
    Ok(path)
}

/// The operations a patch of this target may use.
pub(crate) fn operations(target: Target) -> &'static [PatchOp] {
    match target {
        Target::IdToken | Target::AccessToken => &[PatchOp::Add, PatchOp::Replace, PatchOp::Remove],
        Target::Assertion => &[PatchOp::Add, PatchOp::Replace],
    }
}

fn check_op(target: Target, op: PatchOp) -> Result<(), Fault> {
    let allowed = operations(target);
    if allowed.contains(&op) {
        return Ok(());
    }
    let expected = one_of(allowed.iter().map(|op| op.as_str()));
    Err(Fault::new(Reason::BadPatchOp, "/op", expected).found(quote(op.as_str())))
}

fn check_path<'p>(target: Target, path: &'p str) -> Result<Vec<Cow<'p, str>>, Fault> {
    let fault = |reason, expected: &str| Fault::new(reason, "/path", expected).found(quote(path));
    let Some(tokens) = json::tokens(path).filter(|tokens| tokens.len() < MAX_DEPTH) else {
        return Err(fault(Reason::BadPatchPath, "a JSON Pointer such as \"/claims/department\""));
    };
    let (root, name) = match tokens.as_slice() {
        [root, name, ..] if !name.is_empty() => (&**root, &**name),
        _ => ("", ""),
    };
    match target {
        Target::Assertion if ASSERTION_ROOTS.contains(&root) => Ok(tokens),
        Target::Assertion => {
            let expected = "a path below \"/subject/\", \"/authentication/\", \"/conditions/\" or \"/claims/\"";
            let root = tokens.first().map(|token| &**token).unwrap_or_default();
            let near = nearest(root, ASSERTION_ROOTS).map(|near| format!("/{near}/"));
            Err(fault(Reason::BadPatchPath, expected).nearest(near.as_deref()))
        }
        _ if root == "claims" && is_reserved(target, name) => {
            let expected = "a claim that is not reserved for the system";
            Err(Fault::new(Reason::ReservedClaim, "/path", expected).found(quote(name)))
        }
        _ if root == "claims" || path == LIFETIME => Ok(tokens),
        _ => {
            let expected = format!("a path below \"/claims/\", or \"{LIFETIME}\"");
            let near = nearest(path, [LIFETIME]);
            Err(fault(Reason::BadPatchPath, &expected).nearest(near))
        }
    }
}

fn check_value(operation: &PatchOperation<'_>, path: &[Cow<'_, str>]) -> Result<(), Fault> {
    let value = operation.value.as_ref();
    if operation.path == LIFETIME {
        if operation.op != PatchOp::Replace {
            let expected = format!("\"replace\" for \"{LIFETIME}\"");
            return Err(Fault::new(Reason::BadPatchOp, "/op", expected).found(quote(operation.op.as_str())));
        }
        if !value.and_then(Value::as_u64).is_some_and(|seconds| LIFETIME_SECONDS.contains(&seconds)) {
            let expected = "a whole number of seconds from 300 to 86400";
            let found = match value {
                Some(Value::Number(number)) => number.to_string(),
                other => kind(other).to_owned(),
            };
            return Err(Fault::new(Reason::BadValue, "/value", expected).found(found));
        }
    }
    match (operation.op, value) {
        (PatchOp::Remove, None | Some(Value::Null)) => Ok(()),
        (PatchOp::Remove, other) => {
            Err(Fault::new(Reason::BadValue, "/value", "null or nothing for \"remove\"").found(kind(other)))
        }
        (_, None) => Err(Fault::new(Reason::BadValueShape, "/value", "a value").found("nothing")),
        (_, Some(value)) if path.len().saturating_add(value.depth()) > MAX_DEPTH => {
            let expected = format!("a value that nests the token at most {MAX_DEPTH} deep");
            Err(Fault::new(Reason::BadValue, "/value", expected).found("a deeper one"))
        }
        _ => Ok(()),
    }
}
