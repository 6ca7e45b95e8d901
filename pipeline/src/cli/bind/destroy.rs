//! `pkcs11-destroy`: removes objects by label or ID after a wait, as BIND's tool does: without a selector all of them.

use std::io::Write;
use std::thread;
use std::time::Duration;

use hsm_core::{BrowseMode, KeySelector};
use signet_pipeline::{AuditEvent, AuditKey};

use super::list::{printable, shortened};
use super::options::{Options, Taken, c_number, leading_number};
use super::provider::{Place, failure, note};
use super::{Failure, Tool, warn};
use crate::cli::streams;

const TOOL: Tool = Tool::Destroy;

const USAGE: &str = "Usage:\n\tpkcs11-destroy [-m module] [-s slot] {-i ID | -l label} [-p PIN] [-w waittime]";

/// So many objects are destroyed at most, as BIND's tool does.
const BATCH: usize = 50;

/// An ID longer than this is cut.
const ID_SHOWN: usize = 4;

fn usage(text: &str) -> Failure {
    Failure::general(format!("{text}\n{USAGE}").trim_start())
}

fn print(text: &str) -> Result<(), Failure> {
    streams::print(text).map_err(|error| Failure::general(error.to_string()))
}

/// Destroys.
///
/// # Errors
/// [`Failure`], exit code 1.
pub(super) fn run(words: Vec<String>) -> Result<(), Failure> {
    let mut place = Place::default();
    let (mut label, mut id, mut wait) = (None, None, 5);
    let mut options = Options::new(words, "m:s:i:l:p:w:");
    while let Some(taken) = options.next() {
        match taken {
            Taken::Option('m', value) => place.module = Some(value.into()),
            Taken::Option('s', value) => place.slot = leading_number(&value),
            Taken::Option('i', value) => {
                let number = c_number(&value).ok_or_else(|| usage(&format!("-i {value}: no number of 32 bits")))?;
                id = Some(match u16::try_from(number) {
                    Ok(short) => short.to_be_bytes().to_vec(),
                    Err(_) => number.to_be_bytes().to_vec(),
                });
            }
            Taken::Option('l', value) => label = Some(value),
            Taken::Option('p', value) => place.take_pin(TOOL, &value)?,
            Taken::Option('w', value) => wait = leading_number(&value),
            Taken::NoValue(letter) => return Err(usage(&format!("Missing operand for -{letter}"))),
            Taken::Option(letter, _) | Taken::Unknown(letter) => {
                return Err(usage(&format!("Unrecognised option: -{letter}")));
            }
        }
    }
    if label.is_some() && id.is_some() {
        return Err(usage("-i and -l exclude each other"));
    }
    if label.is_none() && id.is_none() {
        warn(TOOL, "neither -i nor -l: every object on the token matches");
    }
    let token = place.token(TOOL)?;
    let browser = place.log_in(&token)?.browse(BrowseMode::Change);
    let browser = browser.map_err(|error| failure(&error))?;
    let selector = KeySelector { label, id, class: None };
    let mut objects = browser.find(&selector).map_err(|error| failure(&error))?;
    if objects.is_empty() {
        return print("No matching key objects found.\n");
    }
    if objects.len() > BATCH {
        warn(
            TOOL,
            &format!(
                "{} objects match; {BATCH} are destroyed, run it again for the rest",
                objects.len()
            ),
        );
        objects.truncate(BATCH);
    }
    let mut text = "Key object(s) found:\n".to_owned();
    for (at, object) in objects.iter().enumerate() {
        let class = object.class.map_or_else(|| "-1".to_owned(), |class| class.to_string());
        text.push_str(&format!(
            "  object[{at}]: class {class}, label '{}', id[{}] {}\n",
            printable(&object.label),
            object.id.len(),
            shortened(&object.id, ID_SHOWN),
        ));
    }
    print(&text)?;
    countdown(wait)?;
    let mut failed = 0;
    for object in &objects {
        if let Err(error) = browser.destroy(object) {
            streams::tell(&format!("{}\n", failure(&error).text));
            failed += 1;
            continue;
        }
        note(&AuditEvent::Destroyed(AuditKey {
            label: Some(printable(&object.label)),
            id: Some(data_encoding::HEXLOWER.encode(&object.id)),
            token: Some(token.info().label.clone()),
            ..AuditKey::default()
        }))?;
    }
    if failed > 0 {
        return Err(Failure::general(format!("{failed} objects were not destroyed")));
    }
    print("Destruction complete.\n")
}

/// The time in which to think better of it: a dot a second.
fn countdown(seconds: u64) -> Result<(), Failure> {
    if seconds == 0 {
        return Ok(());
    }
    print("\nThe objects are about to be destroyed, which cannot be undone. Interrupt now to keep them.\n  ")?;
    for _ in 0..seconds {
        thread::sleep(Duration::from_secs(1));
        print(".")?;
        let _ = std::io::stdout().flush();
    }
    print("\n")
}
