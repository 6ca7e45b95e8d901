//! `--max-errors` as people type it. What becomes of the faults beyond is decided where they are found.

/// The most faults that are shown; 0 stands for all of them.
///
/// # Errors
/// What is expected, when it is no number.
pub(super) fn error_limit(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(0) => Ok(usize::MAX),
        Ok(number) => Ok(number),
        Err(_) => Err("write how many are to be shown, or 0 for all of them"),
    }
}

#[cfg(test)]
mod tests {
    use super::error_limit;

    #[test]
    fn none_is_all() {
        assert_eq!(error_limit("0"), Ok(usize::MAX));
        assert_eq!(error_limit("7"), Ok(7));
        assert!(error_limit("-1").is_err());
    }
}
