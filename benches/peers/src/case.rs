//! The kinds of request that are measured.

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// The handler reads the session.
    Read,
    /// The handler changes one field.
    Change,
    /// The handler does not ask for the session.
    NotUsed,
    /// The handler reads the session, and the request carries no cookie.
    NoCookie,
}

impl Case {
    pub const ALL: [Self; 4] = [Self::Read, Self::Change, Self::NotUsed, Self::NoCookie];

    /// As it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Change => "change one field",
            Self::NotUsed => "session not used",
            Self::NoCookie => "no cookie",
        }
    }

    /// The path of its handler.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Read | Self::NoCookie => "/read",
            Self::Change => "/change",
            Self::NotUsed => "/ignore",
        }
    }

    pub const fn has_cookie(self) -> bool {
        !matches!(self, Self::NoCookie)
    }

    /// The same request where there are no sessions.
    pub const fn baseline(self) -> Self {
        match self {
            Self::NoCookie => Self::NoCookie,
            Self::Read | Self::Change | Self::NotUsed => Self::NotUsed,
        }
    }
}
