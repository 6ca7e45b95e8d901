//! What is known about providers beyond the specification, as data.
//!
//! A row is chosen by the manufacturer and model that the token or the library reports. It changes
//! how fast or how politely a provider is used, never what is signed.

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
}

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
            local_unkept: false,
        },
    },
    Row {
        manufacturer: "Kryoptic",
        model: "",
        quirks: Quirks {
            session_copy: true,
            skip_finalise: false,
            local_unkept: false,
        },
    },
    Row {
        manufacturer: "Mozilla Foundation",
        model: "NSS",
        quirks: Quirks {
            session_copy: false,
            skip_finalise: false,
            local_unkept: true,
        },
    },
];

/// The quirks of a token (or of a library, whose model is empty), by prefixes of what it reports.
pub(crate) fn of(manufacturer: &str, model: &str) -> Quirks {
    TABLE
        .iter()
        .find(|row| manufacturer.starts_with(row.manufacturer) && model.starts_with(row.model))
        .map_or_else(Quirks::default, |row| row.quirks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_tokens_copy_and_others_do_not() {
        assert!(of("SoftHSM project", "SoftHSM v2").session_copy);
        assert!(of("SoftHSM", "").skip_finalise);
        assert!(of("Kryoptic Project", "v1").session_copy);
        assert!(of("Mozilla Foundation", "NSS 3").local_unkept);
        assert_eq!(of("Thales", "Luna K7"), Quirks::default());
    }
}
