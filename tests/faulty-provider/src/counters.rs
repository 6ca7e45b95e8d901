//! Counters in a file that the module writes while a test reads: calls by function, and what happened otherwise.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};

use crate::functions::Function;

/// Words behind those of the functions, in order.
const EXTRA: &[&str] = &["fired", "open", "peak", "signed", "busy-finalise", "searches-beside"];

const WORDS: usize = Function::ALL.len() + EXTRA.len();

/// How long the file is: one 64-bit number a counter, in the machine's byte order.
pub const COUNTERS_LENGTH: u64 = WORDS as u64 * 8;

/// The counters of one file, or of this process alone.
pub struct Counters(Words);

enum Words {
    Shared(MmapRaw),
    Own(Box<[AtomicU64; WORDS]>),
}

/// What is counted beside calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extra {
    /// Rules that had their way.
    Fired,
    /// Sessions open now.
    Open,
    /// The most sessions open at once.
    Peak,
    /// Signatures handed out as good.
    Signed,
    /// C_Finalize while another call was under way.
    BusyFinalise,
    /// C_OpenSession or C_Login during a search, from C_FindObjectsInit to C_FindObjectsFinal, or a search begun during these.
    SearchesBeside,
}

impl Counters {
    /// Counters in memory only.
    pub(crate) fn own() -> Self {
        Self(Words::Own(Box::new([const { AtomicU64::new(0) }; WORDS])))
    }

    /// Opens the file, which is made if it is not there.
    ///
    /// # Errors
    /// The system's reason.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if file.metadata()?.len() < COUNTERS_LENGTH {
            file.set_len(COUNTERS_LENGTH)?;
        }
        let length = usize::try_from(COUNTERS_LENGTH).unwrap_or(usize::MAX);
        let map = MmapOptions::new().len(length).map_raw(&file)?;
        Ok(Self(Words::Shared(map)))
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        match &self.0 {
            Words::Own(words) => &words[at.min(WORDS - 1)],
            Words::Shared(map) => {
                // SAFETY: the mapping has WORDS words, and `at` is less than that.
                let word = unsafe { map.as_mut_ptr().cast::<u64>().add(at.min(WORDS - 1)) };
                // SAFETY: a mapping is aligned to a page, lives as long as `self`, and is only ever used atomically.
                unsafe { AtomicU64::from_ptr(word) }
            }
        }
    }

    /// How often a function was called.
    #[must_use]
    pub fn calls(&self, function: Function) -> u64 {
        self.word(function as usize).load(Ordering::SeqCst)
    }

    /// Another counter: `fired` (rules that had their way), `open` and `peak` (sessions now, and at most), `signed`
    /// (signatures handed out as good), `busy-finalise` (C_Finalize while another call was under way), `searches-beside` (C_OpenSession
    /// or C_Login beside a search).
    ///
    /// # Panics
    /// For a name that is none.
    #[must_use]
    #[allow(clippy::expect_used, reason = "for tests, which name what there is")]
    pub fn other(&self, name: &str) -> u64 {
        let at = EXTRA.iter().position(|extra| *extra == name).expect("a counter's name");
        self.word(Function::ALL.len() + at).load(Ordering::SeqCst)
    }

    pub(crate) fn count(&self, function: Function) {
        self.word(function as usize).fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn extra(&self, extra: Extra) -> &AtomicU64 {
        self.word(Function::ALL.len() + extra as usize)
    }
}
