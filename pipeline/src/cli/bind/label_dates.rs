//! The date options of dnssec-keyfromlabel, each at most once, with `sync` as a word of its own behind `-P` and `-D`;
//! handed to the dates of new keys that `signet key` has.

use super::Failure;
use super::options::Options;
use crate::cli::key::dates::DateFlags;

/// Takes one date option; `false` for a letter that is none.
///
/// # Errors
/// For a date that was there already.
pub(super) fn take(letter: char, value: String, options: &mut Options, dates: &mut DateFlags) -> Result<bool, Failure> {
    let sync = value.eq_ignore_ascii_case("sync");
    let (place, name) = match letter {
        'P' if sync => (&mut dates.sync_publish, "-P sync"),
        'D' if sync => (&mut dates.sync_delete, "-D sync"),
        'P' => (&mut dates.publish, "-P"),
        'A' => (&mut dates.activate, "-A"),
        'R' => (&mut dates.revoke, "-R"),
        'I' => (&mut dates.inactive, "-I"),
        'D' => (&mut dates.delete, "-D"),
        _ => return Ok(false),
    };
    let value = if sync && matches!(letter, 'P' | 'D') {
        let date = options.word();
        date.ok_or_else(|| Failure::general(format!("{name} wants a date")))?
    } else {
        value
    };
    if place.replace(value).is_some() {
        return Err(Failure::general(format!("{name} specified more than once")));
    }
    Ok(true)
}

/// The options that were given, for messages about what excludes them.
pub(super) fn given(dates: &DateFlags) -> Vec<&'static str> {
    [
        ("-P", dates.publish.is_some()),
        ("-A", dates.activate.is_some()),
        ("-R", dates.revoke.is_some()),
        ("-I", dates.inactive.is_some()),
        ("-D", dates.delete.is_some()),
        ("-P sync", dates.sync_publish.is_some()),
        ("-D sync", dates.sync_delete.is_some()),
        ("-G", dates.no_dates),
    ]
    .into_iter()
    .filter_map(|(name, is)| is.then_some(name))
    .collect()
}
