//! What pages have in common: the frame, the pieces that they are made of, and the choice of a card.

use crate::resources::{TEST_CARDS, TestCard, calendar_day};

/// Text that cannot be taken for markup.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A link; the address is a path of ours.
pub(super) fn link(path: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escape(path), escape(text))
}

/// A moment of a Unix second, to be read by a person.
pub(super) fn clock(time: i64) -> String {
    let second = time.rem_euclid(86_400);
    format!("{} {:02}:{:02}:{:02}", calendar_day(time), second / 3600, second / 60 % 60, second % 60)
}

/// A table of rows that are HTML already; nothing when there is none.
pub(super) fn table(title: &str, heads: &[&str], rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: String = heads.iter().map(|h| format!("<th>{}</th>", escape(h))).collect();
    format!("<h2>{}</h2><table class=\"rows\"><tr>{heads}</tr>{}</table>", escape(title), rows.concat())
}

/// A whole page for a customer's eyes, around a body that is HTML already.
pub(super) fn document(title: &str, body: &str) -> String {
    framed(title, body, "narrow")
}

/// A whole page for a developer's eyes, around a body that is HTML already.
pub(super) fn wide(title: &str, body: &str) -> String {
    framed(title, body, "wide")
}

fn framed(title: &str, body: &str, class: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;padding:0 1rem;\
         color:#1a1f36}}.narrow{{max-width:30rem}}.wide{{max-width:76rem}}label{{display:block;margin:.8rem 0}}input,select,button{{font:inherit;width:100%;\
         padding:.5rem;box-sizing:border-box}}button{{background:#635bff;color:#fff;border:0;border-radius:6px;\
         cursor:pointer;margin-top:1rem}}table{{width:100%}}td:last-child{{text-align:right}}\
         .problem{{color:#b3093c}}.test{{color:#687385;font-size:.85rem}}.rows{{font-size:.85rem;border-collapse:collapse}}.rows th,.rows td\
         {{text-align:left;padding:.15rem .6rem .15rem 0;border-bottom:1px solid #e3e8ee;vertical-align:top;\
         overflow-wrap:anywhere}}pre{{background:#f6f8fa;padding:1rem;overflow:auto;font-size:.85rem}}\
         a{{color:#635bff}}</style></head><body class=\"{class}\">{body}\
         <p class=\"test\">Simulated Stripe. No money moves.</p></body></html>",
        title = escape(title)
    )
}

/// The choice of a test card.
pub(super) fn cards(chosen: Option<&str>) -> String {
    let each = |c: &TestCard| {
        let value = c.handle();
        let mark = if chosen == Some(&value) { " selected" } else { "" };
        format!("<option value=\"{value}\"{mark}>{} ({})</option>", escape(c.title), c.number)
    };
    let options: String = TEST_CARDS.iter().map(each).collect();
    format!("<label>Test card <select name=\"card\">{options}</select></label>")
}
