//! What the project's own fuzz targets look at below the public API: the block masks of both twins, and the tokens of a
//! text. Behind the feature `fuzzing`, without any promise, and nothing is decided here.

use crate::reason::Reason;
use crate::scan::Scanner;
use crate::scan_block::{self, portable};

/// The bytes of a block.
pub const BLOCK: usize = scan_block::BLOCK;

/// The masks of one block: where a word may end, and where dots are.
pub type Masks = (u32, u32);

/// What this machine's code finds in a block, and what its portable twin finds.
#[must_use]
pub fn masks(block: &[u8; BLOCK]) -> (Masks, Masks) {
    let fast = (scan_block::word_ends(block), scan_block::dots(block));
    (fast, (portable::word_ends(block), portable::dots(block)))
}

/// What the scanner finds next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A word or a quoted string, without its quotes.
    Token {
        /// Where it starts.
        at: usize,
        /// Its length in bytes.
        length: usize,
        /// Whether it stands in quotes.
        quoted: bool,
        /// Whether there is a backslash in it.
        escaped: bool,
    },
    /// The entry ends, and the next one starts here.
    End {
        /// Where the next entry starts.
        at: usize,
        /// The line breaks before it.
        line: u32,
    },
    /// The entry is wrong. Its [`End`](Self::End) follows.
    Fault {
        /// Where the fault is.
        at: usize,
        /// Its length in bytes.
        length: usize,
        /// What is wrong.
        reason: Reason,
    },
}

/// Scans a whole text, whatever stands in it.
pub fn scan(text: &[u8], mut emit: impl FnMut(Piece)) {
    let mut scan = Scanner::new(text, 0, 0);
    while scan.at < text.len() {
        match scan.token() {
            Ok(Some(token)) => {
                emit(Piece::Token {
                    at: token.at,
                    length: token.text.len(),
                    quoted: token.quoted,
                    escaped: token.escaped,
                });
                continue;
            }
            Ok(None) => scan.end_entry(),
            Err(raw) => {
                emit(Piece::Fault {
                    at: raw.at,
                    length: raw.length,
                    reason: raw.reason,
                });
                scan.skip_entry();
            }
        }
        emit(Piece::End {
            at: scan.at,
            line: scan.line,
        });
    }
}
