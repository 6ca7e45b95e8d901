//! The real module behind this one: loaded once, never unloaded, reached through its function list.

use std::path::Path;
use std::ptr;

use cryptoki_sys::{CK_FUNCTION_LIST, CK_SLOT_ID, CK_TOKEN_INFO, CKR_OK, Pkcs11};

/// The real module's functions.
pub(crate) struct Real {
    pub(crate) list: CK_FUNCTION_LIST,
    _library: Pkcs11,
}

impl Real {
    /// Loads it.
    ///
    /// # Errors
    /// The loader's reason.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        // SAFETY: running the initialisers of a PKCS#11 module is what loading one means; the test names the module.
        let library = unsafe { Pkcs11::new(path) }.map_err(|error| error.to_string())?;
        let function = *library.C_GetFunctionList.as_ref().map_err(ToString::to_string)?;
        let mut list = ptr::null_mut();
        // SAFETY: the function is the module's own, and the pointer is valid for writing.
        let answer = unsafe { function(&raw mut list) };
        if answer != CKR_OK || list.is_null() {
            return Err(format!("C_GetFunctionList of {} answers {answer:#x}", path.display()));
        }
        Ok(Self {
            // SAFETY: CKR_OK with a pointer that is not null: it points to a list of 2.40's form in the library.
            list: unsafe { ptr::read(list) },
            _library: library,
        })
    }

    /// A token's label, without its padding; empty if there is no token.
    pub(crate) fn label(&self, slot: CK_SLOT_ID) -> String {
        let mut info = CK_TOKEN_INFO::default();
        let Some(function) = self.list.C_GetTokenInfo else {
            return String::new();
        };
        // SAFETY: the function is the module's own, and `info` is valid for writing.
        let answer = unsafe { function(slot, &raw mut info) };
        if answer != CKR_OK {
            return String::new();
        }
        String::from_utf8_lossy(&info.label).trim_end().to_owned()
    }

    /// Closes every session on a token, with its login.
    pub(crate) fn close_all(&self, slot: CK_SLOT_ID) {
        if let Some(function) = self.list.C_CloseAllSessions {
            // SAFETY: the function is the module's own and takes any number.
            unsafe { function(slot) };
        }
    }

    /// Closes one session.
    pub(crate) fn close(&self, session: u64) {
        if let Some(function) = self.list.C_CloseSession {
            // SAFETY: the function is the module's own and takes any number.
            unsafe { function(session) };
        }
    }

    /// Logs the user out.
    pub(crate) fn logout(&self, session: u64) {
        if let Some(function) = self.list.C_Logout {
            // SAFETY: the function is the module's own and takes any number.
            unsafe { function(session) };
        }
    }
}
