//! Errors of an operation in the names that its caller used.

use crate::error::Error;

/// An error that names a field of the operation, named as the alias has it: `items[0].price` is its `priceId`.
pub fn renamed(mut error: Box<Error>, name: &str, target: &str) -> Box<Error> {
    let target = target.replace(".0.", "[0].");
    if let Some(field) = &mut error.field
        && let Some(rest) = field.strip_prefix(target.as_str())
        && (rest.is_empty() || rest.starts_with(['.', '[']))
    {
        *field = [name, rest].concat();
    }
    let (from, to) = (["`", &target, "`"].concat(), ["`", name, "`"].concat());
    for text in std::iter::once(&mut error.message).chain(&mut error.hint) {
        if text.contains(&from) {
            *text = text.replace(&from, &to);
        }
    }
    error
}
