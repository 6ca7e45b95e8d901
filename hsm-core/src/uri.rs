//! Turns `pkcs11:` URIs (RFC 7512) and the labels of BIND's key files into selectors, and back.
//!
//! Reads path and query attributes, percent-encoding, BIND's `object-type`, `pin-source` and
//! `pin-value` in either part, a URI without its scheme, and a bare label. Refuses duplicates and
//! path attributes it does not know, as RFC 7512 section 2.3 asks. A `pin-value` becomes a secret
//! and is never printed. It opens and searches nothing.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::key::KeySelector;
use crate::pin::{PinSource, secret};
use crate::token::TokenSelector;

/// A parsed PKCS#11 URI.
///
/// ```
/// let uri: hsm_core::Uri = "pkcs11:token=prod;object=ksk?pin-value=1234".parse()?;
/// assert_eq!(uri.key.label.as_deref(), Some("ksk"));
/// assert_eq!(uri.to_string(), "pkcs11:token=prod;object=ksk");
/// # Ok::<(), hsm_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Uri {
    /// `token`, `manufacturer`, `serial`, `model`, `slot-id`.
    pub token: TokenSelector,
    /// `object`, `id`, `type`.
    pub key: KeySelector,
    /// `pin-source`.
    pub pin_source: Option<PinSource>,
    /// `pin-value`: accepted, never printed.
    pub pin_value: Option<SecretString>,
    /// `module-path`. It counts only from the command line or a trusted configuration, never from
    /// a key file: that would be code execution from data.
    pub module_path: Option<PathBuf>,
    /// `library-*`, `slot-description`, `slot-manufacturer`, `module-name`: kept for printing,
    /// not matched.
    descriptive: Vec<(&'static str, String)>,
    /// Query attributes that are not known; RFC 7512 lets a reader pass over them.
    pub ignored: Vec<String>,
}

const DESCRIPTIVE: &[&str] = &[
    "library-manufacturer",
    "library-description",
    "library-version",
    "slot-manufacturer",
    "slot-description",
    "module-name",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Query,
}

impl Uri {
    /// Whether neither a label nor an id is named, so that no key can be found by it.
    pub fn names_no_key(&self) -> bool {
        self.key.label.is_none() && self.key.id.is_none()
    }

    fn take(&mut self, part: Part, name: &str, value: &str) -> Result<()> {
        match name {
            "token" => once(name, &mut self.token.label, text(name, value)?),
            "manufacturer" => once(name, &mut self.token.manufacturer, text(name, value)?),
            "serial" => once(name, &mut self.token.serial, text(name, value)?),
            "model" => once(name, &mut self.token.model, text(name, value)?),
            "slot-id" => {
                let slot = text(name, value)?;
                let slot = slot.parse().map_err(|_| wrong(name, "it has to be a decimal number"))?;
                once(name, &mut self.token.slot, slot)
            }
            "object" => once(name, &mut self.key.label, text(name, value)?),
            "id" => {
                let id = bytes(name, value)?;
                if id.is_empty() {
                    return Err(wrong(name, "it is empty"));
                }
                once(name, &mut self.key.id, id.to_vec())
            }
            "type" | "object-type" => {
                let class = text(name, value)?
                    .parse()
                    .map_err(|()| wrong(name, "it has to be private, public, cert, secret-key or data"))?;
                once(name, &mut self.key.class, class)
            }
            "pin-source" => {
                let source = text(name, value)?.parse()?;
                once(name, &mut self.pin_source, source)
            }
            "pin-value" => {
                let pin = bytes(name, value)?;
                let pin = std::str::from_utf8(&pin).map_err(|_| wrong(name, "it is not UTF-8"))?;
                once(name, &mut self.pin_value, secret(pin))
            }
            "module-path" if part == Part::Query => {
                let path = text(name, value)?;
                once(name, &mut self.module_path, PathBuf::from(path))
            }
            _ => {
                if let Some(known) = DESCRIPTIVE.iter().find(|known| **known == name) {
                    if self.descriptive.iter().any(|(there, _)| there == known) {
                        return Err(duplicate(name));
                    }
                    self.descriptive.push((known, text(name, value)?));
                    Ok(())
                } else if part == Part::Query {
                    self.ignored.push(name.to_owned());
                    Ok(())
                } else {
                    Err(wrong(name, "no such attribute; RFC 7512 forbids to pass over it"))
                }
            }
        }
    }
}

impl FromStr for Uri {
    type Err = Error;

    /// # Errors
    /// [`Error::Uri`], which names the attribute but does not repeat the text.
    fn from_str(input: &str) -> Result<Self> {
        let mut uri = Self::default();
        let scheme = "pkcs11:";
        let with_scheme = input
            .get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
            .and_then(|_| input.get(scheme.len()..));
        let rest = match with_scheme {
            Some(rest) => rest,
            None => {
                let before_value = input.split('=').next().unwrap_or(input);
                if before_value.contains(':') {
                    let reason = "the scheme has to be pkcs11; a label with a colon is written pkcs11:object=A%3AB";
                    return Err(wrong("its start", reason));
                }
                input
            }
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        for attribute in path.split(';').filter(|attribute| !attribute.is_empty()) {
            match attribute.split_once('=') {
                Some((name, value)) => uri.take(Part::Path, name, value)?,
                // BIND: a component without a name is the label.
                None => uri.take(Part::Path, "object", attribute)?,
            }
        }
        for attribute in query.split('&').filter(|attribute| !attribute.is_empty()) {
            let Some((name, value)) = attribute.split_once('=') else {
                return Err(wrong("its query", "an attribute lacks its value"));
            };
            uri.take(Part::Query, name, value)?;
        }
        if uri.pin_source.is_some() && uri.pin_value.is_some() {
            return Err(wrong("pin-value", "pin-source is there as well; keep one of the two"));
        }
        Ok(uri)
    }
}

impl fmt::Display for Uri {
    /// RFC 7512, path attributes first, without the PIN.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path: Vec<(&str, String)> = Vec::new();
        let mut query: Vec<(&str, String)> = Vec::new();
        let mut add = |name, value: Option<&String>| {
            if let Some(value) = value {
                path.push((name, encode(value.as_bytes(), Part::Path)));
            }
        };
        add("token", self.token.label.as_ref());
        add("manufacturer", self.token.manufacturer.as_ref());
        add("serial", self.token.serial.as_ref());
        add("model", self.token.model.as_ref());
        if let Some(slot) = self.token.slot {
            path.push(("slot-id", slot.to_string()));
        }
        for (name, value) in &self.descriptive {
            match *name {
                "module-name" => query.push((name, encode(value.as_bytes(), Part::Query))),
                _ => path.push((name, encode(value.as_bytes(), Part::Path))),
            }
        }
        if let Some(label) = &self.key.label {
            path.push(("object", encode(label.as_bytes(), Part::Path)));
        }
        if let Some(id) = &self.key.id {
            path.push(("id", id.iter().map(|byte| format!("%{byte:02X}")).collect()));
        }
        if let Some(class) = self.key.class {
            path.push(("type", class.to_string()));
        }
        if let Some(source) = &self.pin_source {
            query.push(("pin-source", encode(source.to_string().as_bytes(), Part::Query)));
        }
        if let Some(module) = &self.module_path {
            let bytes = module.as_os_str().as_encoded_bytes();
            query.push(("module-path", encode(bytes, Part::Query)));
        }
        write!(f, "pkcs11:{}", joined(&path, ";"))?;
        if query.is_empty() {
            return Ok(());
        }
        write!(f, "?{}", joined(&query, "&"))
    }
}

fn joined(attributes: &[(&str, String)], separator: &str) -> String {
    let pairs: Vec<_> = attributes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(separator)
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<()> {
    if place.is_some() {
        return Err(duplicate(name));
    }
    *place = Some(value);
    Ok(())
}

fn wrong(at: &str, reason: &str) -> Error {
    // What stands for a name in a malformed URI may be anything, a PIN among it.
    let named = !at.is_empty()
        && at.len() <= 24
        && at
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte == b' ');
    let at = if named {
        at.to_owned()
    } else {
        "an attribute".to_owned()
    };
    Error::Uri {
        at,
        reason: reason.to_owned(),
    }
}

fn duplicate(name: &str) -> Error {
    wrong(name, "it is given twice")
}

fn text(name: &str, value: &str) -> Result<String> {
    let bytes = bytes(name, value)?;
    std::str::from_utf8(&bytes)
        .map(str::to_owned)
        .map_err(|_| wrong(name, "it is not UTF-8"))
}

/// Undoes percent-encoding. The buffer is zeroed on drop, since it may hold a PIN.
fn bytes(name: &str, value: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let digits = behind
            .split_at_checked(2)
            .and_then(|(digits, behind)| Some((hex(digits[0])?, hex(digits[1])?, behind)));
        let Some((high, low, behind)) = digits else {
            return Err(wrong(
                name,
                "a percent sign wants two hexadecimal digits behind it; a percent sign itself is %25",
            ));
        };
        decoded.push(high << 4 | low);
        rest = behind;
    }
    Ok(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// RFC 7512 section 2.3: unreserved characters and the part's own set stand for themselves.
fn encode(value: &[u8], part: Part) -> String {
    let own: &[u8] = match part {
        Part::Path => b":[]@!$'()*+,=&",
        Part::Query => b":[]@!$'()*+,=/?|",
    };
    let mut encoded = String::with_capacity(value.len());
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || own.contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::key::ObjectClass;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    fn fault(text: &str) -> String {
        text.parse::<Uri>().unwrap_err().to_string()
    }

    #[test]
    fn all_attributes_are_read_and_printed() {
        let text = "pkcs11:token=The%20token;manufacturer=M;serial=0f;model=v2;slot-id=7;\
                    library-version=2.6;object=my%3Bkey;id=%01%FF;type=private\
                    ?pin-source=file:/etc/pin&module-path=/usr/lib/p.so";
        let parsed = uri(text);
        assert_eq!(parsed.token.label.as_deref(), Some("The token"));
        assert_eq!(parsed.token.slot, Some(7));
        assert_eq!(parsed.key.label.as_deref(), Some("my;key"));
        assert_eq!(parsed.key.id.as_deref(), Some(&[1, 255][..]));
        assert_eq!(parsed.key.class, Some(ObjectClass::Private));
        assert_eq!(parsed.pin_source, Some(PinSource::File("/etc/pin".into())));
        assert_eq!(parsed.module_path, Some("/usr/lib/p.so".into()));
        assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn binds_forms() {
        assert_eq!(uri("ksk-2024").to_string(), "pkcs11:object=ksk-2024");
        assert_eq!(uri("PKCS11:ksk").key.label.as_deref(), Some("ksk"));
        let parsed = uri("token=T;object=O;pin-source=/run/pin");
        assert_eq!(parsed.token.label.as_deref(), Some("T"));
        assert_eq!(parsed.pin_source, Some(PinSource::File("/run/pin".into())));
        assert_eq!(
            uri("token=T;object=O;pin-source=file:/p").pin_source,
            Some(PinSource::File("/p".into()))
        );
        assert_eq!(
            uri("pkcs11:object-type=private;id=%aB").key.id.as_deref(),
            Some(&[0xab][..])
        );
        assert!(fault("slot:ksk").contains("scheme"));
    }

    #[test]
    fn a_pin_is_kept_and_never_printed() {
        for text in ["pkcs11:object=k?pin-value=se%63ret", "pkcs11:object=k;pin-value=secret"] {
            let parsed = uri(text);
            assert_eq!(parsed.pin_value.as_ref().unwrap().expose_secret(), "secret");
            assert_eq!(parsed.to_string(), "pkcs11:object=k");
            assert!(!format!("{parsed:?}").contains("secret"));
        }
        for text in [
            "pkcs11:object=k?pin-value=secret%zz",
            "pkcs11:object=k?pin-value=secret&pin-value=secret",
            "pkcs11:object=k?pin-value=secret&pin-source=prompt",
            "pkcs11:secret!=1",
            "pin-value=secret;;x=secret",
        ] {
            assert!(!fault(text).contains("secret"), "{}", fault(text));
        }
    }

    mod properties {
        use proptest::option::of;
        use proptest::prelude::*;

        use super::super::*;
        use crate::key::ObjectClass;

        fn uris() -> impl Strategy<Value = Uri> {
            let text = || of(any::<String>());
            let class = of(prop_oneof![
                Just(ObjectClass::Private),
                Just(ObjectClass::Public),
                Just(ObjectClass::Data)
            ]);
            let pin = of(prop_oneof![
                Just(PinSource::Prompt),
                Just(PinSource::Fd(7)),
                "[^\0]{1,12}".prop_map(|path| PinSource::File(format!("/{path}").into())),
            ]);
            let id = of(proptest::collection::vec(any::<u8>(), 1..9));
            let key = (text(), id, class);
            let token = (text(), text(), text(), text(), of(any::<u64>()));
            (token, key, pin, of("/[^\0]{0,12}")).prop_map(|(token, key, pin_source, module)| Uri {
                token: TokenSelector {
                    label: token.0,
                    serial: token.1,
                    manufacturer: token.2,
                    model: token.3,
                    slot: token.4,
                },
                key: KeySelector {
                    label: key.0,
                    id: key.1,
                    class: key.2,
                },
                pin_source,
                module_path: module.map(PathBuf::from),
                ..Uri::default()
            })
        }

        proptest! {
            #[test]
            fn what_is_printed_is_read_again(uri in uris()) {
                let text = uri.to_string();
                prop_assert!(text.is_ascii(), "{text}");
                let read: Uri = text.parse().unwrap();
                prop_assert_eq!(&read.token, &uri.token);
                prop_assert_eq!(&read.key, &uri.key);
                prop_assert_eq!(&read.pin_source, &uri.pin_source);
                prop_assert_eq!(&read.module_path, &uri.module_path);
                prop_assert_eq!(read.to_string(), text);
            }

            #[test]
            fn any_text_is_read_or_refused(text in "(pkcs11:)?[a-z=;?&%:/ -]{0,40}") {
                if let Ok(uri) = text.parse::<Uri>() {
                    let printed = uri.to_string();
                    prop_assert_eq!(printed.parse::<Uri>().unwrap().to_string(), printed);
                }
            }
        }
    }

    #[test]
    fn what_is_refused() {
        assert!(fault("pkcs11:object=a;object=b").contains("object: it is given twice"));
        assert!(fault("pkcs11:object=a;b").contains("given twice"));
        assert!(fault("pkcs11:id=%01;id=%01").contains("given twice"));
        assert!(fault("pkcs11:token=T?pin-source=a&pin-source=b").contains("given twice"));
        assert!(fault("pkcs11:x-vendor=1").contains("no such attribute"));
        assert!(fault("pkcs11:module-path=/evil.so").contains("no such attribute"));
        assert!(fault("pkcs11:object=100%").contains("%25"));
        assert!(fault("pkcs11:object=%ff").contains("UTF-8"));
        assert!(fault("pkcs11:slot-id=x").contains("decimal"));
        assert!(fault("pkcs11:type=key").contains("private, public"));
        assert!(fault("pkcs11:object=a?pin-source=|cat").contains("not run"));
        assert_eq!(uri("pkcs11:object=a?x-vendor=1").ignored, ["x-vendor"]);
        assert!(uri("pkcs11:token=T").names_no_key());
    }
}
