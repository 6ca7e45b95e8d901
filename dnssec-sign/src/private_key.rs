//! Private keys as their files hold them: big-endian numbers and seeds, wiped from memory when dropped and
//! never printed. No cryptography: whether the numbers form a key is found out by whoever signs with them.

use crate::dnskey::{bit_length, strip_zeros};
use std::fmt;
use zeroize::Zeroizing;

/// The private fields of a key file. Numbers are big-endian; leading zero bytes are of no account.
#[derive(Clone)]
pub enum PrivateKeyFields {
    /// RSA (RFC 8017 A.1.2), algorithms 5, 7, 8 and 10.
    Rsa {
        /// The modulus n.
        modulus: Vec<u8>,
        /// The public exponent e.
        public_exponent: Vec<u8>,
        /// The private exponent d.
        private_exponent: Zeroizing<Vec<u8>>,
        /// The prime p.
        prime1: Zeroizing<Vec<u8>>,
        /// The prime q.
        prime2: Zeroizing<Vec<u8>>,
        /// d modulo p − 1.
        exponent1: Zeroizing<Vec<u8>>,
        /// d modulo q − 1.
        exponent2: Zeroizing<Vec<u8>>,
        /// The inverse of q modulo p.
        coefficient: Zeroizing<Vec<u8>>,
    },
    /// The field `PrivateKey`: an ECDSA scalar (13, 14), or an EdDSA seed of 32 or 57 bytes (15, 16).
    Scalar(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for PrivateKeyFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { modulus, .. } => write!(f, "Rsa({} bits, private)", bit_length(strip_zeros(modulus))),
            Self::Scalar(_) => f.write_str("Scalar(private)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_parts_are_not_shown() {
        let secret = || Zeroizing::new(vec![0xab; 4]);
        let rsa = PrivateKeyFields::Rsa {
            modulus: vec![0, 0xff, 0],
            public_exponent: vec![3],
            private_exponent: secret(),
            prime1: secret(),
            prime2: secret(),
            exponent1: secret(),
            exponent2: secret(),
            coefficient: secret(),
        };
        assert_eq!(format!("{rsa:?}"), "Rsa(16 bits, private)");
        assert_eq!(format!("{:?}", PrivateKeyFields::Scalar(secret())), "Scalar(private)");
    }
}
