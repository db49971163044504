//! A record that one of two programs cannot read: another codec, another type, a variant
//! that is new. And records that say more than their program's settings.

use cloakroom::{
    Clock, Codec, Config, Error, Json, Key, KeyPrefix, Memory, MessagePack, Postcard, Renewal,
    Session, Sessions, Store, Ttl, Unsigned,
};
use http::HeaderMap;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::programs::Browser;

/// What a handler is told of a session, and what it can do with it.
struct At<C: Codec> {
    sessions: Sessions<Memory, C, Unsigned>,
}

#[derive(Clone, Debug, PartialEq)]
enum Found<D> {
    Nothing,
    Unreadable,
    Data(D),
}

impl<C: Codec<Data: Clone>> At<C> {
    fn new(store: &Memory, codec: C) -> Self {
        Self { sessions: Config::new().store(store.clone()).codec(codec).build() }
    }

    async fn open(&self, browser: &Browser) -> Session<Memory, C, Unsigned> {
        self.sessions.open(&browser.headers()).await.expect("opened")
    }

    async fn find(&self, browser: &Browser) -> Found<C::Data> {
        let session = self.open(browser).await;
        match (session.is_unreadable(), session.is_new()) {
            (true, true) => Found::Unreadable,
            (true, false) => panic!("what cannot be read is not there"),
            (false, true) => Found::Nothing,
            (false, false) => Found::Data(C::Data::clone(&session)),
        }
    }

    async fn begin(&self, data: C::Data) -> Browser {
        let mut browser = Browser::new(Clock::manual());
        let mut session = self.open(&browser).await;
        *session = data;
        close(session, &mut browser).await.expect("made");
        browser
    }
}

async fn close<C: Codec>(
    session: Session<Memory, C, Unsigned>,
    browser: &mut Browser,
) -> Result<(), Error> {
    let mut headers = HeaderMap::new();
    let closed = session.close(&mut headers).await;
    browser.keep(&headers);
    closed
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
#[serde(default)]
struct Account {
    user: Option<String>,
    visits: u32,
}

/// The session is there at one program, unreadable at the other, and untouched by what
/// the other one's visitor does: for many requests in turn.
async fn assert_unreadable<A, B>(here: A, data: A::Data, there: B, change: fn(&mut B::Data))
where
    A: Codec<Data: Clone + PartialEq + std::fmt::Debug>,
    B: Codec<Data: Clone + PartialEq + std::fmt::Debug>,
{
    let store = Memory::new();
    let (here, there) = (At::new(&store, here), At::new(&store, there));
    let mut browser = here.begin(data.clone()).await;
    let cookies = browser.headers();
    for _ in 0..5 {
        assert_eq!(here.find(&browser).await, Found::Data(data.clone()));
        assert_eq!(there.find(&browser).await, Found::Unreadable);
        let mut session = there.open(&browser).await;
        change(&mut session);
        assert!(matches!(session.save().await, Err(Error::Unreadable)));
        let updated = session.update(change).await;
        assert!(matches!(updated, Err(Error::Unreadable)), "{updated:?}");
        close(session, &mut browser).await.expect("a warning, and no error");
        assert_eq!(browser.headers(), cookies, "no cookie is set or taken away");
    }
}

#[tokio::test]
async fn another_codec_leaves_the_session_unreadable_and_untouched() {
    let ada = || Account { user: Some("ada".to_owned()), visits: 7 };
    let change = |account: &mut Account| account.visits += 1;
    assert_unreadable(MessagePack::new(), ada(), Json::new(), change).await;
    assert_unreadable(MessagePack::new(), ada(), Postcard::new(), change).await;
    assert_unreadable(Json::new(), ada(), MessagePack::new(), change).await;
    assert_unreadable(Json::new(), ada(), Postcard::new(), change).await;
    assert_unreadable(Postcard::new(), ada(), MessagePack::new(), change).await;
    assert_unreadable(Postcard::new(), ada(), Json::new(), change).await;
}

/// Types of two versions of a program.
macro_rules! versions {
    ($($version:ident { $($item:item)* })*) => {
        $(mod $version {
            use super::*;
            $(#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)] $item)*
        })*
    };
}

versions! {
    cents {
        #[derive(Default)]
        pub(crate) struct Account { pub(crate) user: String, pub(crate) owes: Vec<Amount> }
        pub(crate) struct Amount(pub(crate) u64);
    }
    euros {
        #[derive(Default)]
        pub(crate) struct Account { pub(crate) user: String, pub(crate) owes: Vec<Euros> }
        pub(crate) struct Euros(pub(crate) u64);
    }
    moved {
        #[derive(Default)]
        pub(crate) struct Account { pub(crate) owes: Vec<Amount>, pub(crate) user: String }
        pub(crate) struct Amount(pub(crate) u64);
    }
    named {
        #[derive(Default)]
        pub(crate) struct Account { pub(crate) user: String, pub(crate) owes: Vec<Amount> }
        pub(crate) struct Amount { pub(crate) cents: u64 }
    }
    flags {
        #[derive(Default)]
        pub(crate) struct Account { pub(crate) user: String, pub(crate) rights: Option<Rights> }
        pub(crate) struct Rights { pub(crate) reads: bool, pub(crate) writes: bool }
    }
    exchanged {
        #[derive(Default)]
        pub(crate) struct Account { pub(crate) user: String, pub(crate) rights: Option<Rights> }
        pub(crate) struct Rights { pub(crate) writes: bool, pub(crate) reads: bool }
    }
}

/// A nested type that changes its meaning but not its size, among others.
#[tokio::test]
async fn another_type_with_postcard_is_never_misread_and_leaves_the_session_untouched() {
    macro_rules! assert_none_reads_another {
        ($($one:ident: $value:expr),* ; $all:tt) => {
            $(assert_none_reads_another!(@one $one, $value, $all);)*
        };
        (@one $one:ident, $value:expr, [$($other:ident)*]) => {
            $(if stringify!($one) != stringify!($other) {
                let change = |account: &mut $other::Account| account.user.push('x');
                assert_unreadable(
                    Postcard::<$one::Account>::new(),
                    $value,
                    Postcard::<$other::Account>::new(),
                    change,
                )
                .await;
            })*
        };
    }
    let user = || "ada".to_owned();
    assert_none_reads_another! {
        cents: cents::Account { user: user(), owes: vec![cents::Amount(1)] },
        euros: euros::Account { user: user(), owes: vec![euros::Euros(1)] },
        moved: moved::Account { user: user(), owes: vec![moved::Amount(1)] },
        named: named::Account { user: user(), owes: vec![named::Amount { cents: 1 }] },
        flags: flags::Account {
            user: user(),
            rights: Some(flags::Rights { reads: true, writes: false }),
        },
        exchanged: exchanged::Account {
            user: user(),
            rights: Some(exchanged::Rights { writes: false, reads: true }),
        };
        [cents euros moved named flags exchanged]
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Older {
    user: String,
    role: OlderRole,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum OlderRole {
    #[default]
    Guest,
    User,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Newer {
    user: String,
    role: NewerRole,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum NewerRole {
    #[default]
    Guest,
    Admin,
    User,
}

#[tokio::test]
async fn a_new_variant_is_unreadable_for_the_version_before_only_where_it_is_used() {
    let admin = Newer { user: "ada".to_owned(), role: NewerRole::Admin };
    let change = |account: &mut Older| account.user.push('x');
    assert_unreadable(
        MessagePack::<Newer>::new(),
        admin.clone(),
        MessagePack::<Older>::new(),
        change,
    )
    .await;
    assert_unreadable(Json::<Newer>::new(), admin, Json::<Older>::new(), change).await;

    let store = Memory::new();
    let (older, newer) = (
        At::new(&store, MessagePack::<Older>::new()),
        At::new(&store, MessagePack::<Newer>::new()),
    );
    let user = newer.begin(Newer { user: "ada".to_owned(), role: NewerRole::User }).await;
    let found = Older { user: "ada".to_owned(), role: OlderRole::User };
    assert_eq!(older.find(&user).await, Found::Data(found));
}

#[tokio::test]
async fn a_field_without_a_default_leaves_the_records_before_it_unreadable() {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Without {
        user: String,
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct With {
        user: String,
        level: u8,
    }
    let ada = Without { user: "ada".to_owned() };
    let change = |account: &mut With| account.level += 1;
    let codec = MessagePack::<Without>::new();
    assert_unreadable(codec, ada.clone(), MessagePack::<With>::new(), change).await;
    assert_unreadable(Json::<Without>::new(), ada, Json::<With>::new(), change).await;
}

#[tokio::test]
async fn a_field_of_another_type_leaves_records_unreadable_in_both_directions() {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Number {
        user: u64,
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Text {
        user: String,
    }
    let (number, text) = (Number { user: 7 }, Text { user: "7".to_owned() });
    let at_text = |account: &mut Text| account.user.push('1');
    let at_number = |account: &mut Number| account.user += 1;
    let codecs = (MessagePack::<Number>::new(), MessagePack::<Text>::new());
    assert_unreadable(codecs.0, number.clone(), codecs.1, at_text).await;
    assert_unreadable(codecs.1, text.clone(), codecs.0, at_number).await;
    let codecs = (Json::<Number>::new(), Json::<Text>::new());
    assert_unreadable(codecs.0, number, codecs.1, at_text).await;
    assert_unreadable(codecs.1, text, codecs.0, at_number).await;
}

/// The state of a sign-in elsewhere is kept from the page that begins it until the
/// visitor comes back, whichever version answers.
#[tokio::test]
async fn a_sign_in_elsewhere_that_begins_while_the_record_is_unreadable_succeeds() {
    /// Both versions have it.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct First {
        user: Option<String>,
        state: Option<String>,
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Second {
        user: Option<Vec<String>>,
        state: Option<String>,
    }

    let store = Memory::new();
    let first = At::new(&store, MessagePack::<First>::new());
    let second = At::new(&store, MessagePack::<Second>::new());
    let ada = Second { user: Some(vec!["ada".to_owned()]), state: None };
    let mut browser = second.begin(ada).await;
    let before = browser.clone();

    // The page that begins it.
    let mut session = first.open(&browser).await;
    assert!(session.is_unreadable());
    session.restart();
    session.state = Some("random".to_owned());
    close(session, &mut browser).await.expect("kept");

    // It is over for both, also under the id from before.
    assert_eq!(second.find(&before).await, Found::Nothing);
    let state = Some("random".to_owned());
    let waiting = Second { user: None, state: state.clone() };
    assert_eq!(second.find(&browser).await, Found::Data(waiting));

    // The page to which the visitor comes back.
    let mut session = first.open(&browser).await;
    assert_eq!(session.state.take(), state);
    session.user = Some("bob".to_owned());
    session.sign_in();
    close(session, &mut browser).await.expect("signed in");
    let bob = First { user: Some("bob".to_owned()), state: None };
    assert_eq!(first.find(&browser).await, Found::Data(bob));
    assert_eq!(second.find(&browser).await, Found::Unreadable);
}

/// What other versions of this crate let a handler choose. This one has no method for
/// it yet, and keeps what the record says (flag 8).
#[tokio::test]
async fn lifetimes_of_a_session_s_own_outlive_the_settings_of_every_program() {
    const OWN_LIFETIMES: u8 = 8;
    let clock = Clock::manual();
    let store = Memory::new().clock(clock.clone());
    let config = |idle| {
        let config = Config::new().store(store.clone()).clock(clock.clone());
        config.codec(MessagePack::<Account>::new()).idle_timeout(Ttl::minutes(idle))
    };
    let hour = config(60).absolute_timeout(Ttl::hours(6)).build();
    for renewal in [Renewal::default(), Renewal::EveryRequest] {
        let mut browser = Browser::new(clock.clone());
        let mut session = hour.open(&HeaderMap::new()).await.expect("opened");
        session.user = Some("ada".to_owned());
        session.save().await.expect("made");
        let key = Key::hashed(
            &KeyPrefix::default(),
            &cloakroom::Cookie::default().name(),
            session.id().expect("saved"),
        );
        close(session, &mut browser).await.expect("closed");
        let record = store.load(&key, None).await.expect("answers").expect("kept");
        let mut bytes = record.value.to_vec();
        bytes[1] |= OWN_LIFETIMES;
        let Ok(_) = store.update(&key, &bytes, Ttl::hours(1), &record.revision).await;

        let short = config(5).absolute_timeout(Ttl::minutes(20)).renewal(renewal).build();
        let long = config(600).absolute_timeout(Ttl::days(9)).renewal(renewal).build();
        let mut minutes = 0;
        let mut writes = 0;
        // Used every 40 minutes, which only its own lifetime allows.
        loop {
            clock.advance(Ttl::minutes(40).as_duration());
            minutes += 40;
            let sessions = if minutes % 80 == 0 { &short } else { &long };
            let session = sessions.open(&browser.headers()).await.expect("opened");
            if session.is_new() {
                break;
            }
            close(session, &mut browser).await.expect("closed");
            writes += 1;
            assert!(writes < 100, "it never ends");
        }
        assert_eq!(minutes, 6 * 60, "{renewal:?}: at the end that it was given");
    }
}
