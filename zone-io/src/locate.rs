//! Faults that were found in records, not in text: given back their file, line and the line's text. The files are read
//! again for it, as far as they are still what they were; nothing of them was kept.

use dnssec_sign::Locus;
use memchr::memchr_iter;

use crate::excerpt::Excerpt;
use crate::fault::{Fault, Severity};
use crate::load::Loaded;
use crate::reason::Reason;

/// The bytes of text that is not a plain file in which lines are looked up.
const SHOWN_OF_COMPRESSED: usize = 16 << 20;

impl Loaded {
    /// The faults at those places, in the same order, each with its line as far as the input can be read again.
    #[must_use]
    pub fn locate(&self, found: impl IntoIterator<Item = (Locus, Severity, Reason)>) -> Vec<Fault> {
        let mut faults: Vec<(u32, usize, Fault)> = Vec::new();
        for (order, (locus, severity, reason)) in found.into_iter().enumerate() {
            let name = self.source_name(locus.source).into();
            faults.push((locus.source, order, Fault::new(severity, name, locus.line, reason)));
        }
        faults.sort_by_key(|(source, _, fault)| (*source, fault.line));
        for of_source in faults.chunk_by_mut(|one, other| one.0 == other.0) {
            self.show_lines(of_source);
        }
        faults.sort_by_key(|(_, order, _)| *order);
        faults.into_iter().map(|(_, _, fault)| fault).collect()
    }

    /// Gives faults of one source, in ascending order of lines, their lines.
    fn show_lines(&self, faults: &mut [(u32, usize, Fault)]) {
        let Some(watch) = faults
            .first()
            .and_then(|(source, _, _)| self.sources.get(usize::try_from(*source).ok()?))
        else {
            return;
        };
        for (_, _, fault) in &mut *faults {
            fault.included.clone_from(&watch.included);
        }
        let Some((source, mut window)) = watch.reopen() else {
            return;
        };
        let bytes = match &mut window {
            Some(window) => match window.fill(SHOWN_OF_COMPRESSED) {
                Ok(()) => window.bytes(),
                Err(_) => return,
            },
            None => source.mapped(),
        };
        let (mut line, mut start) = (1, 0);
        let mut breaks = memchr_iter(b'\n', bytes);
        for (_, _, fault) in faults {
            while line < fault.line {
                let Some(end) = breaks.next() else {
                    return;
                };
                line += 1;
                start = end + 1;
            }
            if fault.line == 0 {
                continue;
            }
            let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |more| start + more);
            let text = bytes[start..end].trim_ascii_end();
            let indent = text.len() - text.trim_ascii_start().len();
            fault.excerpt = Excerpt::new(text, indent, text.len() - indent).into();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;
    use crate::load::{LoadOptions, load};

    #[test]
    fn lines_are_read_again_in_any_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("zone"), "a 1 NS b\n\n  ; c\n 1 NS d \r\n$INCLUDE inner\n").unwrap();
        std::fs::write(path("inner"), "c 1 NS e").unwrap();
        let loaded = load(&path("zone"), &LoadOptions::new("example.".parse().unwrap())).unwrap();
        let found = |source, line| (Locus { source, line }, Severity::Warning, Reason::NoTtl);
        let places = [
            found(0, 4),
            found(1, 1),
            found(0, 1),
            found(0, 0),
            found(0, 9),
            found(7, 1),
        ];
        let faults = loaded.locate(places.clone());
        let texts: Vec<_> = faults.iter().map(Fault::line_text).collect();
        assert_eq!(texts, [" 1 NS d", "c 1 NS e", "a 1 NS b", "", "", ""]);
        assert!(faults[0].to_string().contains(" 1 NS d\n      |  ^^^^^^"));
        assert_eq!(faults[1].included.as_ref().unwrap().line, 5);
        std::fs::write(path("zone"), "other\n").unwrap();
        let faults = loaded.locate(places);
        assert_eq!((faults[0].line, faults[0].line_text()), (4, ""));
    }
}
