//! Options as BIND's tools read them: one letter each, values behind the letter or in the next word, up to the first
//! word that is no option. What the letters mean is each tool's.

/// Reads options one by one.
#[derive(Debug)]
pub(super) struct Options {
    words: Vec<String>,
    /// The next word, and the place in it where the next letter is.
    at: usize,
    letter: usize,
    takes: &'static str,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A letter, with its value if it takes one.
    Option(char, String),
    /// A letter that the tool does not have.
    Unknown(char),
    /// A letter that lacks its value.
    NoValue(char),
}

impl Options {
    /// `takes` is getopt's form: letters, with a colon behind those that take a value.
    pub(super) fn new(words: Vec<String>, takes: &'static str) -> Self {
        Self {
            words,
            at: 0,
            letter: 1,
            takes,
        }
    }

    /// The next option.
    pub(super) fn next(&mut self) -> Option<Taken> {
        let word = self.words.get(self.at)?;
        if !word.starts_with('-') || word.len() == 1 {
            return None;
        }
        if word == "--" {
            self.at += 1;
            return None;
        }
        let rest = word.get(self.letter..).unwrap_or_default();
        let letter = rest.chars().next()?;
        let behind = rest.get(letter.len_utf8()..).unwrap_or_default().to_owned();
        let known = self.takes.find(letter).filter(|_| letter != ':');
        let with_value = known.is_some_and(|at| self.takes.get(at + 1..).is_some_and(|rest| rest.starts_with(':')));
        if with_value || behind.is_empty() {
            self.at += 1;
            self.letter = 1;
        } else {
            self.letter += letter.len_utf8();
        }
        Some(match (known, with_value) {
            (None, _) => Taken::Unknown(letter),
            (Some(_), false) => Taken::Option(letter, String::new()),
            (Some(_), true) if !behind.is_empty() => Taken::Option(letter, behind),
            (Some(_), true) => match self.word() {
                Some(value) => Taken::Option(letter, value),
                None => Taken::NoValue(letter),
            },
        })
    }

    /// The next word as it is: the second value of `-P sync DATE`.
    pub(super) fn word(&mut self) -> Option<String> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word
    }

    /// The words behind the options.
    pub(super) fn rest(self) -> Vec<String> {
        self.words.into_iter().skip(self.at).collect()
    }
}

/// A number at the start of a text, as C's `atoi` reads it: 0 where there is none.
pub(super) fn leading_number(text: &str) -> u64 {
    let digits = text.trim_start().trim_start_matches('+');
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits
        .get(..end)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

/// A whole number in C's notation: `0x` for base 16, a leading 0 for base 8.
pub(super) fn c_number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_values_and_what_follows() {
        let words = ["-qa", "rsa", "-b2048", "-x", "label", "-i"]
            .map(str::to_owned)
            .to_vec();
        let mut options = Options::new(words, "a:b:qi:");
        assert_eq!(options.next(), Some(Taken::Option('q', String::new())));
        assert_eq!(options.next(), Some(Taken::Option('a', "rsa".to_owned())));
        assert_eq!(options.next(), Some(Taken::Option('b', "2048".to_owned())));
        assert_eq!(options.next(), Some(Taken::Unknown('x')));
        assert_eq!(options.next(), None);
        assert_eq!(options.rest(), ["label", "-i"]);
        let mut options = Options::new(vec!["-i".to_owned()], "i:");
        assert_eq!(options.next(), Some(Taken::NoValue('i')));
        assert_eq!(options.next(), None);
    }

    #[test]
    fn numbers_as_c_reads_them() {
        assert_eq!(leading_number("12x"), 12);
        assert_eq!(leading_number("x"), 0);
        assert_eq!(c_number("0x10"), Some(16));
        assert_eq!(c_number("010"), Some(8));
        assert_eq!(c_number("0"), Some(0));
        assert_eq!(c_number("12x"), None);
    }
}
