//! What is known about providers beyond the specification, as data.
//!
//! A row is chosen by the manufacturer and model that the token or the library reports. It changes
//! how fast or how politely a provider is used, never what is signed.
//!
//! What shows by itself has no row, and is the same for every provider:
//!
//! | what differs | how it is found out |
//! |---|---|
//! | the form of CKA_EC_POINT and CKA_EC_PARAMS | each is read in every form (`key/public`) |
//! | a token without CKM_ECDSA or CKM_RSA_PKCS | C_GetMechanismList ([`Token::mechanism_uses`]) |
//! | the number of sessions | C_GetTokenInfo and CKR_SESSION_COUNT (`pool`) |
//! | keys that are lost in a search beside a login or a new session | these are never done beside each other (`module`) |
//! | another function list at each call | two are compared (`ffi`) |
//!
//! [`Token::mechanism_uses`]: crate::Token::mechanism_uses

use cryptoki_sys as sys;

/// How one provider differs from the specification's letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quirks {
    /// Private keys copied to session objects sign 1.5 to 3 times faster: a software token that
    /// decrypts its token objects for every signature.
    pub(crate) session_copy: bool,
    /// C_Finalize is left out: the library crashes at exit when its own and OpenSSL's exit
    /// handlers run in the wrong order.
    pub(crate) skip_finalise: bool,
    /// CKA_LOCAL is false even of keys that were made on the token: NSS does not keep it.
    pub(crate) local_unkept: bool,
    /// The numbers that EdDSA had before PKCS#11 3.0 gave it some. They are used where the token does not list the standard's.
    pub(crate) vendor_eddsa: Option<Eddsa>,
}

/// What EdDSA is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Eddsa {
    /// CKK_EC_EDWARDS.
    pub(crate) key_type: sys::CK_KEY_TYPE,
    /// CKM_EC_EDWARDS_KEY_PAIR_GEN.
    pub(crate) generate: sys::CK_MECHANISM_TYPE,
    /// CKM_EDDSA.
    pub(crate) sign: sys::CK_MECHANISM_TYPE,
}

impl Eddsa {
    /// As in PKCS#11 3.0.
    pub(crate) const STANDARD: Self = Self {
        key_type: sys::CKK_EC_EDWARDS,
        generate: sys::CKM_EC_EDWARDS_KEY_PAIR_GEN,
        sign: sys::CKM_EDDSA,
    };
}

const NONE: Quirks = Quirks {
    session_copy: false,
    skip_finalise: false,
    local_unkept: false,
    vendor_eddsa: None,
};

struct Row {
    manufacturer: &'static str,
    model: &'static str,
    quirks: Quirks,
}

const TABLE: &[Row] = &[
    Row {
        manufacturer: "SoftHSM",
        model: "",
        quirks: Quirks {
            session_copy: true,
            skip_finalise: true,
            ..NONE
        },
    },
    Row {
        manufacturer: "Kryoptic",
        model: "",
        quirks: Quirks {
            session_copy: true,
            ..NONE
        },
    },
    Row {
        manufacturer: "Mozilla Foundation",
        model: "NSS",
        quirks: Quirks {
            local_unkept: true,
            ..NONE
        },
    },
    // SafeNet, Gemalto, Thales: the maker changes, the model does not.
    Row {
        manufacturer: "",
        model: "Luna",
        quirks: Quirks {
            vendor_eddsa: Some(Eddsa {
                key_type: sys::CKK_VENDOR_DEFINED + 0x12,
                generate: sys::CKM_VENDOR_DEFINED + 0xc01,
                sign: sys::CKM_VENDOR_DEFINED + 0xc03,
            }),
            ..NONE
        },
    },
];

/// The quirks of a token (or of a library, whose model is empty), by prefixes of what it reports.
pub(crate) fn of(manufacturer: &str, model: &str) -> Quirks {
    TABLE
        .iter()
        .find(|row| manufacturer.starts_with(row.manufacturer) && model.starts_with(row.model))
        .map_or(NONE, |row| row.quirks)
}

/// CKA_KEY_TYPE of EdDSA keys: the standard's, then vendors' own.
pub(crate) fn edwards_key_types() -> impl Iterator<Item = sys::CK_KEY_TYPE> {
    let vendors = TABLE.iter().filter_map(|row| row.quirks.vendor_eddsa);
    std::iter::once(Eddsa::STANDARD)
        .chain(vendors)
        .map(|eddsa| eddsa.key_type)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn software_tokens_copy_and_others_do_not() {
        assert!(of("SoftHSM project", "SoftHSM v2").session_copy);
        assert!(of("SoftHSM", "").skip_finalise);
        assert!(of("Kryoptic Project", "v1").session_copy);
        assert!(of("Mozilla Foundation", "NSS 3").local_unkept);
        assert_eq!(of("Utimaco IS GmbH", "CryptoServer"), NONE);
    }

    #[test]
    fn a_model_is_enough() {
        for maker in ["SafeNet", "Gemalto", "Thales"] {
            assert_eq!(of(maker, "LunaSA 7.0.1").vendor_eddsa.unwrap().sign, 0x8000_0c03);
        }
        // The library of such a token reports no model, and is not one.
        assert_eq!(of("SafeNet", ""), NONE);
        assert!(edwards_key_types().eq([0x40, 0x8000_0012]));
    }
}
