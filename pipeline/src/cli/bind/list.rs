//! `pkcs11-list`: the objects of a token, one a line, in the words that scripts for BIND's tool count.

use hsm_core::{BrowseMode, KeySelector, ObjectInfo};

use super::options::{Options, Taken, leading_number};
use super::provider::{Place, failure};
use super::{Failure, Tool};
use crate::cli::streams;

const TOOL: Tool = Tool::List;

const USAGE: &str = "Usage:\n\tpkcs11-list [-P] [-m module] [-s slot] [-i ID | -l label] [-p PIN]";

/// BIND's tool takes so many handles at a time and counts each batch from 0.
const BATCH: usize = 50;

/// An ID longer than this is cut.
const ID_SHOWN: usize = 8;

fn usage(text: &str) -> Failure {
    Failure::general(format!("{text}\n{USAGE}").trim_start())
}

/// `-i` as a CKA_ID: the lower 16 bits, of which 0 is none.
pub(super) fn short_id(value: &str) -> Option<u16> {
    let [.., high, low] = leading_number(value).to_be_bytes();
    Some(u16::from_be_bytes([high, low])).filter(|id| *id != 0)
}

/// Text as the token has it, with control characters as question marks: a label must not command a terminal.
pub(super) fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Bytes in hexadecimal, so many at most.
pub(super) fn shortened(id: &[u8], most: usize) -> String {
    let shown = id.get(..most).unwrap_or(id);
    let rest = if id.len() > most { "..." } else { "" };
    format!("0x{}{rest}", data_encoding::HEXLOWER.encode(shown))
}

fn id_text(id: &[u8]) -> String {
    match id {
        [] => String::new(),
        [high, low] => u16::from_be_bytes([*high, *low]).to_string(),
        id => shortened(id, ID_SHOWN),
    }
}

fn line(at: usize, object: &ObjectInfo) -> String {
    let class = object.class;
    let mut line = format!(
        "object[{}]: handle {} class {} label[{}] '{}' id[{}] {}",
        at % BATCH,
        object.handle(),
        class.map_or_else(|| "-1".to_owned(), |class| class.to_string()),
        object.label.len(),
        printable(&object.label),
        object.id.len(),
        id_text(&object.id),
    );
    // CKO_PRIVATE_KEY and CKO_SECRET_KEY.
    if matches!(class, Some(3 | 4)) {
        let extractable = match (object.extractable, object.never_extractable) {
            (Some(true), _) => "true",
            (_, Some(true)) => "never",
            _ => "false",
        };
        line.push_str(&format!(" E:{extractable}"));
    }
    line.push('\n');
    line
}

/// Lists.
///
/// # Errors
/// [`Failure`], exit code 1.
pub(super) fn run(words: Vec<String>) -> Result<(), Failure> {
    let mut place = Place::default();
    let (mut public_only, mut label, mut id) = (false, None, None);
    let mut options = Options::new(words, "Pm:s:i:l:p:");
    while let Some(taken) = options.next() {
        match taken {
            Taken::Option('P', _) => public_only = true,
            Taken::Option('m', value) => place.module = Some(value.into()),
            Taken::Option('s', value) => place.slot = leading_number(&value),
            Taken::Option('i', value) => id = short_id(&value),
            Taken::Option('l', value) => label = Some(value),
            Taken::Option('p', value) => place.take_pin(TOOL, &value)?,
            Taken::NoValue(letter) => return Err(usage(&format!("Missing operand for -{letter}"))),
            Taken::Option(letter, _) | Taken::Unknown(letter) => {
                return Err(usage(&format!("Unrecognised option: -{letter}")));
            }
        }
    }
    let mut head = String::new();
    if place.slot != 0 {
        head.push_str(&format!("slot {}\n", place.slot));
    }
    let mut wanted = KeySelector::default();
    if let Some(id) = id {
        head.push_str(&format!("id {id}\n"));
        wanted.id = Some(id.to_be_bytes().to_vec());
    } else if let Some(label) = label {
        head.push_str(&format!("label {label}\n"));
        wanted.label = Some(label);
    }
    let token = place.token(TOOL)?;
    let browser = if public_only {
        token.browse()
    } else {
        place.log_in(&token)?.browse(BrowseMode::Look)
    };
    let browser = browser.map_err(|error| failure(&error))?;
    let objects = browser.find(&wanted).map_err(|error| failure(&error))?;
    let lines: String = objects
        .iter()
        .enumerate()
        .map(|(at, object)| line(at, object))
        .collect();
    streams::print(&format!("{head}{lines}")).map_err(|error| Failure::general(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_as_scripts_expect() {
        assert_eq!(id_text(&[1, 2]), "258");
        assert_eq!(id_text(&[]), "");
        assert_eq!(id_text(&[0xab]), "0xab");
        assert_eq!(id_text(&[1; 9]), "0x0101010101010101...");
        assert_eq!(short_id("65537"), Some(1));
        assert_eq!(short_id("0"), None);
        assert_eq!(printable(b"a\x1b[2J"), "a?[2J");
    }
}
