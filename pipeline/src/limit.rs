//! How many signatures a key may make: what a run is about to make is booked before it is signed, so that the limit is
//! never passed. Proofs are not counted.

use std::sync::atomic::{AtomicU64, Ordering};

use dnssec_sign::KeyIndex;

use crate::error::Error;

/// So many signatures are made with a key whose PIN is typed on the token's pad for each, unless more are asked for.
const BY_HAND: u64 = 20;

/// The limit of one key.
#[derive(Debug)]
pub struct SignatureLimit {
    name: String,
    reason: Reason,
    store: usize,
    key: KeyIndex,
    most: u64,
    made: u64,
    left: AtomicU64,
}

/// Why there is a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// It was asked for.
    Asked,
    /// A person types the PIN for each signature.
    ByHand,
}

impl SignatureLimit {
    /// The limit of a key whose PIN is typed on the token's pad for each signature.
    #[must_use]
    pub fn by_hand(name: &str, place: (usize, KeyIndex)) -> Self {
        Self {
            reason: Reason::ByHand,
            ..Self::new(name, place, BY_HAND, 0)
        }
    }

    /// At most `most` signatures with a key, named by its store and its place there, of which `made` were made earlier.
    #[must_use]
    pub fn new(name: &str, (store, key): (usize, KeyIndex), most: u64, made: u64) -> Self {
        Self {
            name: name.to_owned(),
            reason: Reason::Asked,
            store,
            key,
            most,
            made,
            left: AtomicU64::new(most.saturating_sub(made)),
        }
    }

    pub(crate) fn is_of(&self, store: usize, key: KeyIndex) -> bool {
        (self.store, self.key) == (store, key)
    }

    /// Books signatures.
    pub(crate) fn spend(&self, count: u64) -> Result<(), Error> {
        let less = |left: u64| left.checked_sub(count);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            Ok(_) => Ok(()),
            Err(_) if self.reason == Reason::ByHand => Err(Error::Input(format!(
                "{}: its token wants the PIN on its pad for each signature, and this run needs more than {}; nothing was published; \
                 say how many it may be with --max-signatures {}=N",
                self.name, self.most, self.name
            ))),
            Err(_) => Err(Error::Input(format!(
                "{} may make {} signatures by --max-signatures, {} are on record from earlier runs, and this run needs more than \
                 what is left; nothing was published",
                self.name, self.most, self.made
            ))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_kept_and_never_passed() {
        let limit = SignatureLimit::new("K", (0, KeyIndex(1)), 100, 30);
        assert!(limit.is_of(0, KeyIndex(1)) && !limit.is_of(1, KeyIndex(1)));
        limit.spend(64).unwrap();
        limit.spend(6).unwrap();
        let error = limit.spend(1).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().contains("30 are on record"), "{error}");
        assert!(SignatureLimit::new("K", (0, KeyIndex(0)), 5, 9).spend(1).is_err());
        let typed = SignatureLimit::by_hand("K", (0, KeyIndex(0)));
        typed.spend(BY_HAND).unwrap();
        assert!(typed.spend(1).unwrap_err().to_string().contains("K=N"));
    }
}
