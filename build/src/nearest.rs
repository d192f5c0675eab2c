//! The name that a person most likely meant.

/// ` (did you mean `email`?)`, or nothing where no name is near: at most a third of the letters are others.
pub fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    names
        .into_iter()
        .map(|name| (strsim::levenshtein(wanted, name), name))
        .min()
        .filter(|(distance, _)| *distance <= wanted.len().div_ceil(3))
        .map(|(_, name)| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}
