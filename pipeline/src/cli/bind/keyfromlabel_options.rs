//! The options of dnssec-keyfromlabel as typed, checked for what excludes what. Nothing is looked up.

use std::path::PathBuf;

use dnssec_sign::{Algorithm, REVOKE, SEP, parse_interval};

use super::options::{Options, Taken};
use super::{Failure, Tool, label_dates, warn};
use crate::cli::key::dates::DateFlags;

const TOOL: Tool = Tool::KeyFromLabel;

const USAGE: &str = "Usage:
    dnssec-keyfromlabel -l label [options] name

    -l label: the key: its label on the token, or a PKCS#11 URI
    -a algorithm: RSASHA256, RSASHA512, ECDSAP256SHA256, ECDSAP384SHA384, ED25519 or ED448, or the number
    -3: RSASHA1 becomes NSEC3RSASHA1
    -c class: IN
    -E engine: a path is that of the PKCS#11 library; other values are passed over
    -f keyflag: KSK | REVOKE
    -K directory: where the key files go
    -L ttl: the TTL of the DNSKEY
    -M lo:hi: the tags that the key may have
    -n ZONE, -p 3, -t type: of no effect
    -y: permit a tag that could collide upon revocation
    -v level, -V: version
    -P, -A, -R, -I, -D date, -P sync date, -D sync date: when the key is published, signs, is revoked, retires, goes
    -G: set neither -P nor -A
    -C: files of the old format, without dates
    -S key: make the successor of this key
    -i interval: how long before it signs the key is published";

/// What was asked for.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) label: String,
    pub(super) name: Option<String>,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) engine: Option<String>,
    pub(super) directory: PathBuf,
    /// SEP and REVOKE, as `-f` says.
    pub(super) flags: u16,
    pub(super) ttl: Option<u32>,
    pub(super) tags: Option<(u16, u16)>,
    pub(super) permit_collision: bool,
    pub(super) old_format: bool,
    pub(super) successor_of: Option<String>,
    pub(super) interval: Option<u32>,
    pub(super) dates: DateFlags,
}

/// What the command line starts.
pub(super) enum Started {
    Run(Box<Asked>),
    Version,
}

fn fatal<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::general(text))
}

fn seconds(letter: char, text: &str) -> Result<u32, Failure> {
    parse_interval(text).map_err(|error| Failure::general(format!("-{letter}: {error}")))
}

/// Reads the command line.
///
/// # Errors
/// What BIND's tool calls fatal; usage for `-h` and unknown letters.
pub(super) fn read(words: Vec<String>) -> Result<Started, Failure> {
    let mut asked = Asked {
        directory: PathBuf::from("."),
        ..Asked::default()
    };
    let (mut nsec3, mut algorithm, mut label) = (false, None, None);
    let mut options = Options::new(words, "3A:a:Cc:D:E:f:GhI:i:kK:L:l:M:n:P:p:R:S:t:v:Vy");
    while let Some(taken) = options.next() {
        let (letter, value) = match taken {
            Taken::Option(letter, value) => (letter, value),
            Taken::NoValue(letter) => return usage(&format!("-{letter} wants a value")),
            Taken::Unknown(letter) => return usage(&format!("unknown option -{letter}")),
        };
        match letter {
            '3' => nsec3 = true,
            'a' => algorithm = Some(value),
            'C' => asked.old_format = true,
            'c' if value.eq_ignore_ascii_case("IN") => {}
            'c' => return fatal(format!("class {value}: keys are made for class IN")),
            'E' => asked.engine = Some(value),
            'f' => match value.bytes().next() {
                Some(b'k' | b'K') => asked.flags |= SEP,
                Some(b'r' | b'R') => asked.flags |= REVOKE,
                _ => return fatal(format!("unknown flag '{value}'")),
            },
            'G' => asked.dates.no_dates = true,
            'h' => return usage(""),
            'i' => asked.interval = Some(seconds('i', &value)?),
            'k' => return fatal("-k: records of type KEY are not made; DNSKEY is"),
            'K' => asked.directory = PathBuf::from(value),
            'L' if value == "none" => asked.ttl = None,
            'L' => asked.ttl = Some(seconds('L', &value)?).filter(|ttl| *ttl > 0),
            'l' => label = Some(value),
            'M' => asked.tags = Some(tags(&value)?),
            'n' if value.eq_ignore_ascii_case("ZONE") => {}
            'n' => return fatal(format!("a DNSKEY is of nametype ZONE, not {value}")),
            'p' if value == "3" => {}
            'p' => return fatal("a DNSKEY's protocol is 3 (RFC 4034 2.1.2)"),
            'S' => asked.successor_of = Some(value),
            't' => warn(TOOL, "-t says nothing of a DNSKEY"),
            'v' => {}
            'V' => return Ok(Started::Version),
            'y' => asked.permit_collision = true,
            letter => {
                label_dates::take(letter, value, &mut options, &mut asked.dates)?;
            }
        }
    }
    let mut names = options.rest().into_iter();
    asked.name = names.next();
    if names.next().is_some() {
        return fatal("extraneous arguments");
    }
    let Some(label) = label else {
        return fatal("the key label was not specified");
    };
    asked.label = label;
    exclude(&asked, nsec3, algorithm.is_some())?;
    if let Some(text) = algorithm {
        let named = Algorithm::from_text(text.as_bytes());
        asked.algorithm = Some(named.ok_or_else(|| Failure::general(format!("unknown algorithm {text}")))?);
    }
    if nsec3 && asked.algorithm == Some(Algorithm::RSASHA1) {
        asked.algorithm = Some(Algorithm::NSEC3RSASHA1);
    }
    if let Some(old @ (Algorithm::RSASHA1 | Algorithm::NSEC3RSASHA1)) = asked.algorithm {
        warn(
            TOOL,
            &format!("DNSKEY algorithm '{old}' must not sign any more (RFC 9905)"),
        );
    }
    Ok(Started::Run(Box::new(asked)))
}

fn usage<T>(text: &str) -> Result<T, Failure> {
    if !text.is_empty() {
        warn(TOOL, text);
    }
    fatal(USAGE)
}

fn exclude(asked: &Asked, nsec3: bool, algorithm: bool) -> Result<(), Failure> {
    let dates = label_dates::given(&asked.dates);
    if asked.old_format && !dates.is_empty() {
        return fatal(format!("-C cannot be used with {}", dates.join(", ")));
    }
    if asked.dates.no_dates && dates.iter().any(|date| matches!(*date, "-P" | "-A")) {
        return fatal("cannot use -G together with -P or -A options");
    }
    if asked.successor_of.is_some() {
        let excluded = [("-a", algorithm), ("-3", nsec3), ("-C", asked.old_format)];
        let first = dates.iter().find(|date| matches!(**date, "-P" | "-A" | "-G")).copied();
        let letter = excluded
            .into_iter()
            .find_map(|(letter, is)| is.then_some(letter))
            .or(first);
        if let Some(letter) = letter {
            return fatal(format!("-S and {letter} cannot be used together"));
        }
    }
    Ok(())
}

/// `lo:hi`.
fn tags(text: &str) -> Result<(u16, u16), Failure> {
    let bounds = text
        .split_once(':')
        .and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    match bounds {
        Some((low, high)) if low <= high => Ok((low, high)),
        _ => fatal(format!("-M {text}: write the lowest and the highest tag, as 1:32767")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, String> {
        match read(line.split_whitespace().map(str::to_owned).collect()) {
            Ok(Started::Run(asked)) => Ok(*asked),
            Ok(Started::Version) => Err("version".to_owned()),
            Err(failure) => Err(failure.text),
        }
    }

    #[test]
    fn a_line_of_the_manual() {
        let asked =
            asked("-E pkcs11 -a rsasha256 -l token=b;object=k;pin-source=/p -f KSK -P sync +1d -A now -L 1h x.test")
                .unwrap();
        assert_eq!(asked.algorithm, Some(Algorithm::RSASHA256));
        assert_eq!(asked.flags, SEP);
        assert_eq!(asked.ttl, Some(3600));
        assert_eq!(asked.dates.sync_publish.as_deref(), Some("+1d"));
        assert_eq!(asked.dates.activate.as_deref(), Some("now"));
        assert_eq!(asked.name.as_deref(), Some("x.test"));
    }

    #[test]
    fn what_excludes_what() {
        for (line, said) in [
            ("-a 8 x.test", "label was not specified"),
            ("-l k -a 99x x.test", "unknown algorithm"),
            ("-l k -a 8 -P now -P now x.test", "-P specified more than once"),
            ("-l k -a 8 -G -A now x.test", "cannot use -G"),
            ("-l k -a 8 -C -I now x.test", "-C cannot"),
            ("-l k -a 8 -S old x.test", "-S and -a"),
            ("-l k -a 8 x.test y.test", "extraneous"),
            ("-l k -a 8 -p 2 x.test", "protocol"),
            ("-h", "Usage"),
        ] {
            let text = asked(line).err().unwrap();
            assert!(text.contains(said), "{line}: {text}");
        }
        assert_eq!(asked("-V").err().unwrap(), "version");
        assert_eq!(
            asked("-3 -a RSASHA1 -l k x").unwrap().algorithm,
            Some(Algorithm::NSEC3RSASHA1)
        );
    }
}
