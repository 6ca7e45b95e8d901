//! What is no fault in an entry and rarely meant: found while it is read, at next to no cost where there is nothing.
//! Warnings about sets of records are in `sets`.

use dnssec_sign::{Name, NameRef};

use crate::lint::{Lint, Lints};
use crate::reason::Reason;
use crate::scan::{Raw, Token};

/// What is looked for, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Suspicion {
    /// The wire form of the zone's name without the root label; empty when names are not looked at.
    zone: Vec<u8>,
    missing_ttl: bool,
    /// Until someone takes them.
    pub(crate) found: Vec<Raw>,
}

impl Suspicion {
    pub(super) fn new(zone: &Name, lints: Lints) -> Self {
        let mut wire = Vec::new();
        if lints.contains(Lint::MissingDot) {
            wire.extend_from_slice(zone.borrow().wire());
            wire.pop();
        }
        Self {
            zone: wire,
            missing_ttl: lints.contains(Lint::MissingTtl),
            found: Vec::new(),
        }
    }

    /// Looks at a name that was completed with `origin` unless it was absolute.
    #[inline]
    pub(super) fn look_at(&mut self, token: &Token<'_>, name: &[u8], origin: &[u8]) {
        let [.., last] = *self.zone else {
            return;
        };
        // The labels of the text, when it is relative.
        let Some(labels) = name.len().checked_sub(origin.len()).map(|length| &name[..length]) else {
            return;
        };
        if labels.len() >= self.zone.len()
            && labels[labels.len() - 1].eq_ignore_ascii_case(&last)
            && token.text.last() != Some(&b'.')
        {
            self.look_closer(token, labels, name);
        }
    }

    #[inline(never)]
    fn look_closer(&mut self, token: &Token<'_>, labels: &[u8], name: &[u8]) {
        let before = labels.len() - self.zone.len();
        if !labels[before..].eq_ignore_ascii_case(&self.zone) || !starts_label(labels, before) {
            return;
        }
        // A name of one label may well stand below itself.
        if before == 0 && self.zone.len() == usize::from(self.zone[0]) + 1 {
            return;
        }
        let mut zone = self.zone.clone();
        zone.push(0);
        if let (Ok(name), Ok(zone)) = (NameRef::from_wire(name), NameRef::from_wire(&zone)) {
            let (name, zone) = (name.to_name(), zone.to_name());
            let raw = Raw::new(token.at, token.text.len(), Reason::MissingDot { name, zone });
            self.found.push(raw);
        }
    }

    /// Notes that a record's TTL, which should have stood before the type there, was taken from elsewhere.
    #[inline]
    pub(super) fn missing_ttl(&mut self, (at, length): (usize, usize), reason: Reason) {
        if self.missing_ttl {
            self.found.push(Raw::new(at, length, reason));
        }
    }
}

/// Whether a label starts at that place.
fn starts_label(labels: &[u8], place: usize) -> bool {
    let mut at = 0;
    while at < place {
        at += usize::from(labels[at]) + 1;
    }
    at == place
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use crate::{Lint, Lints, ReadOptions, Reader};

    /// `line:column name` of each warning.
    fn warnings(zone: &str, text: &str, lints: Lints) -> Vec<String> {
        let mut options = ReadOptions::new(zone.parse().unwrap());
        options.lints = lints;
        let mut reader = Reader::new(text.as_bytes(), &options);
        while let Some(record) = reader.next_record() {
            assert!(record.is_ok(), "{record:?}");
        }
        let kept = reader.warnings().kept();
        kept.iter()
            .map(|fault| format!("{}:{} {}", fault.line, fault.column, fault.lint.unwrap()))
            .collect()
    }

    #[test]
    fn names_with_the_zones_name_twice() {
        let text = "$TTL 1\nwww.Example.com A 192.0.2.1\nwww NS ns.example.COM\nexample.com MX 1 mail.example.com.\n\
                    x.example.com.example.com. NS xexample.com\nexample NS com\n$ORIGIN sub\na.sub.example.com NS b\n";
        let found = ["2:1", "3:8", "4:1", "8:1"].map(|place| format!("{place} missing-dot"));
        assert_eq!(warnings("example.com.", text, Lints::ALL), found);
        assert!(warnings("example.com.", text, Lints::ALL.without(Lint::MissingDot)).is_empty());
        assert!(warnings(".", "$TTL 1\na NS b\n@ NS a.b\n", Lints::ALL).is_empty());
        assert_eq!(
            warnings("com.", "$TTL 1\ncom NS ns.com\n", Lints::ALL),
            ["2:8 missing-dot"]
        );
        // A letter of the label before may look like a length.
        assert!(warnings("a.", "$TTL 1\nb\\001a NS b\n", Lints::ALL).is_empty());
    }

    #[test]
    fn ttls_that_are_not_stated() {
        let text = "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns 7 A 192.0.2.1\n A 192.0.2.2\n";
        assert_eq!(warnings("a.", text, Lints::ALL), ["1:3 missing-ttl"]);
        let text = "@ 1 SOA ns h 1 2 3 4 5\n@ NS ns\nns 7 A 192.0.2.1\n A 192.0.2.2\n$TTL 3\nx NS y\n";
        assert_eq!(warnings("a.", text, Lints::ALL), ["2:3 missing-ttl", "4:2 missing-ttl"]);
        assert!(warnings("a.", text, Lints::NONE).is_empty());
        let text = "@ 1 SOA ns h 1 2 3 4 5\n$GENERATE 1-9 a$ NS b.a\n";
        assert_eq!(warnings("a.", text, Lints::ALL), ["2:1 missing-dot", "2:1 missing-ttl"]);
    }
}
