//! Every code that PKCS#11 gives for the calls of a signing run, answered once: the table says how the run ends. The codes are
//! those that 2.40, 3.0 and 3.2 list for each function, those of their section on every function that uses a token, and
//! some that vendors answer with beside them.

use super::stage::ECDSA;
use End::{Complete, Stops};

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Exit code 0, verified, every session closed.
    Complete,
    /// Exit code 3, nothing published.
    Stops,
}

/// Codes that any function may answer with, by what a run does about them.
const ANY: &[(&str, u64, End)] = &[
    ("CKR_HOST_MEMORY", 0x2, Complete),
    ("CKR_GENERAL_ERROR", 0x5, Complete),
    ("CKR_FUNCTION_FAILED", 0x6, Complete),
    ("CKR_ARGUMENTS_BAD", 0x7, Stops),
    ("CKR_DEVICE_ERROR", 0x30, Complete),
    ("CKR_DEVICE_MEMORY", 0x31, Complete),
    ("CKR_DEVICE_REMOVED", 0x32, Complete),
    ("CKR_FUNCTION_CANCELED", 0x50, Complete),
    ("CKR_FUNCTION_NOT_SUPPORTED", 0x54, Stops),
    ("CKR_TOKEN_NOT_PRESENT", 0xe0, Complete),
    ("CKR_CRYPTOKI_NOT_INITIALIZED", 0x190, Complete),
    ("CKR_TOKEN_RESOURCE_EXCEEDED", 0x201, Complete),
    ("CKR_PENDING", 0x204, Complete),
    ("CKR_VENDOR_DEFINED", 0x8000_0001, Complete),
];

const SESSION: &[(&str, u64, End)] = &[
    ("CKR_SESSION_CLOSED", 0xb0, Complete),
    ("CKR_SESSION_HANDLE_INVALID", 0xb3, Complete),
];

const SIGN_INIT: &[(&str, u64, End)] = &[
    ("CKR_KEY_HANDLE_INVALID", 0x60, Complete),
    ("CKR_KEY_SIZE_RANGE", 0x62, Stops),
    ("CKR_KEY_TYPE_INCONSISTENT", 0x63, Stops),
    ("CKR_KEY_FUNCTION_NOT_PERMITTED", 0x68, Stops),
    ("CKR_MECHANISM_INVALID", 0x70, Stops),
    ("CKR_MECHANISM_PARAM_INVALID", 0x71, Stops),
    ("CKR_OPERATION_ACTIVE", 0x90, Complete),
    ("CKR_PIN_EXPIRED", 0xa3, Stops),
    ("CKR_USER_NOT_LOGGED_IN", 0x101, Complete),
    ("CKR_OPERATION_CANCEL_FAILED", 0x202, Complete),
    ("CKR_KEY_EXHAUSTED", 0x203, Stops),
];

const SIGN: &[(&str, u64, End)] = &[
    ("CKR_DATA_INVALID", 0x20, Stops),
    ("CKR_DATA_LEN_RANGE", 0x21, Stops),
    ("CKR_OPERATION_ACTIVE", 0x90, Complete),
    ("CKR_OPERATION_NOT_INITIALIZED", 0x91, Complete),
    ("CKR_USER_NOT_LOGGED_IN", 0x101, Complete),
    ("CKR_BUFFER_TOO_SMALL", 0x150, Stops),
    ("CKR_FUNCTION_REJECTED", 0x200, Stops),
];

const OPEN_SESSION: &[(&str, u64, End)] = &[
    ("CKR_SLOT_ID_INVALID", 0x3, Complete),
    ("CKR_SESSION_PARALLEL_NOT_SUPPORTED", 0xb4, Stops),
    ("CKR_SESSION_READ_WRITE_SO_EXISTS", 0xb8, Stops),
    ("CKR_TOKEN_NOT_RECOGNIZED", 0xe1, Complete),
    ("CKR_TOKEN_WRITE_PROTECTED", 0xe2, Stops),
    ("CKR_SESSION_ASYNC_NOT_SUPPORTED", 0x205, Stops),
];

/// Another user of the token may give one up; a token that stays at its limit makes the pool smaller.
const SESSION_COUNT: &[(&str, u64, End)] = &[("CKR_SESSION_COUNT", 0xb1, Complete)];

/// The PIN is not known to be right while the first C_Login has not succeeded: it is not tried again for any of them.
const LOGIN: &[(&str, u64, End)] = &[
    ("CKR_OPERATION_ACTIVE", 0x90, Stops),
    ("CKR_OPERATION_NOT_INITIALIZED", 0x91, Stops),
    ("CKR_PIN_INCORRECT", 0xa0, Stops),
    ("CKR_PIN_LEN_RANGE", 0xa2, Stops),
    ("CKR_PIN_EXPIRED", 0xa3, Stops),
    ("CKR_PIN_LOCKED", 0xa4, Stops),
    ("CKR_SESSION_READ_ONLY_EXISTS", 0xb7, Stops),
    ("CKR_USER_PIN_NOT_INITIALIZED", 0x102, Stops),
    ("CKR_USER_TYPE_INVALID", 0x103, Stops),
    ("CKR_USER_ANOTHER_ALREADY_LOGGED_IN", 0x104, Stops),
    ("CKR_USER_TOO_MANY_TYPES", 0x105, Stops),
];

const FIND_INIT: &[(&str, u64, End)] = &[
    ("CKR_ATTRIBUTE_TYPE_INVALID", 0x12, Stops),
    ("CKR_ATTRIBUTE_VALUE_INVALID", 0x13, Stops),
    ("CKR_OPERATION_ACTIVE", 0x90, Complete),
    ("CKR_PIN_EXPIRED", 0xa3, Stops),
];

const FIND: &[(&str, u64, End)] = &[
    ("CKR_OPERATION_ACTIVE", 0x90, Complete),
    ("CKR_OPERATION_NOT_INITIALIZED", 0x91, Complete),
];

/// Each code once, at a call of this function; every run has to have met it.
fn each(function: &str, call: u64, tables: &[&[(&str, u64, End)]]) {
    let mut wrong = Vec::new();
    for &(name, code, end) in tables.iter().copied().flatten() {
        let outcome = ECDSA.sign(
            &format!("{function} {call} answer {code:#x}"),
            &["--sessions", "2", "--patience", "30s"],
        );
        assert_eq!(
            outcome.faulty.fired(),
            1,
            "{function} {name} was not met: {:?}",
            outcome.run
        );
        let fits = match end {
            Complete => outcome.run.code == Some(0),
            Stops => outcome.run.code == Some(3) && outcome.run.stderr.contains(name),
        };
        if !fits {
            wrong.push(format!("{function} {name}: {end:?} was expected: {:?}", outcome.run));
            continue;
        }
        match end {
            Complete => drop(outcome.complete()),
            Stops => outcome.stopped(),
        }
        if function == "C_Login" {
            assert_eq!(outcome.faulty.calls("C_Login"), 1, "{name}: the PIN was tried again");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn c_sign_init() {
    each("C_SignInit", 100, &[ANY, SESSION, SIGN_INIT]);
}

#[test]
fn c_sign() {
    each("C_Sign", 100, &[ANY, SESSION, SIGN]);
}

#[test]
fn c_open_session_of_the_login() {
    each("C_OpenSession", 1, &[ANY, OPEN_SESSION, SESSION_COUNT]);
}

#[test]
fn c_open_session_of_a_worker() {
    each("C_OpenSession", 3, &[ANY, OPEN_SESSION, SESSION_COUNT]);
}

#[test]
fn c_login() {
    let any: Vec<_> = ANY
        .iter()
        .chain(SESSION)
        .map(|&(name, code, _)| (name, code, Stops))
        .collect();
    each("C_Login", 1, &[&any, LOGIN]);
}

#[test]
fn a_login_that_was_there_already_is_success() {
    ECDSA.sign("C_Login 1 after 0x100", &[]).complete();
}

#[test]
fn c_find_objects() {
    each("C_FindObjectsInit", 1, &[ANY, SESSION, FIND_INIT]);
    each("C_FindObjects", 5, &[ANY, SESSION, FIND]);
}

#[test]
fn c_find_objects_final() {
    // What is found is found: its answer changes nothing but that the session may not be usable.
    let any: Vec<_> = ANY
        .iter()
        .chain(SESSION)
        .chain(FIND)
        .map(|&(name, code, _)| (name, code, Complete))
        .collect();
    each("C_FindObjectsFinal", 2, &[&any]);
}
