//! Which way money goes, and over what it is counted together.

/// Which way money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// From customers.
    Payments,
    /// Back to them.
    Refunds,
    /// To a bank account.
    Payouts,
    /// To other accounts.
    Transfers,
}

impl Flow {
    pub(crate) const ALL: [Self; 4] = [Self::Payments, Self::Refunds, Self::Payouts, Self::Transfers];

    /// Its name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Refunds => "refunds",
            Self::Payouts => "payouts",
            Self::Transfers => "transfers",
        }
    }
}

/// What a cap counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// One call.
    Call,
    /// What one run of a caller does.
    Run,
    /// A day, which begins at midnight UTC.
    Day,
}

impl Span {
    pub(crate) const ALL: [Self; 3] = [Self::Call, Self::Run, Self::Day];

    /// Its name in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Run => "run",
            Self::Day => "day",
        }
    }
}
