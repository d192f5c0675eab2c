//! What pages have in common: the frame, and the choice of a card.

use crate::resources::{TEST_CARDS, TestCard};

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

/// A whole page around a body that is HTML already.
pub(super) fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem;\
         color:#1a1f36}}label{{display:block;margin:.8rem 0}}input,select,button{{font:inherit;width:100%;\
         padding:.5rem;box-sizing:border-box}}button{{background:#635bff;color:#fff;border:0;border-radius:6px;\
         cursor:pointer;margin-top:1rem}}table{{width:100%}}td:last-child{{text-align:right}}\
         .problem{{color:#b3093c}}.test{{color:#687385;font-size:.85rem}}</style></head><body>{body}\
         <p class=\"test\">Simulated Stripe. No money moves.</p></body></html>",
        title = escape(title)
    )
}

/// The choice of a test card.
pub(super) fn cards(chosen: Option<&str>) -> String {
    let each = |c: &TestCard| {
        let value = format!("pm_card_{}", c.name);
        let mark = if chosen == Some(&value) { " selected" } else { "" };
        format!("<option value=\"{value}\"{mark}>{} ({})</option>", escape(c.title), c.number)
    };
    let options: String = TEST_CARDS.iter().map(each).collect();
    format!("<label>Test card <select name=\"card\">{options}</select></label>")
}
