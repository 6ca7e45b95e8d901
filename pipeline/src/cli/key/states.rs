//! The options of `key times` that dnssec-settime has for `.state` files: the states of a key's records, as BIND's key manager notes
//! them. What the states do is `dnssec-sign`'s.

use clap::Args;
use dnssec_sign::{NoRecordState, RecordState, parse_moment};
use signet_pipeline::Error;
use zone_io::{KeyStateFile, StateSince};

use super::dates;

/// What is noted in `K*.state`.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "States of a key's records")]
pub(super) struct StateFlags {
    /// Write K*.state too, as BIND's key manager has it
    #[arg(short = 's', long)]
    pub(super) state: bool,

    /// Where the key's records are to come to: hidden, omnipresent, or none
    #[arg(short = 'g', long, value_name = "STATE", requires = "state")]
    goal: Option<String>,

    /// The state of the DS (hidden, rumoured, omnipresent, unretentive or none), and since when
    #[arg(short = 'd', long, value_names = ["STATE", "TIME"], num_args = 2, allow_hyphen_values = true, requires = "state")]
    ds_state: Option<Vec<String>>,

    /// The state of the DNSKEY, and since when
    #[arg(short = 'k', long, value_names = ["STATE", "TIME"], num_args = 2, allow_hyphen_values = true, requires = "state")]
    dnskey_state: Option<Vec<String>>,

    /// The state of the signatures over the DNSKEY set, and since when
    #[arg(short = 'r', long, value_names = ["STATE", "TIME"], num_args = 2, allow_hyphen_values = true, requires = "state")]
    krrsig_state: Option<Vec<String>>,

    /// The state of the signatures over the zone, and since when
    #[arg(short = 'z', long, value_names = ["STATE", "TIME"], num_args = 2, allow_hyphen_values = true, requires = "state")]
    zrrsig_state: Option<Vec<String>>,

    /// When the DS went from the parent zone; kept in K*.state alone
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "state")]
    ds_delete: Option<String>,
}

impl StateFlags {
    /// Puts what is given over what is there. Says whether anything was.
    ///
    /// # Errors
    /// [`Error::Usage`], which names the flag.
    pub(super) fn put(&self, file: &mut KeyStateFile, now: u32) -> Result<bool, Error> {
        let mut any = dates::put("--ds-delete", &self.ds_delete, &mut file.ds_removed, now)?;
        for (flag, typed, place) in [
            ("--ds-state", &self.ds_state, &mut file.ds),
            ("--dnskey-state", &self.dnskey_state, &mut file.dnskey),
            ("--krrsig-state", &self.krrsig_state, &mut file.key_signatures),
            ("--zrrsig-state", &self.zrrsig_state, &mut file.zone_signatures),
        ] {
            let Some(words) = typed else {
                continue;
            };
            let [state, since] = words.as_slice() else {
                return Err(Error::Usage(format!("{flag} is given more than once")));
            };
            let state = state_of(flag, state)?;
            let since = parse_moment(since, now, now).map_err(|error| Error::Usage(format!("{flag}: {error}")))?;
            // A state without a time is one since 1970, as in BIND.
            *place = StateSince {
                state,
                since: state.map(|_| since.unwrap_or_default()),
            };
            any = true;
        }
        if let Some(text) = &self.goal {
            let goal = state_of("--goal", text)?;
            if matches!(goal, Some(RecordState::Rumoured | RecordState::Unretentive)) {
                return Err(Error::Usage("--goal: write hidden, omnipresent or none".to_owned()));
            }
            file.goal = goal;
            any = true;
        }
        Ok(any)
    }
}

/// `none` unsets a state.
fn state_of(flag: &str, text: &str) -> Result<Option<RecordState>, Error> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let state = text.parse().map(Some);
    state.map_err(|error: NoRecordState| Error::Usage(format!("{flag} {text}: {error}")))
}
