//! Rows of text turned into aligned columns for a person to read. A program reads `--json` instead.

/// The rows below their headings, columns as wide as their widest cell and two blanks apart.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: [&str; N]| {
        let mut row = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            row.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(row.trim_end());
        text.push('\n');
    };
    line(headings);
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["ksk".to_owned(), "P-256".to_owned()], ["ä".to_owned(), String::new()]];
        assert_eq!(table(["LABEL", "TYPE"], &rows), "LABEL  TYPE\nksk    P-256\nä\n");
    }
}
