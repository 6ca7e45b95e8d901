//! Makes a slot's token new: C_InitToken, then the user's PIN by C_InitPIN. Everything that was on it is gone. Whether
//! that is wanted is asked by the caller.

use cryptoki::session::UserType;
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Located, Result};
use crate::token::{Access, Token, TokenSelector};

/// CKA_LABEL's room in CK_TOKEN_INFO, in bytes.
const LABEL_ROOM: usize = 32;

impl Token {
    /// Initialises the token with this label, the security officer's PIN and the user's; returns it as it is then,
    /// maybe in another slot. On a token that is in use the officer's PIN has to be the present one.
    ///
    /// # Errors
    /// [`Error::Input`] for a label that is empty or longer than 32 bytes, [`Error::Call`].
    pub fn initialise(&self, label: &str, officer: &SecretString, user: &SecretString) -> Result<Self> {
        if label.is_empty() || label.len() > LABEL_ROOM {
            return Err(Error::Input {
                label: label.to_owned(),
                reason: format!("a token's label has 1 to {LABEL_ROOM} bytes"),
            });
        }
        if user.expose_secret() == officer.expose_secret() {
            tracing::warn!("the user's PIN is the security officer's: whoever signs can also erase the token");
        }
        let module = self.module();
        let context = module.context()?;
        let place = self.place();
        context
            .init_token(self.slot(), officer, label)
            .at(place, "C_InitToken")?;
        let serial = context
            .get_token_info(self.slot())
            .at(place, "C_GetTokenInfo")?
            .serial_number()
            .to_owned();
        let session = self.open(Access::ReadWrite)?;
        session.login(UserType::So, Some(officer)).at(place, "C_Login")?;
        let set = session.init_pin(user).at(place, "C_InitPIN");
        // The officer must not stay logged in: a user's login would be refused.
        let out = session.logout().at(place, "C_Logout");
        drop(session);
        set.and(out)?;
        // SoftHSM gives a new token a slot of its own at the next listing.
        module.token(&TokenSelector {
            label: Some(label.to_owned()),
            serial: Some(serial),
            ..TokenSelector::default()
        })
    }
}
