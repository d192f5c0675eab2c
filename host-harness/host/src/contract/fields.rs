//! Reading a record of the contract back from its JSON form, a field at a time.

use std::collections::HashMap;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::value::RawValue;

use super::bindings::automation::connector::types::Extra;

/// The fields of an object, each as the text that it came as.
pub(super) struct Fields(HashMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        HashMap::deserialize(deserializer).map(Self)
    }
}

impl Fields {
    /// A field's value. An absent one is read as null.
    pub(super) fn take<T: DeserializeOwned, E: Error>(&mut self, name: &str) -> Result<T, E> {
        let value = self.0.remove(name);
        let text = value.as_deref().map_or("null", RawValue::get);
        serde_json::from_str(text).map_err(|error| E::custom(format_args!("field {name}: {error}")))
    }

    /// A field that is JSON text, as it is.
    pub(super) fn text<E: Error>(&mut self, name: &str) -> Result<String, E> {
        let value = self.0.remove(name).ok_or_else(|| E::custom(format_args!("field {name} is missing")))?;
        Ok(value.get().to_owned())
    }

    /// Extras, in the order of their names.
    pub(super) fn extras<E: Error>(&mut self, name: &str) -> Result<Vec<Extra>, E> {
        let Self(named) = self.take(name)?;
        let extra = |(name, value): (String, Box<RawValue>)| Extra { name, value: value.get().to_owned() };
        let mut extras: Vec<Extra> = named.into_iter().map(extra).collect();
        extras.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(extras)
    }

    /// Refuses what had bytes, of which the form has only the number.
    pub(super) fn no_bytes<E: Error>(&mut self, name: &str) -> Result<(), E> {
        match self.take::<u64, E>(name)? {
            0 => Ok(()),
            size => Err(E::custom(format_args!("its {size} bytes are not in the form: store them beside it"))),
        }
    }
}
