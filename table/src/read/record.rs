//! A record: the columns that an operation, a resource and so on are kept as.

use super::heap::Heap;
use super::items::{Item, Items, Texts};
use super::shape::{Fields, Shape};

/// One record of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'t> {
    pub(super) heap: Heap<'t>,
    /// The reference of its cell.
    cell: u32,
}

impl<'t> Record<'t> {
    pub(super) const fn new(heap: Heap<'t>, cell: u32) -> Self {
        Self { heap, cell }
    }

    /// The number in a column: 0 where there is none. `None` is damage.
    pub(super) const fn read(self, column: u32) -> Option<u32> {
        let Some((present, mut at)) = self.heap.number(self.heap.cell(self.cell)) else { return None };
        let Some(bit) = 1_u32.checked_shl(column) else { return None };
        if present & bit == 0 {
            return Some(0);
        }
        let mut before = (present & (bit - 1)).count_ones();
        loop {
            match self.heap.number(at) {
                Some((value, _)) if before == 0 => return Some(value),
                Some((_, next)) => at = next,
                None => return None,
            }
            before -= 1;
        }
    }

    pub(super) const fn number(self, column: u32) -> u32 {
        match self.read(column) {
            Some(number) => number,
            None => 0,
        }
    }

    pub(super) fn flag(self, column: u32) -> bool {
        self.number(column) != 0
    }

    pub(super) const fn text(self, column: u32) -> &'t str {
        match self.heap.text(self.number(column)) {
            Some(text) => text,
            None => "",
        }
    }

    pub(super) fn prose(self, column: u32) -> String {
        self.heap.prose(self.number(column)).unwrap_or_default()
    }

    pub(super) fn maybe_text(self, column: u32) -> Option<&'t str> {
        self.heap.text(self.number(column).checked_sub(1)?)
    }

    pub(super) fn texts(self, column: u32) -> Texts<'t> {
        Texts::cell(self.heap, self.number(column))
    }

    pub(super) fn fields(self, column: u32) -> Fields<'t> {
        Fields::cell(self.heap, self.number(column))
    }

    pub(super) fn shape(self, column: u32) -> Shape<'t> {
        Shape::of_code(self.heap, self.number(column))
    }

    pub(super) fn list<T: Item<'t>>(self, column: u32) -> Items<'t, T> {
        Items::cell(self.heap, self.number(column))
    }

    /// The code in a column as a case of one of the closed lists, or `other` where it is none of them.
    pub(super) fn case<C>(self, column: u32, of_code: impl Fn(u8) -> Option<C>, other: C) -> C {
        u8::try_from(self.number(column)).ok().and_then(of_code).unwrap_or(other)
    }
}

/// Makes cursors of records: a type a record, a method a column.
macro_rules! cursors {
    ($($(#[$doc:meta])* $type:ident, named by $name:ident { $($(#[$method_doc:meta])* $method:ident: $kind:ident($($column:tt)*) -> $result:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $type<'t>($crate::read::record::Record<'t>);

        impl<'t> $crate::read::items::Item<'t> for $type<'t> {
            fn of(heap: $crate::read::heap::Heap<'t>, word: u32) -> Self {
                Self($crate::read::record::Record::new(heap, word))
            }
        }

        impl std::fmt::Debug for $type<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self.$name())
            }
        }

        impl<'t> $type<'t> {
            $($(#[$method_doc])* pub fn $method(self) -> $result { self.0.$kind($($column)*) })*
        }
    )*};
}

pub(super) use cursors;
