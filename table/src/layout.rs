//! How the bytes lie: what writer and reader must agree on and nobody else needs to know.
//!
//! ```text
//! header   magic, format, length, checksum, start of the cells, start of each section (u32, little endian)
//! texts    each distinct text once: length (varint, doubled), bytes; or length (doubled, and 1), and as a word where in
//!          a longer text the bytes lie; a reference is the distance from the first
//! cells    shapes and lists, each distinct one once, then what the sections list, in their order; a reference likewise
//! sections arrays of 3-byte words: what is listed in the model's order, and what is sorted for binary search
//! ```
//!
//! Of the texts, those that are prose are packed: a byte from [`FIRST_PIECE`] on stands for the two of its word in
//! [`Section::Pieces`], each of which may be an earlier piece; [`ESCAPE`] says that the next byte is as it is.
//!
//! A number in a cell is a varint (LEB128). Reference 0 is the empty text, and as a cell the empty list.
//!
//! - **Shape code**: below [`FIRST_CELL`] a simple shape, else the reference of a cell, plus that. A cell begins with
//!   a number of which the low four bits are its [`Tag`]; the rest is the code of the shape inside, the reference
//!   of a name, or how many entries follow. The shapes inside a cell lie *before* it, so there are no cycles.
//! - **List of texts**: a tagged count, then for each its reference plus 1, or 0 for the text behind the one before.
//! - **Field**: its name like a text in a list, then its shape's code, shifted left by two, with [`REQUIRED`] and
//!   [`NULLABLE`].
//! - **List of records**: a count, then words.
//! - **Record**: which columns are not 0, as a set of bits, then those columns.

use crate::names::{About, Base, Encoding, FieldKind, Method, OperationKind, Rule, Safety, ValueKind};

/// The first bytes of every table.
pub const MAGIC: [u8; 4] = *b"ApiT";
/// The format that this crate writes and reads.
pub const FORMAT: u32 = 2;

/// Where the header says what.
pub mod header {
    pub const FORMAT: usize = 4;
    pub const LENGTH: usize = 8;
    pub const CHECKSUM: usize = 12;
    /// Where begins what the checksum is of.
    pub const SUMMED: usize = 16;
    pub const CELLS: usize = 16;
    pub const SECTIONS: usize = 20;
    /// How long it is, which is where the texts begin.
    pub const SIZE: usize = SECTIONS + 4 * super::Section::COUNT;
}

/// The checksum of bytes (FNV-1a): any single byte that is not what it was changes it.
pub fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// The bytes of a word: an entry of a section or of a list of records.
pub const WORD: usize = 3;
/// The first number that no word can hold.
pub const WORD_END: u32 = 1 << (8 * WORD);

/// The first byte of prose that stands for two others.
pub const FIRST_PIECE: u8 = 0x80;
/// The byte of prose behind which one stands that is as it is.
pub const ESCAPE: u8 = 0xff;
/// How long prose may be.
pub const LONGEST_PROSE: usize = 1 << 16;

/// The arrays behind the cells, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// By name.
    Constants,
    AuthMethods,
    ConnectionFields,
    Permissions,
    Advice,
    /// By id.
    Requests,
    /// By name.
    Objects,
    /// By name.
    Events,
    Operations,
    /// By name.
    Aliases,
    Triggers,
    Resources,
    /// Ids and aliases of operations, sorted: texts.
    OperationNames,
    /// The operation that each of them means.
    NamedOperations,
    /// Likewise.
    TriggerNames,
    NamedTriggers,
    TriggersByEvent,
    ResourcesByName,
    ResourcesByObject,
    /// Prefixes of ids, sorted: texts.
    IdPrefixes,
    /// The resource that each of them means.
    PrefixedResources,
    /// What each piece of prose stands for: two bytes.
    Pieces,
}

impl Section {
    pub const ALL: [Self; 22] = [
        Self::Constants,
        Self::AuthMethods,
        Self::ConnectionFields,
        Self::Permissions,
        Self::Advice,
        Self::Requests,
        Self::Objects,
        Self::Events,
        Self::Operations,
        Self::Aliases,
        Self::Triggers,
        Self::Resources,
        Self::OperationNames,
        Self::NamedOperations,
        Self::TriggerNames,
        Self::NamedTriggers,
        Self::TriggersByEvent,
        Self::ResourcesByName,
        Self::ResourcesByObject,
        Self::IdPrefixes,
        Self::PrefixedResources,
        Self::Pieces,
    ];
    pub const COUNT: usize = Self::ALL.len();
}

/// Shape codes of simple shapes.
pub mod code {
    pub const ANY: u32 = 0;
    pub const BOOLEAN: u32 = 1;
    pub const TRUE: u32 = 2;
    pub const INTEGER: u32 = 3;
    pub const TIMESTAMP: u32 = 4;
    pub const AMOUNT: u32 = 5;
    pub const NUMBER: u32 = 6;
    pub const DECIMAL: u32 = 7;
    pub const STRING: u32 = 8;
    pub const FILE: u32 = 9;
    pub const LAST: u32 = FILE;
}

/// The shape code of the cell with reference 0.
pub const FIRST_CELL: u32 = code::LAST + 1;

/// What a shape's cell is.
pub mod tag {
    /// A list of texts that is no shape.
    pub const TEXTS: u32 = 0;
    pub const ENUM: u32 = 1;
    pub const ARRAY: u32 = 2;
    pub const MAP: u32 = 3;
    pub const OBJECT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const REF: u32 = 6;
    pub const EXPANDABLE: u32 = 7;
    pub const LIST: u32 = 8;
    pub const SEARCH: u32 = 9;
    pub const PAGES: u32 = 10;
    /// How many bits a tag takes.
    pub const BITS: u32 = 4;
    /// These bits.
    pub const MASK: u32 = (1 << BITS) - 1;
}

/// A field's flag beside its shape: it must be sent, or is always there.
pub const REQUIRED: u32 = 1;
/// A field's flag beside its shape: it may be `null`.
pub const NULLABLE: u32 = 2;
/// How many bits a field's flags take.
pub const FIELD_FLAGS: u32 = 2;

/// How deep shapes may lie in each other.
pub const DEPTH: u32 = 64;
/// How many texts, fields, shapes and records a table may spell out, each counted wherever it is used.
pub const STEPS: u32 = 1 << 20;

/// What a column of a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The reference of a text.
    Text,
    /// The reference of a packed text.
    Prose,
    /// 0, or the reference of a text plus 1.
    MaybeText,
    /// A number below this.
    Code(u32),
    /// The reference of a list of texts.
    Texts,
    /// The reference of an object's cell.
    Fields,
    /// A shape code.
    Shape,
    /// 0, or the position of a request in [`Section::Requests`] plus 1.
    Request,
    /// The reference of a list of records of these columns.
    List(&'static [Column]),
}

const fn count<T>(cases: &[T]) -> u32 {
    cases.len() as u32
}

macro_rules! records {
    ($($(#[$doc:meta])* $record:ident { $($column:ident: $kind:expr),* $(,)? })*) => {$(
        $(#[$doc])*
        pub mod $record {
            #[allow(unused_imports, reason = "not every record has columns of every kind")]
            use super::{*, Column::*};

            #[allow(clippy::upper_case_acronyms, non_camel_case_types, reason = "the positions of the constants below")]
            enum Position { $($column),* }

            $(pub const $column: u32 = Position::$column as u32;)*
            pub const COLUMNS: &[Column] = &[$($kind),*];
        }
    )*};
}

// The columns that are mostly there stand first: the set of bits is shorter then.
records! {
    auth_method {
        NAME: Text, TITLE: Text, KIND: Text, FIELDS: Texts, AUTHORIZE_URL: Text, TOKEN_URL: Text, SCOPES: Texts,
        PKCE: Code(2),
    }
    connection_field {
        NAME: Text, KIND: Code(count(FieldKind::ALL)), TITLE: Text, HELP: Prose, REQUIRED: Code(2), PLACEHOLDER: Text, LINK: Text,
        DEFAULT: Text,
    }
    permission { NAME: Text, TITLE: Text, PROBE: Request, TRIGGERS: Text }
    advice { HINT: Prose, OF: Texts, ABOUT: Code(count(About::ALL)) }
    request {
        ID: Text, PATH: Text, PARAMETERS: Fields, RESPONSE: Shape, METHOD: Code(count(Method::ALL)), ENCODING: Code(count(Encoding::ALL)),
        PERMISSION: Text, READ_ONLY: Code(2), BASE: Code(count(Base::ALL)), BINARY: Code(2),
    }
    object { NAME: Text, FIELDS: Fields }
    event { NAME: Text, OBJECT: MaybeText }
    operation {
        ID: Text, KIND: Code(count(OperationKind::ALL)), REQUEST: Request, RESOURCE: Text, TITLE: Prose, DESCRIPTION: Prose, SAFETY: Code(count(Safety::ALL)),
        SHOWN: Texts, PATH_FIELDS: Texts, SAMPLE: Prose, MEANINGS: List(meaning::COLUMNS), ALIASES: Texts,
        DEFAULTS: Text, HOOK: Text, EXTRA: Fields, MAJOR_UNITS: List(pair::COLUMNS), ONE_OF: Texts, INVERSE: Text,
        FIXED: Text,
    }
    alias {
        NAME: Text, OPERATION: Text, KIND: Code(count(OperationKind::ALL)), INPUTS: List(pair::COLUMNS), SAMPLE: Prose, REQUIRED: Texts,
        OUTPUTS: List(pair::COLUMNS), KEY: Text, DEFAULTS: Text, FILTERS: List(pair::COLUMNS),
    }
    meaning { PATH: Text, TITLE: Prose, HELP: Prose, RULE: Code(count(Rule::ALL) + 1), PICKS: Text }
    pair { LEFT: Text, RIGHT: Text }
    trigger { ID: Text, EVENT: Text, TITLE: Prose, DESCRIPTION: Prose, RESOURCE: Text, ALIASES: Texts }
    resource {
        NAME: Text, OBJECT: Text, TITLE: Text, INTERNAL: Text, ID_PREFIXES: Texts, RETRIEVE: Request, LABEL: Texts,
        DETAIL: Texts, CHOICES: Request, MAPPING: List(mapping::COLUMNS), DASHBOARD: Text, SEARCH: Request,
        SEARCH_FIELDS: Texts, CHOICES_NEED: Texts,
    }
    mapping { INTERNAL: Text, KIND: Code(count(ValueKind::ALL)), PATHS: Texts }
}
