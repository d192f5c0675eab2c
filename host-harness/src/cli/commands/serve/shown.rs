//! How deliveries look: a line each.

use crate::cli::commands::events::{Line, event_line};
use crate::cli::commands::serve::thin::Loaded;
use crate::cli::receiver::inbox::Delivery;
use crate::cli::terminal::{BAD, CARE, DIM, Terminal, one_line, paint};

/// What came, as the line that is printed.
pub fn delivery(terminal: &Terminal, delivery: &Delivery) -> String {
    let line = match delivery {
        Delivery::Event(event) => Line::Event { event },
        Delivery::Duplicate(event) => Line::Duplicate { id: &event.id, triggers: &event.triggers },
        Delivery::Ignored(event) => Line::Ignored { event },
        Delivery::Answered(status) => Line::Answered { status: *status },
        Delivery::Refused(error) => Line::Refused { error },
        Delivery::Failed(reason) => Line::Failed { message: reason },
    };
    let said = |style, word: &str, text: &str| {
        let word = one_line(word);
        format!("{}  {}", paint(style, format!("{word:<30}")), one_line(text))
    };
    terminal.rendered(&line, || match delivery {
        Delivery::Event(event) => event_line(event),
        Delivery::Duplicate(event) => said(DIM, &event.event_type, &format!("{} was taken before, dropped", event.id)),
        Delivery::Ignored(event) => said(DIM, &event.event_type, &format!("{} ignored: {}", event.id, event.reason)),
        Delivery::Answered(status) => said(DIM, "answered", &status.to_string()),
        Delivery::Refused(error) => said(BAD, "refused", &error.message),
        Delivery::Failed(reason) => said(CARE, "failed, will be sent again", reason),
    })
}

/// What became of an event that was thin; nothing where that was said on standard error.
pub fn loaded(terminal: &mut Terminal, loaded: &Loaded) -> Option<String> {
    match &loaded.result {
        Ok(event) => Some(terminal.rendered(&Line::Loaded { event }, || event_line(event))),
        Err(failure) => {
            terminal.warn(format_args!("{} stays thin: {failure}", loaded.id));
            None
        }
    }
}
