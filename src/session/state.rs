//! What is known about a session while it is open.

use super::address::Address;
use super::changes::Changes;
use crate::codec::Codec;
use crate::config::Settings;
use crate::record::{Act, Format, Header};
use crate::store::{Key, Store};

/// A session while it is open.
pub(crate) struct State<S: Store, C: Codec> {
    pub(super) data: C::Data,
    pub(super) changes: Changes,
    pub(super) place: Place<S>,
    /// Other keys of the request's cookies that lead, or may lead, to a session.
    pub(super) others: Vec<Key>,
    /// Whether the request has a cookie of this name.
    pub(super) has_cookie: bool,
    /// When it was opened or last saved on demand, which is its last use; in Unix
    /// milliseconds.
    pub(super) used_at: u64,
    /// Whether the cookie is to outlive the browser.
    pub(super) permanent: bool,
    pub(super) wish: Wish,
    pub(super) cookie: DueCookie,
    /// Whether an older key has signed the cookie.
    pub(super) is_by_older_key: bool,
}

/// Where the session stands in the store.
pub(super) enum Place<S: Store> {
    /// Nowhere yet.
    New,
    Live(Live<S>),
    /// There is a record under this key that the program cannot read.
    Unreadable(Key),
    /// It ended, or went to another id, here or elsewhere.
    Over(Option<Moved>),
}

/// The version of a session that the store holds, as far as this request knows.
pub(super) struct Live<S: Store> {
    pub(super) address: Address,
    pub(super) header: Header,
    pub(super) record: Stored<S::Value>,
    pub(super) revision: S::Revision,
    /// The record under a fresh id, while it is not known whether the session has
    /// moved there.
    pub(super) rotating: Option<Box<Fresh<S>>>,
}

/// A record that was made under a fresh id.
pub(super) struct Fresh<S: Store> {
    pub(super) address: Address,
    pub(super) header: Header,
    pub(super) record: Vec<u8>,
    pub(super) revision: S::Revision,
}

/// A record, as it was loaded or written last.
pub(super) enum Stored<V> {
    Loaded(V),
    Written(Vec<u8>),
}

/// A session that was given a fresh id.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    /// The new key, where the note says it.
    pub(super) to: Option<Key>,
    pub(super) act: Option<Act>,
}

/// What the handler wants to happen to the session, beside its changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wish {
    #[default]
    Keep,
    Rotate,
    SignIn,
    Restart,
    Destroy,
}

/// What the response tells the browser about the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DueCookie {
    /// Nothing.
    #[default]
    Keep,
    /// A fresh id, which no other response can have sent.
    Send,
    /// The id that the browser holds, for its expiry or its signature, if it still
    /// is that of the session, which was seen at this time, in Unix milliseconds.
    Repeat { seen_at: u64 },
    /// Its removal.
    Remove,
}

impl<S: Store, C: Codec> State<S, C> {
    /// A session of which nothing is stored.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            data: C::Data::default(),
            changes: Changes::default(),
            place: Place::New,
            others: Vec::new(),
            has_cookie: false,
            used_at: 0,
            permanent: settings.permanent,
            wish: Wish::Keep,
            cookie: DueCookie::Keep,
            is_by_older_key: false,
        }
    }

    /// The data, to be changed. The first call notes what they were.
    pub(super) fn data_mut(&mut self) -> &mut C::Data {
        let room = self.live().map_or(0, |live| live.data::<C>().len());
        self.changes.note::<C>(&self.data, room);
        &mut self.data
    }

    /// What the store holds, unless the session is new, over or unreadable.
    pub(super) const fn live(&self) -> Option<&Live<S>> {
        match &self.place {
            Place::Live(live) => Some(live),
            Place::New | Place::Unreadable(_) | Place::Over(_) => None,
        }
    }

    /// What the store holds of the session that the handler has. A session that is to
    /// begin anew has nothing there yet.
    pub(super) fn shown(&self) -> Option<&Live<S>> {
        self.live().filter(|_| self.wish != Wish::Restart)
    }

    /// Whether saving gives the session an id that the browser does not have.
    pub(super) const fn begins_an_id(&self) -> bool {
        match self.wish {
            Wish::Keep => matches!(self.place, Place::New),
            Wish::Rotate | Wish::SignIn | Wish::Restart => true,
            Wish::Destroy => false,
        }
    }

    /// Whether the handler wants the cookie to live for another time than before.
    pub(super) fn changes_permanent(&self) -> bool {
        self.live().is_some_and(|live| live.header.permanent != self.permanent)
    }

    pub(super) fn rotate(&mut self) {
        if self.wish == Wish::Keep {
            self.wish = Wish::Rotate;
        }
    }

    pub(super) fn sign_in(&mut self) {
        if matches!(self.wish, Wish::Keep | Wish::Rotate) {
            self.wish = Wish::SignIn;
        }
    }

    /// The changes so far are those of the session that is to end.
    pub(super) fn restart(&mut self, settings: &Settings) {
        if self.wish != Wish::Destroy {
            self.wish = Wish::Restart;
            self.data = C::Data::default();
            self.changes.clear();
            self.permanent = settings.permanent;
        }
    }

    pub(super) const fn destroy(&mut self) {
        self.wish = Wish::Destroy;
    }
}

impl<S: Store> Live<S> {
    /// The record.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.record {
            Stored::Loaded(value) => value.as_ref(),
            Stored::Written(record) => record,
        }
    }

    /// The encoded data in the record.
    pub(super) fn data<C: Codec>(&self) -> &[u8] {
        C::Record::data(self.bytes())
    }
}

impl<S: Store> From<Fresh<S>> for Live<S> {
    fn from(fresh: Fresh<S>) -> Self {
        let Fresh { address, header, record, revision } = fresh;
        Self { address, header, record: Stored::Written(record), revision, rotating: None }
    }
}
