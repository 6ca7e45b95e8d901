//! EdDSA by the numbers that Thales gave it before PKCS#11 3.0: they stand for the standard's on the way to the real module,
//! and on the way back the other way round. The standard's own do not exist then.

use std::slice;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_KEY_TYPE, CK_MECHANISM, CK_MECHANISM_TYPE, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CKA_EC_PARAMS, CKA_KEY_TYPE, CKK_EC_EDWARDS, CKK_VENDOR_DEFINED, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA,
    CKM_VENDOR_DEFINED, CKR_CURVE_NOT_SUPPORTED, CKR_MECHANISM_INVALID,
};

use super::pass;
use crate::gate::{Pass, Scope};

/// The standard's mechanisms and the vendor's.
const MECHANISMS: [(CK_MECHANISM_TYPE, CK_MECHANISM_TYPE); 2] = [
    (CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_VENDOR_DEFINED + 0xc01),
    (CKM_EDDSA, CKM_VENDOR_DEFINED + 0xc03),
];

const KEY_TYPE: CK_KEY_TYPE = CKK_VENDOR_DEFINED + 0x12;

/// Ed25519's CKA_EC_PARAMS: GNU's number of the time, and that of RFC 8410.
const EARLY_CURVE: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
const CURVE: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// A key type that no key has.
const NO_KEY_TYPE: CK_KEY_TYPE = CKK_VENDOR_DEFINED + 0xffff;

/// The number that the caller is told of a mechanism.
pub(super) fn told(pass: &Pass, mechanism: CK_MECHANISM_TYPE) -> CK_MECHANISM_TYPE {
    let known = MECHANISMS.iter().find(|(standard, _)| *standard == mechanism);
    match known {
        Some((_, vendors)) if pass.module.schedule().vendor_eddsa => *vendors,
        _ => mechanism,
    }
}

/// The mechanism that the caller means; nothing for a number that does not exist here.
pub(super) fn meant(pass: &Pass, mechanism: CK_MECHANISM_TYPE) -> Option<CK_MECHANISM_TYPE> {
    if !pass.module.schedule().vendor_eddsa {
        return Some(mechanism);
    }
    if MECHANISMS.iter().any(|(standard, _)| *standard == mechanism) {
        return None;
    }
    let known = MECHANISMS.iter().find(|(_, vendors)| *vendors == mechanism);
    Some(known.map_or(mechanism, |(standard, _)| *standard))
}

/// Makes of the key type in a search's template what the real module knows.
///
/// # Safety
/// The attribute is valid as the specification has it for C_FindObjectsInit.
pub(super) unsafe fn wanted(pass: &Pass, attribute: &CK_ATTRIBUTE) {
    // SAFETY: as for this function.
    unsafe {
        swap(
            pass,
            attribute,
            &[(KEY_TYPE, CKK_EC_EDWARDS), (CKK_EC_EDWARDS, NO_KEY_TYPE)],
        )
    };
}

/// Makes of the key type that the real module gave what the caller is told.
///
/// # Safety
/// The attribute was filled by C_GetAttributeValue.
pub(super) unsafe fn given(pass: &Pass, attribute: &CK_ATTRIBUTE) {
    // SAFETY: as for this function.
    unsafe { swap(pass, attribute, &[(CKK_EC_EDWARDS, KEY_TYPE)]) };
}

unsafe fn swap(pass: &Pass, attribute: &CK_ATTRIBUTE, pairs: &[(CK_KEY_TYPE, CK_KEY_TYPE)]) {
    let whole = attribute.ulValueLen == size_of::<CK_KEY_TYPE>() as CK_ULONG && !attribute.pValue.is_null();
    if !pass.module.schedule().vendor_eddsa || attribute.type_ != CKA_KEY_TYPE || !whole {
        return;
    }
    let value = attribute.pValue.cast::<CK_KEY_TYPE>();
    // SAFETY: a key type stands there.
    let before = unsafe { value.read_unaligned() };
    if let Some((_, after)) = pairs.iter().find(|(known, _)| *known == before) {
        // SAFETY: as it was read.
        unsafe { value.write_unaligned(*after) };
    }
}

/// A caller's mechanism as the real module knows it.
///
/// # Safety
/// `mechanism` is valid for reading.
unsafe fn real(pass: &Pass, mechanism: *const CK_MECHANISM) -> Option<CK_MECHANISM> {
    // SAFETY: as for this function.
    let mut mechanism = unsafe { mechanism.read() };
    mechanism.mechanism = meant(pass, mechanism.mechanism)?;
    Some(mechanism)
}

pub(super) unsafe extern "C" fn C_SignInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    let (pass, function) = pass!(C_SignInit, Scope::Session(session));
    // SAFETY: the mechanism is the caller's, valid for reading.
    let Some(mut mechanism) = (unsafe { real(&pass, mechanism) }) else {
        return CKR_MECHANISM_INVALID;
    };
    // SAFETY: the arguments are the caller's, as for every function here, and the mechanism a copy of his.
    let answer = unsafe { function(session, &raw mut mechanism, key) };
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_GenerateKeyPair(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    public: *mut CK_ATTRIBUTE,
    publics: CK_ULONG,
    private: *mut CK_ATTRIBUTE,
    privates: CK_ULONG,
    to_public: *mut CK_OBJECT_HANDLE,
    to_private: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    let (pass, function) = pass!(C_GenerateKeyPair, Scope::Session(session));
    // SAFETY: the mechanism is the caller's, valid for reading.
    let Some(mut mechanism) = (unsafe { real(&pass, mechanism) }) else {
        return CKR_MECHANISM_INVALID;
    };
    // SAFETY: the caller's template has `publics` attributes.
    let mut template = unsafe { slice::from_raw_parts(public, usize::try_from(publics).unwrap_or_default()) }.to_vec();
    if pass.module.schedule().vendor_eddsa && mechanism.mechanism == CKM_EC_EDWARDS_KEY_PAIR_GEN {
        for attribute in template.iter_mut().filter(|attribute| attribute.type_ == CKA_EC_PARAMS) {
            let length = usize::try_from(attribute.ulValueLen).unwrap_or_default();
            // SAFETY: the attribute is the caller's, valid as the specification has it.
            let curve = unsafe { slice::from_raw_parts(attribute.pValue.cast::<u8>(), length) };
            if curve != EARLY_CURVE {
                return pass.leave(CKR_CURVE_NOT_SUPPORTED);
            }
            // The real module only reads it.
            attribute.pValue = CURVE.as_ptr().cast_mut().cast();
            attribute.ulValueLen = CURVE.len() as CK_ULONG;
        }
    }
    // SAFETY: the arguments are the caller's, as for every function here; the mechanism and the template are copies of his.
    let answer = unsafe {
        function(
            session,
            &raw mut mechanism,
            template.as_mut_ptr(),
            publics,
            private,
            privates,
            to_public,
            to_private,
        )
    };
    pass.leave(answer)
}
