//! How much of somebody else's error is kept. A component decides how long its messages are; a screen does not.

use host::contract::Error;

/// A longer text is cut: forty lines of a terminal.
const LONGEST: usize = 4 << 10;

/// More objects than any failure concerns.
const MOST_OBJECTS: usize = 20;

/// The error, with every text of it cut to what can be read.
pub fn error(error: &mut Error) {
    text(&mut error.message);
    let texts = [
        &mut error.hint,
        &mut error.field,
        &mut error.service_type,
        &mut error.code,
        &mut error.decline_code,
        &mut error.request_id,
        &mut error.doc_url,
        &mut error.idempotency_key,
    ];
    texts.into_iter().flatten().for_each(text);
    error.related.truncate(MOST_OBJECTS);
    for related in &mut error.related {
        text(&mut related.resource);
        text(&mut related.id);
    }
    error.extras.retain(|extra| extra.name.len() + extra.value.len() <= LONGEST);
    error.extras.truncate(MOST_OBJECTS);
}

/// A text, cut where it is too long, which it then says.
pub fn text(text: &mut String) {
    if text.len() <= LONGEST {
        return;
    }
    let whole = text.len();
    text.truncate(text.floor_char_boundary(LONGEST));
    text.push_str(&format!("… (cut: it has {whole} bytes)"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_megabytes_is_cut_and_says_so() {
        let mut long = "ä".repeat(25 << 19);
        text(&mut long);
        assert!(long.len() < LONGEST + 64, "{} bytes", long.len());
        assert!(long.ends_with("… (cut: it has 26214400 bytes)"), "{}", &long[LONGEST..]);
        let mut short = "as it is".to_owned();
        text(&mut short);
        assert_eq!(short, "as it is");
    }
}
