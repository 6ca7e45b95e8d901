//! The functions whose answers the schedule may change: sessions, logins, mechanisms, attributes, signatures.

use std::ffi::c_void;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BBOOL, CK_BYTE, CK_FLAGS, CK_MECHANISM_INFO, CK_MECHANISM_TYPE, CK_NOTIFY, CK_OBJECT_HANDLE,
    CK_RV, CK_SESSION_HANDLE, CK_SLOT_ID, CK_TOKEN_INFO, CK_TRUE, CK_ULONG, CK_USER_TYPE, CK_UTF8CHAR,
    CKA_ALWAYS_AUTHENTICATE, CKA_EC_POINT, CKF_PROTECTED_AUTHENTICATION_PATH, CKR_BUFFER_TOO_SMALL,
    CKR_MECHANISM_INVALID, CKR_OK, CKR_SESSION_COUNT, CKR_USER_NOT_LOGGED_IN, CKU_CONTEXT_SPECIFIC,
};

use super::{pass, vendor};
use crate::counters::Extra;
use crate::gate::{self, Pass, Scope};
use crate::mangle;
use crate::schedule::EcPoint;

pub(super) unsafe extern "C" fn C_Finalize(reserved: *mut c_void) -> CK_RV {
    let (mut pass, function) = pass!(C_Finalize, Scope::Library);
    let counters = pass.module.counters();
    // This call itself is one of those under way.
    if gate::under_way() > 1 {
        counters.extra(Extra::BusyFinalise).fetch_add(1, Ordering::SeqCst);
    }
    let _alone = pass.alone();
    // SAFETY: the argument is the caller's, as for every function here.
    let answer = unsafe { function(reserved) };
    if answer == CKR_OK {
        pass.module.finalised();
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_GetSlotList(
    with_token: CK_BBOOL,
    slots: *mut CK_SLOT_ID,
    count: *mut CK_ULONG,
) -> CK_RV {
    let (pass, function) = pass!(C_GetSlotList, Scope::Library);
    // SAFETY: the arguments are the caller's, as for every function here.
    let answer = unsafe { function(with_token, slots, count) };
    if answer == CKR_OK && with_token == CK_TRUE && !slots.is_null() {
        // SAFETY: after CKR_OK the count is valid for reading.
        let there = unsafe { count.read() };
        // SAFETY: after CKR_OK so many slots stand in the caller's array.
        let list = unsafe { slice::from_raw_parts_mut(slots, usize::try_from(there).unwrap_or_default()) };
        let seen: Vec<CK_SLOT_ID> = list.iter().copied().filter(|slot| !pass.module.unseen(*slot)).collect();
        list[..seen.len()].copy_from_slice(&seen);
        // SAFETY: as it was read.
        unsafe { count.write(seen.len() as CK_ULONG) };
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_GetTokenInfo(slot: CK_SLOT_ID, info: *mut CK_TOKEN_INFO) -> CK_RV {
    let (pass, function) = pass!(C_GetTokenInfo, Scope::Slot(slot));
    // SAFETY: the arguments are the caller's, as for every function here.
    let answer = unsafe { function(slot, info) };
    if answer == CKR_OK {
        // SAFETY: after CKR_OK the caller's structure is filled, and nobody else's.
        let info = unsafe { &mut *info };
        let schedule = pass.module.schedule();
        if schedule.full {
            (info.ulTotalPrivateMemory, info.ulFreePrivateMemory) = (4096, 0);
        }
        for (said, field) in [
            (&schedule.manufacturer, &mut info.manufacturerID[..]),
            (&schedule.model, &mut info.model[..]),
        ] {
            if let Some(name) = said {
                let padded = name.bytes().chain(std::iter::repeat(b' '));
                field.iter_mut().zip(padded).for_each(|(to, from)| *to = from);
            }
        }
        info.flags |= schedule.token_flags;
        if schedule.pad.is_some() {
            info.flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
        }
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_GetMechanismList(
    slot: CK_SLOT_ID,
    mechanisms: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> CK_RV {
    let (pass, function) = pass!(C_GetMechanismList, Scope::Slot(slot));
    // SAFETY: the arguments are the caller's, as for every function here.
    let answer = unsafe { function(slot, mechanisms, count) };
    if answer == CKR_OK && !mechanisms.is_null() {
        // SAFETY: after CKR_OK the count is valid for reading.
        let there = unsafe { count.read() };
        // SAFETY: after CKR_OK so many mechanisms stand in the caller's array.
        let list = unsafe { slice::from_raw_parts_mut(mechanisms, usize::try_from(there).unwrap_or_default()) };
        let without = &pass.module.schedule().without;
        let kept: Vec<CK_MECHANISM_TYPE> = list.iter().copied().filter(|one| !without.contains(one)).collect();
        let kept: Vec<CK_MECHANISM_TYPE> = kept.into_iter().map(|one| vendor::told(&pass, one)).collect();
        list[..kept.len()].copy_from_slice(&kept);
        // SAFETY: as it was read.
        unsafe { count.write(kept.len() as CK_ULONG) };
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_GetMechanismInfo(
    slot: CK_SLOT_ID,
    mechanism: CK_MECHANISM_TYPE,
    info: *mut CK_MECHANISM_INFO,
) -> CK_RV {
    let (pass, function) = pass!(C_GetMechanismInfo, Scope::Slot(slot));
    if pass.module.schedule().without.contains(&mechanism) {
        return CKR_MECHANISM_INVALID;
    }
    let Some(mechanism) = vendor::meant(&pass, mechanism) else {
        return CKR_MECHANISM_INVALID;
    };
    // SAFETY: the arguments are the caller's, as for every function here.
    let answer = unsafe { function(slot, mechanism, info) };
    pass.leave(answer)
}

/// Searches under way, and C_OpenSession and C_Login under way, of this process.
static SEARCHES: AtomicU64 = AtomicU64::new(0);
static ENTRIES: AtomicU64 = AtomicU64::new(0);

/// A C_OpenSession or C_Login under way.
struct Entry;

impl Entry {
    fn begin(pass: &Pass) -> Self {
        ENTRIES.fetch_add(1, Ordering::SeqCst);
        note_if(pass, &SEARCHES);
        Self
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        ENTRIES.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts what has just begun if some of the others are under way.
fn note_if(pass: &Pass, others: &AtomicU64) {
    if others.load(Ordering::SeqCst) > 0 {
        let beside = pass.module.counters().extra(Extra::SearchesBeside);
        beside.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) unsafe extern "C" fn C_FindObjectsInit(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    let (pass, function) = pass!(C_FindObjectsInit, Scope::Session(session));
    if !template.is_null() {
        // SAFETY: the caller's template has `count` attributes.
        let attributes = unsafe { slice::from_raw_parts(template, usize::try_from(count).unwrap_or_default()) };
        for attribute in attributes {
            // SAFETY: the attribute is the caller's, valid as the specification has it.
            unsafe { vendor::wanted(&pass, attribute) };
        }
    }
    SEARCHES.fetch_add(1, Ordering::SeqCst);
    note_if(&pass, &ENTRIES);
    // SAFETY: the arguments are the caller's, as for every function here.
    let answer = unsafe { function(session, template, count) };
    if answer != CKR_OK {
        SEARCHES.fetch_sub(1, Ordering::SeqCst);
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_FindObjectsFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    let (pass, function) = pass!(C_FindObjectsFinal, Scope::Session(session));
    // SAFETY: the argument is the caller's, as for every function here.
    let answer = unsafe { function(session) };
    if answer == CKR_OK {
        SEARCHES.fetch_sub(1, Ordering::SeqCst);
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_OpenSession(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    application: *mut c_void,
    notify: CK_NOTIFY,
    session: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    let (pass, function) = pass!(C_OpenSession, Scope::Slot(slot));
    let open = pass.module.state().sessions.len() as u64;
    if pass.module.schedule().sessions.is_some_and(|most| open >= most) {
        return CKR_SESSION_COUNT;
    }
    let _entry = Entry::begin(&pass);
    // SAFETY: the arguments are the caller's, as for every function here.
    let answer = unsafe { function(slot, flags, application, notify, session) };
    if answer == CKR_OK {
        // SAFETY: after CKR_OK the session's handle is valid for reading.
        pass.module.opened(unsafe { session.read() }, slot);
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_CloseSession(session: CK_SESSION_HANDLE) -> CK_RV {
    let (pass, function) = pass!(C_CloseSession, Scope::Session(session));
    // SAFETY: the argument is the caller's, as for every function here.
    let answer = unsafe { function(session) };
    if answer == CKR_OK {
        pass.module.closed(|handle, _| handle == session);
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_CloseAllSessions(slot: CK_SLOT_ID) -> CK_RV {
    let (pass, function) = pass!(C_CloseAllSessions, Scope::Slot(slot));
    // SAFETY: the argument is the caller's, as for every function here.
    let answer = unsafe { function(slot) };
    if answer == CKR_OK {
        pass.module.closed(|_, session| session.slot == slot);
    }
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_Login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_UTF8CHAR,
    length: CK_ULONG,
) -> CK_RV {
    let (pass, function) = pass!(C_Login, Scope::Session(session));
    if pass.module.schedule().always_authenticate && user == CKU_CONTEXT_SPECIFIC {
        if let Some(session) = pass.module.state().sessions.get_mut(&session) {
            session.authenticated = true;
        }
        return pass.leave(CKR_OK);
    }
    let _entry = Entry::begin(&pass);
    let (pin, length) = match &pass.module.schedule().pad {
        // The real module only reads it.
        Some(typed) if pin.is_null() => (typed.as_ptr().cast_mut(), typed.len() as CK_ULONG),
        _ => (pin, length),
    };
    // SAFETY: the arguments are the caller's, as for every function here, or a PIN that lives as long as the module.
    let answer = unsafe { function(session, user, pin, length) };
    pass.leave(answer)
}

pub(super) unsafe extern "C" fn C_GetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    let (pass, function) = pass!(C_GetAttributeValue, Scope::Session(session));
    let form = pass.module.schedule().ec_point;
    let always = pass.module.schedule().always_authenticate;
    let length = usize::try_from(count).unwrap_or_default();
    let mut wanted = Vec::new();
    if form.is_some() && !template.is_null() {
        // SAFETY: the caller's template has `count` attributes.
        let attributes = unsafe { slice::from_raw_parts_mut(template, length) };
        for (at, attribute) in attributes.iter_mut().enumerate() {
            if attribute.type_ == CKA_EC_POINT {
                wanted.push((at, attribute.pValue, attribute.ulValueLen));
                attribute.pValue = std::ptr::null_mut();
            }
        }
    }
    // SAFETY: the arguments are the caller's; where a value is not wanted for the moment, the room is null.
    let mut answer = unsafe { function(session, object, template, count) };
    if template.is_null() {
        return pass.leave(answer);
    }
    // SAFETY: the caller's template has `count` attributes.
    let attributes = unsafe { slice::from_raw_parts_mut(template, length) };
    for (at, room, size) in wanted {
        attributes[at].pValue = room;
        if let Some(point) = form.and_then(|form| point(&pass, session, object, form)) {
            let due = point.len() as CK_ULONG;
            if !room.is_null() && size < due {
                attributes[at].ulValueLen = CK_ULONG::MAX;
                answer = CKR_BUFFER_TOO_SMALL;
                continue;
            }
            attributes[at].ulValueLen = due;
            if !room.is_null() {
                // SAFETY: the caller's room has `size` bytes, which are enough.
                let room = unsafe { slice::from_raw_parts_mut(room.cast::<u8>(), point.len()) };
                room.copy_from_slice(&point);
            }
        }
    }
    for attribute in attributes {
        if answer == CKR_OK {
            // SAFETY: the real module has filled the caller's template.
            unsafe { vendor::given(&pass, attribute) };
        }
        if always
            && attribute.type_ == CKA_ALWAYS_AUTHENTICATE
            && !attribute.pValue.is_null()
            && attribute.ulValueLen == 1
        {
            // SAFETY: the real module wrote one byte there.
            unsafe { attribute.pValue.cast::<CK_BBOOL>().write(CK_TRUE) };
        }
    }
    pass.leave(answer)
}

/// An object's public point in the form that the schedule wants.
fn point(pass: &Pass, session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, form: EcPoint) -> Option<Vec<u8>> {
    let function = pass.real().C_GetAttributeValue?;
    let mut room = [0u8; 256];
    let mut attribute = CK_ATTRIBUTE {
        type_: CKA_EC_POINT,
        pValue: room.as_mut_ptr().cast(),
        ulValueLen: room.len() as CK_ULONG,
    };
    // SAFETY: one attribute, whose room is as long as it says.
    let answer = unsafe { function(session, object, &raw mut attribute, 1) };
    let length = usize::try_from(attribute.ulValueLen).ok()?;
    (answer == CKR_OK).then(|| Some(mangle::ec_point(room.get(..length)?, form)))?
}

pub(super) unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    let (pass, function) = pass!(C_Sign, Scope::Session(session));
    let module = pass.module;
    if module.schedule().always_authenticate
        && !module
            .state()
            .sessions
            .get_mut(&session)
            .is_some_and(|session| std::mem::take(&mut session.authenticated))
    {
        return CKR_USER_NOT_LOGGED_IN;
    }
    // SAFETY: the length is the caller's, valid for reading.
    let room = usize::try_from(unsafe { signature_length.read() }).unwrap_or_default();
    // SAFETY: the arguments are the caller's, as for every function here.
    let answer = unsafe { function(session, data, data_length, signature, signature_length) };
    if answer != CKR_OK || signature.is_null() {
        return pass.leave(answer);
    }
    // SAFETY: after CKR_OK the length is valid for reading.
    let length = usize::try_from(unsafe { signature_length.read() }).unwrap_or_default();
    // SAFETY: after CKR_OK so many bytes stand in the caller's room.
    let good = unsafe { slice::from_raw_parts(signature, length) }.to_vec();
    let mut state = module.state();
    let before = state
        .sessions
        .get_mut(&session)
        .map(|session| std::mem::replace(&mut session.last, good.clone()))
        .unwrap_or_default();
    drop(state);
    match pass.signature {
        Some(kind) => {
            let bad = mangle::signature(&good, &before, kind);
            // What does not fit is cut, and its length told as it is: a module that writes past its room would be of no use.
            let fits = bad.len().min(room);
            // SAFETY: the caller's room has `room` bytes.
            let out = unsafe { slice::from_raw_parts_mut(signature, fits) };
            out.copy_from_slice(&bad[..fits]);
            // SAFETY: the length is the caller's, valid for writing.
            unsafe { signature_length.write(bad.len() as CK_ULONG) };
        }
        None => {
            module.counters().extra(Extra::Signed).fetch_add(1, Ordering::SeqCst);
        }
    }
    pass.leave(answer)
}
