//! The hot call: C_SignInit and C_Sign straight through the provider's function list.
//!
//! cryptoki's own `sign` asks for the length first and allocates; here the signature goes into the
//! caller's buffer in two calls. Sessions and objects are cryptoki's: only their numbers are used.
//! Beside it, what cryptoki leaves to its callers: C_Initialize with arguments, C_GetFunctionList's address, and what is done
//! by mechanisms that it has no name for: C_GetMechanismList, C_GenerateKeyPair, C_WrapKey and C_UnwrapKey.
//! This is the one file of the crate with `unsafe` in it.

use std::ffi::{CStr, c_void};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki_sys as sys;

use crate::ckr::Ckr;
use crate::mechanism::KeyKind;

/// How signatures are asked for.
#[derive(Clone)]
pub(crate) enum HotCall {
    /// Straight through the function list.
    Direct(SignFunctions),
    /// Through cryptoki: the module hands out another function list at each call (p11-kit's
    /// proxy), and a session of one is unknown to the other.
    Indirect,
}

/// C_SignInit and C_Sign of a library that stays loaded as long as this lives.
#[derive(Clone)]
pub(crate) struct SignFunctions {
    sign_init:
        unsafe extern "C" fn(sys::CK_SESSION_HANDLE, *mut sys::CK_MECHANISM, sys::CK_OBJECT_HANDLE) -> sys::CK_RV,
    sign: unsafe extern "C" fn(
        sys::CK_SESSION_HANDLE,
        *mut sys::CK_BYTE,
        sys::CK_ULONG,
        *mut sys::CK_BYTE,
        *mut sys::CK_ULONG,
    ) -> sys::CK_RV,
    get_mechanism_list: sys::CK_C_GetMechanismList,
    generate_key_pair: sys::CK_C_GenerateKeyPair,
    wrap_key: sys::CK_C_WrapKey,
    unwrap_key: sys::CK_C_UnwrapKey,
    _library: Arc<sys::Pkcs11>,
}

/// The function that failed and its answer.
pub(crate) type Refusal = (&'static str, Ckr);

impl HotCall {
    /// Takes the function list of a library that cryptoki has loaded already.
    pub(crate) fn of(path: &Path) -> Self {
        match SignFunctions::of(path) {
            Some(functions) => Self::Direct(functions),
            None => {
                tracing::debug!(path = %path.display(), "no stable function list: signing through cryptoki");
                Self::Indirect
            }
        }
    }
}

impl SignFunctions {
    fn of(path: &Path) -> Option<Self> {
        // SAFETY: the library was loaded from this path a moment ago and its initialisers have
        // run; loading it again only counts one more user of it.
        let library = unsafe { sys::Pkcs11::new(path) }.ok()?;
        let list = function_list(&library)?;
        if function_list(&library)? != list {
            return None;
        }
        // SAFETY: C_GetFunctionList answered CKR_OK with this pointer, which is not null. It
        // points into the library, which `library` keeps loaded. Every version of the list starts
        // as CK_FUNCTION_LIST does.
        let functions = unsafe { ptr::read(list) };
        Some(Self {
            sign_init: functions.C_SignInit?,
            sign: functions.C_Sign?,
            get_mechanism_list: functions.C_GetMechanismList,
            generate_key_pair: functions.C_GenerateKeyPair,
            wrap_key: functions.C_WrapKey,
            unwrap_key: functions.C_UnwrapKey,
            _library: Arc::new(library),
        })
    }

    /// C_SignInit. `session` and `key` have to be handles of this library.
    pub(crate) fn init(
        &self,
        session: sys::CK_SESSION_HANDLE,
        mechanism: sys::CK_MECHANISM_TYPE,
        kind: KeyKind,
        key: sys::CK_OBJECT_HANDLE,
    ) -> Result<(), Refusal> {
        // Ed448 wants its empty context spelt out, Ed25519 wants no parameter (PKCS#11 3.2, 6.3.15).
        let mut context = sys::CK_EDDSA_PARAMS {
            phFlag: sys::CK_FALSE,
            ulContextDataLen: 0,
            pContextData: ptr::null_mut(),
        };
        let mut parameters = without_parameters(mechanism);
        if kind == KeyKind::Ed448 {
            parameters.pParameter = ptr::from_mut(&mut context).cast::<c_void>();
            parameters.ulParameterLen = ulong(size_of::<sys::CK_EDDSA_PARAMS>());
        }
        // SAFETY: the function came from the list of a library that is still loaded; the mechanism
        // and what it points to live until the call returns. A handle that is stale is answered
        // with an error code.
        let answer = unsafe { (self.sign_init)(session, &raw mut parameters, key) };
        checked("C_SignInit", answer)
    }

    /// C_Sign of the operation that [`Self::init`] began. Tells the length that the token states,
    /// at most `out.len()`.
    pub(crate) fn sign(&self, session: sys::CK_SESSION_HANDLE, data: &[u8], out: &mut [u8]) -> Result<usize, Refusal> {
        let mut length = ulong(out.len());
        let from = data.as_ptr().cast_mut();
        let to = out.as_mut_ptr();
        // SAFETY: as for C_SignInit. `from` is only read (the C prototype lacks const) and has
        // `data.len()` bytes, `to` has `length` bytes for writing, and both outlive the call.
        let answer = unsafe { (self.sign)(session, from, ulong(data.len()), to, &raw mut length) };
        checked("C_Sign", answer)?;
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// C_GetMechanismList: every number, those without a name among them.
    pub(crate) fn mechanisms(&self, slot: sys::CK_SLOT_ID) -> Result<Vec<sys::CK_MECHANISM_TYPE>, Refusal> {
        let call = "C_GetMechanismList";
        let function = self.get_mechanism_list.ok_or_else(|| lacking(call))?;
        let mut count = 0;
        // SAFETY: the function came from the list of a library that is still loaded; without a room it writes the count alone.
        let answer = unsafe { function(slot, ptr::null_mut(), &raw mut count) };
        checked(call, answer)?;
        let mut list = vec![0; usize::try_from(count).unwrap_or_default()];
        let room = list.as_mut_ptr();
        // SAFETY: as above; `room` has `count` places for writing and outlives the call.
        let answer = unsafe { function(slot, room, &raw mut count) };
        checked(call, answer)?;
        list.truncate(usize::try_from(count).unwrap_or_default());
        Ok(list)
    }

    /// C_GenerateKeyPair by a mechanism without parameters; the handles of the public and the private half.
    pub(crate) fn generate_key_pair(
        &self,
        session: sys::CK_SESSION_HANDLE,
        mechanism: sys::CK_MECHANISM_TYPE,
        public: &[Attribute],
        private: &[Attribute],
    ) -> Result<(ObjectHandle, ObjectHandle), Refusal> {
        let call = "C_GenerateKeyPair";
        let function = self.generate_key_pair.ok_or_else(|| lacking(call))?;
        let mut mechanism = without_parameters(mechanism);
        let mut public: Vec<sys::CK_ATTRIBUTE> = public.iter().map(Into::into).collect();
        let mut private: Vec<sys::CK_ATTRIBUTE> = private.iter().map(Into::into).collect();
        let (of_public, publics) = (public.as_mut_ptr(), ulong(public.len()));
        let (of_private, privates) = (private.as_mut_ptr(), ulong(private.len()));
        let mut made = [0; 2];
        let [to_public, to_private] = &mut made;
        let to = (&raw mut *to_public, &raw mut *to_private);
        // SAFETY: as for C_SignInit; each template has as many entries as is said, which point into the caller's, and all of
        // them outlive the call.
        let answer = unsafe {
            function(
                session,
                &raw mut mechanism,
                of_public,
                publics,
                of_private,
                privates,
                to.0,
                to.1,
            )
        };
        checked(call, answer)?;
        // SAFETY: the library gave the handles in this call.
        let [public, private] = made.map(|handle| unsafe { ObjectHandle::new_from_raw(handle) });
        Ok((public, private))
    }

    /// C_WrapKey by a mechanism without parameters, into at most `room` bytes.
    pub(crate) fn wrap(
        &self,
        session: sys::CK_SESSION_HANDLE,
        mechanism: sys::CK_MECHANISM_TYPE,
        wrapping: sys::CK_OBJECT_HANDLE,
        key: sys::CK_OBJECT_HANDLE,
        room: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let call = "C_WrapKey";
        let function = self.wrap_key.ok_or_else(|| lacking(call))?;
        let mut mechanism = without_parameters(mechanism);
        let mut out = vec![0; room];
        let mut length = ulong(room);
        let to = out.as_mut_ptr();
        // SAFETY: as for C_SignInit; `to` has `length` bytes for writing and outlives the call.
        let answer = unsafe { function(session, &raw mut mechanism, wrapping, key, to, &raw mut length) };
        checked(call, answer)?;
        out.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(out)
    }

    /// C_UnwrapKey by a mechanism without parameters; the new object's handle.
    pub(crate) fn unwrap(
        &self,
        session: sys::CK_SESSION_HANDLE,
        mechanism: sys::CK_MECHANISM_TYPE,
        unwrapping: sys::CK_OBJECT_HANDLE,
        wrapped: &[u8],
        template: &[Attribute],
    ) -> Result<ObjectHandle, Refusal> {
        let call = "C_UnwrapKey";
        let function = self.unwrap_key.ok_or_else(|| lacking(call))?;
        let mut mechanism = without_parameters(mechanism);
        let mut template: Vec<sys::CK_ATTRIBUTE> = template.iter().map(Into::into).collect();
        let (attributes, count) = (template.as_mut_ptr(), ulong(template.len()));
        let from = wrapped.as_ptr().cast_mut();
        let length = ulong(wrapped.len());
        let mut handle = 0;
        let to = &raw mut handle;
        // SAFETY: as for C_SignInit; `from` is only read (the C prototype lacks const) and has `length` bytes, `attributes`
        // has `count` entries that point into the caller's template, and all of them outlive the call.
        let answer = unsafe {
            function(
                session,
                &raw mut mechanism,
                unwrapping,
                from,
                length,
                attributes,
                count,
                to,
            )
        };
        checked(call, answer)?;
        // SAFETY: the library gave the handle in this call.
        Ok(unsafe { ObjectHandle::new_from_raw(handle) })
    }
}

fn without_parameters(mechanism: sys::CK_MECHANISM_TYPE) -> sys::CK_MECHANISM {
    sys::CK_MECHANISM {
        mechanism,
        pParameter: ptr::null_mut(),
        ulParameterLen: 0,
    }
}

/// The answer of a function that the library's list leaves out.
fn lacking(call: &'static str) -> Refusal {
    (call, Ckr::new(sys::CKR_FUNCTION_NOT_SUPPORTED))
}

fn function_list(library: &sys::Pkcs11) -> Option<*mut sys::CK_FUNCTION_LIST> {
    let function = library.C_GetFunctionList.as_ref().ok()?;
    let mut list = ptr::null_mut();
    // SAFETY: the symbol belongs to the loaded library and has PKCS#11's prototype; the pointer is
    // valid for writing.
    let answer = unsafe { function(&raw mut list) };
    (answer == sys::CKR_OK && !list.is_null()).then_some(list)
}

/// C_Initialize with `CKF_OS_LOCKING_OK`, and with a text in pReserved for libraries that are configured so.
pub(crate) fn initialize(context: &Pkcs11, arguments: Option<&CStr>) -> cryptoki::error::Result<()> {
    let flags = CInitializeFlags::OS_LOCKING_OK;
    let given = match arguments {
        None => CInitializeArgs::new(flags),
        Some(text) => {
            let text = NonNull::from(text).cast::<c_void>();
            // SAFETY: the text ends in a zero, as those libraries expect it, and outlives the call, which alone reads it.
            unsafe { CInitializeArgs::new_with_reserved(flags, text) }
        }
    };
    context.initialize(given)
}

/// A library that cryptoki has loaded and given up, and the address of its C_GetFunctionList.
pub(crate) fn get_function_list(path: &Path) -> Option<(sys::Pkcs11, usize)> {
    // SAFETY: the library was loaded from this path a moment ago and its initialisers have run.
    let library = unsafe { sys::Pkcs11::new(path) }.ok()?;
    let function = *library.C_GetFunctionList.as_ref().ok()?;
    let address = function as *const () as usize;
    Some((library, address))
}

fn checked(call: &'static str, answer: sys::CK_RV) -> Result<(), Refusal> {
    if answer == sys::CKR_OK {
        Ok(())
    } else {
        Err((call, Ckr::new(answer)))
    }
}

/// A length as C has it. CK_ULONG is as wide as a pointer on the platforms that are served.
fn ulong(length: usize) -> sys::CK_ULONG {
    sys::CK_ULONG::try_from(length).unwrap_or(sys::CK_ULONG::MAX)
}
