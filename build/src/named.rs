//! Closed lists of the table's crate as values in a file: a name that is none of its list says the list and the nearest.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use stripe_table::{BadName, FieldKind, Rule, Safety};

use crate::nearest::nearest;

/// A value that is written by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<T>(pub T);

/// What has names.
pub trait Names: Sized {
    /// The case of this name.
    fn of_name(name: &str) -> Result<Self, BadName>;
}

macro_rules! names {
    ($($type:ty),*) => {$(
        impl Names for $type {
            fn of_name(name: &str) -> Result<Self, BadName> {
                Self::parse(name)
            }
        }
    )*};
}

names!(FieldKind, Rule, Safety);

impl<'de, T: Names> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OfName(PhantomData))
    }
}

struct OfName<T>(PhantomData<T>);

impl<T: Names> Visitor<'_> for OfName<T> {
    type Value = Named<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name in quotes")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        T::of_name(name).map(Named).map_err(|BadName { known }| {
            let hint = nearest(name, known.iter().copied());
            E::custom(format!("`{name}` is none of {}{hint}", known.join(", ")))
        })
    }
}
