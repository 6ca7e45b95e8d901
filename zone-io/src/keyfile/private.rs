//! `K*.private`: a key's private fields, or the label of the key on a token, with dates and numbers, in BIND's format
//! 1.2 or 1.3. Whether the fields form the key is found out by whoever signs with them; here lengths are checked, and RSA
//! numbers against the public half. Secrets are wiped when dropped and never printed.

use std::fmt;
use std::path::Path;

use dnssec_sign::{Algorithm, Dnskey, KeyTimes, PrivateKeyFields, moment_digits, moment_from_digits};
use zeroize::Zeroizing;

use super::fault::{KeyFileError, KeyFileFault, KeyMismatch};

/// The private half of a key, or where it is, as `K*.private` has it.
#[derive(Debug, Clone)]
pub struct PrivateKeyFile {
    /// The version of the file's format.
    pub format: KeyFileFormat,
    /// The key's algorithm.
    pub algorithm: Algorithm,
    /// The private half.
    pub half: PrivateHalf,
    /// The key's dates; [`KeyTimes::ALWAYS`] in a file of the old format.
    pub times: KeyTimes,
    /// When the DS appeared in the parent zone, in seconds since 1970.
    pub ds_publish: Option<u32>,
    /// What BIND's tools note about the key's successions.
    pub numbers: KeyNumbers,
}

/// The version of a private key file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFileFormat {
    /// 1.2 or older, without dates: the key is always published and always signs.
    Legacy,
    /// 1.3.
    Current,
    /// 1.4 or later: tags unknown here were passed over, so the file cannot be written again.
    Newer(u32),
}

/// The private half of a key, or where it is.
#[derive(Debug, Clone)]
pub enum PrivateHalf {
    /// In the file.
    Fields(PrivateKeyFields),
    /// On a token.
    Token(TokenLabel),
    /// Elsewhere: only the public half was imported.
    External,
}

/// Which key on a token is meant.
#[derive(Clone)]
pub struct TokenLabel {
    /// The name of the engine that BIND is to use, `pkcs11` as a rule.
    pub engine: Option<String>,
    /// A PKCS#11 URI (RFC 7512) or what its engine takes; it can have a PIN in it.
    pub label: Zeroizing<String>,
}

impl fmt::Debug for TokenLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = if self.label.contains("pin-value") {
            "(with a PIN)"
        } else {
            &self.label
        };
        f.debug_struct("TokenLabel")
            .field("engine", &self.engine)
            .field("label", &label)
            .finish()
    }
}

/// Numbers that BIND's tools keep in private key files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyNumbers {
    /// The tag of the key that this one replaces.
    pub predecessor: Option<u32>,
    /// The tag of the key that replaces this one.
    pub successor: Option<u32>,
    /// The largest TTL in the zone, in seconds.
    pub max_ttl: Option<u32>,
    /// How long keys live, in seconds.
    pub roll_period: Option<u32>,
}

/// RSA's fields in their order.
const RSA: [&str; 8] = [
    "Modulus",
    "PublicExponent",
    "PrivateExponent",
    "Prime1",
    "Prime2",
    "Exponent1",
    "Exponent2",
    "Coefficient",
];
const SCALAR: &str = "PrivateKey";
const ENGINE: &str = "Engine";
const LABEL: &str = "Label";
const EXTERNAL: &str = "External";
const ALGORITHM: &str = "Algorithm";
const FORMAT: &str = "Private-key-format";

impl PrivateKeyFile {
    /// Reads the text of a `.private` file that belongs to `dnskey`; `path` is for messages.
    ///
    /// # Errors
    /// [`KeyFileError::Syntax`]; [`KeyFileError::Mismatch`] when algorithm, modulus or exponent are not the key's.
    pub fn parse(text: &[u8], dnskey: &Dnskey, path: &Path) -> Result<Self, KeyFileError> {
        let mut lines = Lines { rest: text, line: 0 };
        parse(&mut lines, dnskey).map_err(|wrong| match wrong {
            Wrong::Text(fault) => KeyFileError::Syntax {
                path: path.to_path_buf(),
                line: lines.line.max(1),
                fault,
            },
            Wrong::Key(mismatch) => KeyFileError::Mismatch {
                path: path.to_path_buf(),
                mismatch,
            },
        })
    }

    /// The file's text in BIND's order; `None` for a [newer](KeyFileFormat::Newer) format.
    #[must_use]
    pub fn text(&self, dnskey: &Dnskey) -> Option<Zeroizing<Vec<u8>>> {
        let minor = match self.format {
            KeyFileFormat::Legacy => 2,
            KeyFileFormat::Current => 3,
            KeyFileFormat::Newer(_) => return None,
        };
        // Room for the eight numbers of RSA, of which the modulus is longest: the text never moves and leaves no copy.
        let mut out = Zeroizing::new(Vec::with_capacity(4096 + 16 * dnskey.public_key().len()));
        out.extend_from_slice(format!("{FORMAT}: v1.{minor}\n{ALGORITHM}: {}", self.algorithm.0).as_bytes());
        out.extend_from_slice(format!(" ({})\n", self.algorithm).as_bytes());
        match &self.half {
            PrivateHalf::Fields(PrivateKeyFields::Rsa {
                modulus,
                public_exponent,
                private_exponent,
                prime1,
                prime2,
                exponent1,
                exponent2,
                coefficient,
            }) => {
                write_value(RSA[0], strip_zeros(modulus), &mut out);
                write_value(RSA[1], strip_zeros(public_exponent), &mut out);
                let secrets = [private_exponent, prime1, prime2, exponent1, exponent2, coefficient];
                for (tag, secret) in RSA[2..].iter().zip(secrets) {
                    write_value(tag, strip_zeros(secret), &mut out);
                }
            }
            PrivateHalf::Fields(PrivateKeyFields::Scalar(scalar)) => {
                // An ECDSA scalar is a number and stands without leading zeros; an EdDSA seed is bytes.
                let scalar = match scalar_length(self.algorithm) {
                    Some(Length::Number(_)) => strip_zeros(scalar),
                    _ => scalar,
                };
                write_value(SCALAR, scalar, &mut out);
            }
            PrivateHalf::Token(token) => {
                if let Some((exponent, modulus)) = dnskey.rsa_parts() {
                    write_value(RSA[0], strip_zeros(modulus), &mut out);
                    write_value(RSA[1], strip_zeros(exponent), &mut out);
                }
                if let Some(engine) = &token.engine {
                    write_value(ENGINE, &with_nul(engine), &mut out);
                }
                write_value(LABEL, &with_nul(&token.label), &mut out);
            }
            PrivateHalf::External => out.extend_from_slice(format!("{EXTERNAL}: \n").as_bytes()),
        }
        if self.format == KeyFileFormat::Current {
            let (mut numbers, mut times, mut ds_publish) = (self.numbers, self.times, self.ds_publish);
            for (tag, number) in number_tags(&mut numbers) {
                if let Some(number) = *number {
                    out.extend_from_slice(format!("{tag}: {number}\n").as_bytes());
                }
            }
            for (tag, time) in time_tags(&mut times, &mut ds_publish) {
                if let Some(time) = *time {
                    out.extend_from_slice(format!("{tag}: ").as_bytes());
                    out.extend_from_slice(&moment_digits(time));
                    out.push(b'\n');
                }
            }
        }
        Some(out)
    }
}

/// What is wrong, before it is told of which file.
enum Wrong {
    Text(KeyFileFault),
    Key(KeyMismatch),
}

impl From<KeyFileFault> for Wrong {
    fn from(fault: KeyFileFault) -> Self {
        Self::Text(fault)
    }
}

/// A tag and its value.
type Tagged<'t> = (&'t [u8], &'t [u8]);

/// The lines of a file that have a tag.
struct Lines<'t> {
    rest: &'t [u8],
    /// The number of the last line.
    line: u32,
}

impl<'t> Lines<'t> {
    fn next(&mut self) -> Result<Option<Tagged<'t>>, KeyFileFault> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|&byte| byte == b'\n');
            let (line, rest) = self.rest.split_at(end.map_or(self.rest.len(), |end| end + 1));
            self.rest = rest;
            self.line = self.line.saturating_add(1);
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b";") {
                continue;
            }
            let colon = line.iter().position(|&byte| byte == b':').ok_or(KeyFileFault::NoTag)?;
            return Ok(Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii())));
        }
        Ok(None)
    }
}

/// The bytes of a value, once its line was read.
type Value = Option<Zeroizing<Vec<u8>>>;

/// The values that are base64.
#[derive(Default)]
struct Values {
    rsa: [Value; 8],
    scalar: Value,
    engine: Value,
    label: Value,
    external: bool,
}

fn parse(lines: &mut Lines<'_>, dnskey: &Dnskey) -> Result<PrivateKeyFile, Wrong> {
    let format = match lines.next()? {
        Some((tag, value)) if tag.eq_ignore_ascii_case(FORMAT.as_bytes()) => format_of(value)?,
        _ => return Err(KeyFileFault::NoFormat.into()),
    };
    let algorithm = match lines.next()? {
        Some((tag, value)) if tag.eq_ignore_ascii_case(ALGORITHM.as_bytes()) => algorithm_of(value)?,
        _ => return Err(KeyFileFault::Missing(ALGORITHM).into()),
    };
    if algorithm != dnskey.algorithm() {
        return Err(Wrong::Key(KeyMismatch::Algorithm {
            expected: dnskey.algorithm(),
            found: algorithm,
        }));
    }
    let mut values = Values::default();
    let (mut numbers, mut times, mut ds_publish) = (KeyNumbers::default(), KeyTimes::default(), None);
    while let Some((tag, value)) = lines.next()? {
        let is = |name: &str| tag.eq_ignore_ascii_case(name.as_bytes());
        if let Some((name, field)) = values.field(algorithm, is) {
            set(field, name, base64(value).ok_or(KeyFileFault::Base64(name))?)?;
        } else if is(EXTERNAL) {
            values.external = true;
        } else if let Some((name, number)) = number_tags(&mut numbers).into_iter().find(|(name, _)| is(name)) {
            let text = std::str::from_utf8(value).ok();
            set(
                number,
                name,
                text.and_then(|text| text.parse().ok())
                    .ok_or(KeyFileFault::Number(name))?,
            )?;
        } else if let Some((name, time)) = time_tags(&mut times, &mut ds_publish)
            .into_iter()
            .find(|(name, _)| is(name))
        {
            let digits = value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
            set(time, name, moment_from_digits(digits).ok_or(KeyFileFault::Time(name))?)?;
        } else if !matches!(format, KeyFileFormat::Newer(_)) {
            let tag = String::from_utf8_lossy(tag.get(..32).unwrap_or(tag)).into();
            return Err(KeyFileFault::UnknownTag(tag).into());
        }
    }
    if format == KeyFileFormat::Legacy {
        // It has neither, whatever the lines say.
        (numbers, times, ds_publish) = (KeyNumbers::default(), KeyTimes::ALWAYS, None);
    }
    Ok(PrivateKeyFile {
        format,
        algorithm,
        half: values.half(dnskey)?,
        times,
        ds_publish,
        numbers,
    })
}

impl Values {
    /// The field of a tag that keys of this algorithm have.
    fn field(&mut self, algorithm: Algorithm, is: impl Fn(&str) -> bool) -> Option<(&'static str, &mut Value)> {
        if algorithm.is_rsa() {
            if let Some(at) = RSA.iter().position(|name| is(name)) {
                return Some((RSA[at], &mut self.rsa[at]));
            }
        } else if is(SCALAR) {
            return Some((SCALAR, &mut self.scalar));
        }
        if is(ENGINE) {
            return Some((ENGINE, &mut self.engine));
        }
        is(LABEL).then_some((LABEL, &mut self.label))
    }

    fn half(self, dnskey: &Dnskey) -> Result<PrivateHalf, Wrong> {
        if let Some((exponent, modulus)) = dnskey.rsa_parts() {
            for (at, expected) in [(0, modulus), (1, exponent)] {
                if let Some(found) = &self.rsa[at]
                    && strip_zeros(found) != strip_zeros(expected)
                {
                    return Err(Wrong::Key(KeyMismatch::Number(RSA[at])));
                }
            }
        }
        // A label decides: BIND 9.18 puts a private key of no meaning beside it.
        if let Some(label) = self.label {
            return Ok(PrivateHalf::Token(TokenLabel {
                engine: match self.engine {
                    Some(engine) => Some(text_of(&engine, ENGINE)?.to_string()),
                    None => None,
                },
                label: text_of(&label, LABEL)?,
            }));
        }
        if self.engine.is_some() {
            return Err(KeyFileFault::Missing(LABEL).into());
        }
        if self.external {
            return Ok(PrivateHalf::External);
        }
        if dnskey.algorithm().is_rsa() {
            return self.rsa().map(PrivateHalf::Fields);
        }
        let scalar = self.scalar.ok_or(KeyFileFault::Missing(SCALAR))?;
        let scalar = match scalar_length(dnskey.algorithm()) {
            Some(Length::Number(length)) => {
                let number = strip_zeros(&scalar);
                let mut padded = Zeroizing::new(vec![0; length]);
                let start = length.checked_sub(number.len()).ok_or(KeyFileFault::Length(SCALAR))?;
                padded[start..].copy_from_slice(number);
                padded
            }
            Some(Length::Bytes(length)) if scalar.len() == length => scalar,
            Some(Length::Bytes(_)) => return Err(KeyFileFault::Length(SCALAR).into()),
            None => return Err(KeyFileFault::Algorithm(dnskey.algorithm()).into()),
        };
        Ok(PrivateHalf::Fields(PrivateKeyFields::Scalar(scalar)))
    }

    fn rsa(self) -> Result<PrivateKeyFields, Wrong> {
        let mut numbers = self.rsa.into_iter().zip(RSA);
        let mut number = || match numbers.next() {
            Some((Some(number), _)) => Ok(number),
            Some((None, tag)) => Err(KeyFileFault::Missing(tag)),
            None => Err(KeyFileFault::NoTag),
        };
        Ok(PrivateKeyFields::Rsa {
            modulus: number()?.to_vec(),
            public_exponent: number()?.to_vec(),
            private_exponent: number()?,
            prime1: number()?,
            prime2: number()?,
            exponent1: number()?,
            exponent2: number()?,
            coefficient: number()?,
        })
    }
}

fn number_tags(numbers: &mut KeyNumbers) -> [(&'static str, &mut Option<u32>); 4] {
    [
        ("Predecessor", &mut numbers.predecessor),
        ("Successor", &mut numbers.successor),
        ("MaxTTL", &mut numbers.max_ttl),
        ("RollPeriod", &mut numbers.roll_period),
    ]
}

fn time_tags<'t>(times: &'t mut KeyTimes, ds_publish: &'t mut Option<u32>) -> [(&'static str, &'t mut Option<u32>); 9] {
    [
        ("Created", &mut times.created),
        ("Publish", &mut times.publish),
        ("Activate", &mut times.activate),
        ("Revoke", &mut times.revoke),
        ("Inactive", &mut times.inactive),
        ("Delete", &mut times.delete),
        ("DSPublish", ds_publish),
        ("SyncPublish", &mut times.sync_publish),
        ("SyncDelete", &mut times.sync_delete),
    ]
}

fn set<T>(place: &mut Option<T>, tag: &'static str, value: T) -> Result<(), KeyFileFault> {
    match place.replace(value) {
        Some(_) => Err(KeyFileFault::Repeated(tag)),
        None => Ok(()),
    }
}

/// `v1.3`.
fn format_of(value: &[u8]) -> Result<KeyFileFormat, KeyFileFault> {
    let version = std::str::from_utf8(value).ok().and_then(|text| text.strip_prefix('v'));
    let (major, minor) = version
        .and_then(|text| text.split_once('.'))
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
        .ok_or(KeyFileFault::NoFormat)?;
    match (major, minor) {
        (1u32, 0..=2) => Ok(KeyFileFormat::Legacy),
        (1, 3) => Ok(KeyFileFormat::Current),
        (1, newer) => Ok(KeyFileFormat::Newer(newer)),
        (other, _) => Err(KeyFileFault::Major(other)),
    }
}

/// `13 (ECDSAP256SHA256)`, of which the number counts.
fn algorithm_of(value: &[u8]) -> Result<Algorithm, KeyFileFault> {
    let number = value.split(u8::is_ascii_whitespace).next();
    let number = number.and_then(|number| std::str::from_utf8(number).ok());
    number
        .and_then(|number| number.parse().ok())
        .map(Algorithm)
        .ok_or(KeyFileFault::Number(ALGORITHM))
}

/// What the `PrivateKey` of an algorithm is, and how many bytes it has.
enum Length {
    Number(usize),
    Bytes(usize),
}

fn scalar_length(algorithm: Algorithm) -> Option<Length> {
    match algorithm {
        Algorithm::ECDSAP256SHA256 => Some(Length::Number(32)),
        Algorithm::ECDSAP384SHA384 => Some(Length::Number(48)),
        Algorithm::ED25519 => Some(Length::Bytes(32)),
        Algorithm::ED448 => Some(Length::Bytes(57)),
        _ => None,
    }
}

fn base64(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut digits = Zeroizing::new(Vec::with_capacity(value.len()));
    digits.extend(value.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; data_encoding::BASE64.decode_len(digits.len()).ok()?]);
    let length = data_encoding::BASE64.decode_mut(&digits, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// Text that ends in a NUL byte, as a rule.
fn text_of(bytes: &[u8], tag: &'static str) -> Result<Zeroizing<String>, KeyFileFault> {
    let text = std::str::from_utf8(bytes.strip_suffix(&[0]).unwrap_or(bytes));
    let text = text.map_err(|_| KeyFileFault::NotText(tag))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn with_nul(text: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    bytes
}

fn write_value(tag: &str, value: &[u8], out: &mut Zeroizing<Vec<u8>>) {
    out.extend_from_slice(tag.as_bytes());
    out.extend_from_slice(b": ");
    base64_simd::STANDARD.encode_append(value, &mut **out);
    out.push(b'\n');
}

fn strip_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}
