//! Pages that lead to further pages: a list that goes round, or on for ever, comes to an end, and says so.

use std::collections::HashSet;

use crate::cli::failure::Failure;
use crate::cli::wording;

/// The pages of one list.
pub struct Pages {
    most: u32,
    read: u32,
    seen: HashSet<String>,
}

impl Pages {
    /// At most so many.
    pub fn new(most: u32) -> Self {
        Self { most, read: 0, seen: HashSet::new() }
    }

    /// A page was read that began at one cursor and leads to another. It is the next to read, or there are too many.
    pub fn after(&mut self, began: Option<&str>, next: String) -> Result<String, Failure> {
        self.read += 1;
        self.seen.extend(began.map(str::to_owned));
        let pages = if self.read == 1 { "1 page".to_owned() } else { format!("{} pages", self.read) };
        if self.seen.contains(&next) {
            let message = format!("the list goes round: after {pages} it leads back to one that was read");
            let hint = "What was shown is all that there is, or the service is wrong; asking for more leads nowhere.";
            return Err(Failure::Limit { message, hint: hint.to_owned() });
        }
        if self.read >= self.most {
            let message = format!("the list goes on after {pages}");
            let hint =
                format!("Go on with --cursor {}, or let it be more with --most-pages.", wording::shell_word(&next));
            return Err(Failure::Limit { message, hint });
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(failure: Result<String, Failure>) -> String {
        failure.err().unwrap().text(false)
    }

    #[test]
    fn a_list_that_goes_round_ends() {
        let mut pages = Pages::new(100);
        assert_eq!(pages.after(None, "a".to_owned()).unwrap(), "a");
        assert_eq!(pages.after(Some("a"), "b".to_owned()).unwrap(), "b");
        assert!(said(pages.after(Some("b"), "a".to_owned())).contains("goes round: after 3 pages"));
        assert!(said(Pages::new(9).after(Some("a"), "a".to_owned())).contains("goes round"));
    }

    #[test]
    fn a_list_that_goes_on_ends_and_says_how_to_go_on() {
        let mut pages = Pages::new(2);
        assert!(pages.after(None, "a".to_owned()).is_ok());
        let said = said(pages.after(Some("a"), "$(touch me)".to_owned()));
        assert!(said.contains("goes on after 2 pages") && said.contains("--cursor '$(touch me)'"), "{said}");
    }
}
