//! The closed lists that writer and reader share: each case has a name in the catalogue and a code in the table.

/// A name that is none of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadName {
    /// What there is instead.
    pub known: &'static [&'static str],
}

macro_rules! names {
    ($($(#[$doc:meta])* $type:ident { $($(#[$case_doc:meta])* $case:ident = $name:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $type { $($(#[$case_doc])* $case),* }

        impl $type {
            /// Every case, in order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$case),*];
            const NAMES: &'static [&'static str] = &[$($name),*];

            /// Its name in the catalogue.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$case => $name),* }
            }

            /// The case of this name.
            ///
            /// # Errors
            /// The names that there are.
            pub fn parse(name: &str) -> Result<Self, BadName> {
                Self::ALL.iter().copied().find(|c| c.name() == name).ok_or(BadName { known: Self::NAMES })
            }

            /// The case of this code, as the table keeps it.
            pub(crate) fn from_code(code: u8) -> Option<Self> {
                Self::ALL.get(usize::from(code)).copied()
            }
        }
    )*};
}

names! {
    /// The HTTP methods of the API.
    Method {
        /// Reads; parameters in the query.
        Get = "GET",
        /// Changes, and a few that only read; parameters in the body.
        Post = "POST",
        /// Removes; parameters in the query.
        Delete = "DELETE",
    }
    /// How a request's parameters travel.
    Encoding {
        /// In the query string, or form-encoded in the body: all of v1.
        Form = "form",
        /// As JSON in the body of a POST, in the query string of the others: all of v2.
        Json = "json",
        /// As `multipart/form-data`: file upload.
        Multipart = "multipart",
    }
    /// Which of the service's hosts serves a request.
    Base {
        /// `api.stripe.com`.
        Api = "api",
        /// `files.stripe.com`.
        Files = "files",
        /// `meter-events.stripe.com`.
        MeterEvents = "meter_events",
    }
    /// What an operation is, and so which interface of the contract runs it.
    OperationKind {
        /// Starts a workflow.
        Trigger = "trigger",
        /// Changes something.
        Action = "action",
        /// Reads something.
        Query = "query",
    }
    /// How careful one has to be with an operation.
    Safety {
        /// Changes nothing.
        Read = "read",
        /// Adds something that can be changed or removed again.
        Create = "create",
        /// Changes something.
        Change = "change",
        /// May move money, now or on a schedule.
        MoveMoney = "move-money",
        /// Removes or ends something for good.
        Destroy = "destroy",
    }
    /// What the service demands of a value beyond its type.
    Rule {
        /// A whole number that is not negative.
        Amount = "amount",
        /// A whole number of at least 1.
        PositiveAmount = "positive-amount",
        /// A whole number of at least 1, of what is paid out.
        PayoutAmount = "payout-amount",
        /// A three-letter currency code, sent in lower case.
        Currency = "currency",
    }
    /// What a mapped value is; the contract documents each.
    ValueKind {
        /// Text.
        Text = "text",
        /// A whole number.
        Integer = "integer",
        /// A number that may have a fraction: a percentage.
        Number = "number",
        /// True or false.
        Boolean = "boolean",
        /// A point in time.
        Timestamp = "timestamp",
        /// An amount with its currency.
        Money = "money",
        /// The id of another object.
        Reference = "reference",
        /// An object of names and text values.
        Labels = "labels",
    }
    /// What a hint belongs to.
    About {
        /// A code of the service's errors.
        Error = "error",
        /// A reason why a payment was declined.
        Decline = "decline",
        /// A part of a message of the service.
        Message = "message",
        /// Fields of which only one may be given.
        Exclusive = "exclusive",
    }
    /// How a field of the connection form is shown.
    FieldKind {
        /// Masked, stored encrypted.
        Secret = "secret",
        /// Plain text.
        Text = "text",
        /// An absolute URL.
        Url = "url",
    }
}
