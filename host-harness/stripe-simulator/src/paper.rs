//! A PDF of one page of text: enough for a viewer to open and for a person to read.

/// The lines that fit on a page.
const MOST_LINES: usize = 50;

/// A document with a line of text for each of these; the first is a heading.
pub(crate) fn document(lines: &[String]) -> String {
    let mut text = String::from("BT /F1 18 Tf 56 780 Td (");
    for (index, line) in lines.iter().take(MOST_LINES).enumerate() {
        match index {
            0 => {}
            1 => text.push_str(") Tj /F1 10 Tf 0 -28 Td ("),
            _ => text.push_str(") Tj 0 -14 Td ("),
        }
        line.chars().for_each(|c| push(&mut text, c));
    }
    text.push_str(") Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R \
         /Resources << /Font << /F1 4 0 R >> >> >>"
            .to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut table = String::new();
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let (start, size) = (out.len(), objects.len() + 1);
    out.push_str(&format!("xref\n0 {size}\n0000000000 65535 f \n{table}"));
    out.push_str(&format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"));
    out
}

/// A character as the font's encoding has it; what it does not have is a question mark.
fn push(text: &mut String, character: char) {
    match character {
        '(' | ')' | '\\' => text.extend(['\\', character]),
        ' '..='~' => text.push(character),
        '€' => text.push_str("\\200"),
        '\u{a1}'..='\u{ff}' => text.push_str(&format!("\\{:03o}", u32::from(character))),
        _ => text.push('?'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_where_each_object_is() {
        let made = document(&["Invoice (1)".to_owned(), "2 × Tea \u{6f22}".to_owned()]);
        assert!(made.contains("(Invoice \\(1\\)) Tj") && made.contains("2 \\327 Tea ?"), "{made}");
        let start: usize = made.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(made[start..].starts_with("xref\n0 6\n"));
        for (number, line) in made[start..].lines().skip(3).take(5).enumerate() {
            let place: usize = line.split(' ').next().unwrap().parse().unwrap();
            assert!(made[place..].starts_with(&format!("{} 0 obj", number + 1)));
        }
    }
}
