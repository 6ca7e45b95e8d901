//! The dates of a key that follows another one, as `dnssec-keygen -S` and `dnssec-settime -S` take them from the old
//! key's. Writes nothing.

use dnssec_sign::KeyTimes;
use signet_pipeline::Error;
use zone_io::KeyFiles;

use crate::cli::streams;

/// How long before the old key becomes inactive the new one is published, when nobody says.
const PREPUBLICATION: u32 = 30 * 86400;

/// The dates of a successor made at `now`: active when the old key becomes inactive, published `interval` seconds
/// before that.
///
/// # Errors
/// [`Error::Input`] when the old key's dates leave no room for it.
pub(in crate::cli) fn times(old: &KeyFiles, interval: Option<u32>, now: u32) -> Result<KeyTimes, Error> {
    let (name, dates) = (old.name(), old.times());
    let interval = interval.unwrap_or(PREPUBLICATION);
    if old.private.is_none() {
        return Err(Error::Input(format!(
            "{name} has no private file: a successor needs one to be noted in"
        )));
    }
    if dates.activate.is_none() {
        return Err(Error::Input(format!(
            "{name} has no activation date: set one with `signet key times -A` before a successor is made"
        )));
    }
    let Some(inactive) = dates.inactive else {
        return Err(Error::Input(format!(
            "{name} has no inactivation date: set one with `signet key times -I` before a successor is made"
        )));
    };
    let publish = inactive.checked_sub(interval).filter(|publish| *publish >= now);
    let Some(publish) = publish else {
        return Err(Error::Input(format!(
            "{name} becomes inactive before its successor could be published for {interval} seconds: set a later \
             inactivation date with `signet key times -I`, or give a shorter interval with -i"
        )));
    };
    if dates.delete.is_none() {
        streams::warn(&format!(
            "{name} has no deletion date: it stays in the zone after the roll; `signet key times -D` sets one"
        ));
    }
    Ok(KeyTimes {
        created: Some(now),
        publish: Some(publish),
        activate: Some(inactive),
        ..KeyTimes::default()
    })
}
