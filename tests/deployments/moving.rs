//! Sessions that move to another place, codec or cookie name: two configurations side by
//! side, in two deployments. The page on deployments shows the program.

use cloakroom::{Clock, Config, Cookie, KeyPrefix, cookie_name};
use http::HeaderMap;

use crate::programs::Browser;

// The page begins here.

use cloakroom::{Error, Json, Memory, MessagePack, Session, Unsigned};

#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Account {
    user: Option<String>,
    visits: u32,
}

type OldSession = Session<Memory, MessagePack<Account>, Unsigned>;
type NewSession = Session<Memory, Json<Account>, Unsigned>;

/// The first deployment: sessions begin in the old place, and are used in both.
fn first<'s>(old: &'s mut OldSession, new: &'s mut NewSession) -> &'s mut Account {
    match new.user.is_some() {
        true => new,
        false => old,
    }
}

/// The second deployment: sessions begin in the new place, and come there when they are used.
async fn second<'s>(
    old: &mut OldSession,
    new: &'s mut NewSession,
) -> Result<&'s mut NewSession, Error> {
    if new.user.is_none() && old.user.is_some() {
        **new = Account::clone(old);
        new.sign_in();
        // The old one ends when the new one is there, and not before.
        new.save().await?;
        old.destroy();
    }
    Ok(new)
}

// The page ends here.

/// Where the new configuration keeps sessions.
type Elsewhere = fn(NewConfig) -> NewConfig;
type NewConfig = Config<Memory, Json<Account>>;

/// The application, in each of its versions.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Version {
    /// It has the old configuration alone.
    Before,
    First,
    Second,
    /// It has the new configuration alone.
    After,
}

struct Site {
    old: cloakroom::SessionsOf<OldSession>,
    new: cloakroom::SessionsOf<NewSession>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Look,
    Visit,
    SignIn,
    SignOut,
}

impl Site {
    fn new(elsewhere: Elsewhere) -> Self {
        let store = Memory::new();
        let old = Config::new().store(store.clone()).codec(MessagePack::<Account>::new());
        let new = Config::new().store(store).codec(Json::<Account>::new());
        let cookie = Cookie::host(cookie_name!("session"));
        Self { old: old.build(), new: elsewhere(new).cookie(cookie).build() }
    }

    /// One request; who was there, and how often, before it did anything.
    async fn request(&self, version: Version, browser: &mut Browser, act: Act) -> Account {
        let cookies = browser.headers();
        let mut old = self.old.open(&cookies).await.expect("opened");
        let mut new = self.new.open(&cookies).await.expect("opened");
        let account = match version {
            Version::Before => &mut *old,
            Version::First => first(&mut old, &mut new),
            Version::Second => second(&mut old, &mut new).await.expect("moved"),
            Version::After => &mut *new,
        };
        let found = account.clone();
        match act {
            Act::Look => {}
            Act::Visit => account.visits += 1,
            Act::SignIn => account.user = Some("ada".to_owned()),
            Act::SignOut => {}
        }
        match (act, version) {
            (Act::SignIn, Version::Before | Version::First) => old.sign_in(),
            (Act::SignIn, _) => new.sign_in(),
            (Act::SignOut, _) => {
                old.destroy();
                new.destroy();
            }
            _ => {}
        }
        let mut headers = HeaderMap::new();
        if version != Version::After {
            old.close(&mut headers).await.expect("closed");
        }
        if version != Version::Before {
            new.close(&mut headers).await.expect("closed");
        }
        browser.keep(&headers);
        found
    }
}

fn elsewhere() -> [(&'static str, Elsewhere); 5] {
    [
        ("another cookie name and codec", |config| config),
        ("plain ids", |config| config.plain_ids_in_store()),
        ("another prefix", |config| config.key_prefix(KeyPrefix::new("new:").expect("a prefix"))),
        ("another store", |config| {
            let elsewhere = Config::new().store(Memory::new());
            drop(config);
            elsewhere.codec(Json::<Account>::new())
        }),
        ("all of it", |config| {
            drop(config);
            let config = Config::new().store(Memory::new()).codec(Json::<Account>::new());
            config.plain_ids_in_store().key_prefix(KeyPrefix::new("new:").expect("a prefix"))
        }),
    ]
}

/// Requests come to two versions in turn during each deployment.
async fn lives_through(versions: &[Version], begins_by: Version) {
    for (what, place) in elsewhere() {
        let site = Site::new(place);
        let mut browser = Browser::new(Clock::manual());
        site.request(begins_by, &mut browser, Act::SignIn).await;
        let mut visits = 0;
        for deployment in versions.windows(2) {
            for turn in 0..12 {
                let act = if turn % 3 == 0 { Act::Visit } else { Act::Look };
                let found = site.request(deployment[turn % 2], &mut browser, act).await;
                let expected = Account { user: Some("ada".to_owned()), visits };
                assert_eq!(found, expected, "{what}, {deployment:?}, {turn}");
                visits += u32::from(act == Act::Visit);
            }
        }
    }
}

#[tokio::test]
async fn sessions_move_elsewhere_in_two_deployments_and_none_ends() {
    use Version::{After, Before, First, Second};
    lives_through(&[Before, First, Second, After], Before).await;
    lives_through(&[First, Second, After], First).await;
    lives_through(&[Second, After], Second).await;
}

#[tokio::test]
async fn sessions_that_moved_elsewhere_are_found_after_a_step_back() {
    use Version::{After, Before, First, Second};
    lives_through(&[After, Second, First], After).await;
    lives_through(&[First, Before], Before).await;
}

#[tokio::test]
async fn a_sign_out_while_sessions_move_ends_them_in_both_places() {
    for (what, place) in elsewhere() {
        for by in [Version::First, Version::Second] {
            let site = Site::new(place);
            let mut browser = Browser::new(Clock::manual());
            site.request(Version::Before, &mut browser, Act::SignIn).await;
            let stolen = browser.clone();
            site.request(Version::Second, &mut browser, Act::Visit).await;
            let mut also_stolen = browser.clone();
            site.request(by, &mut browser, Act::SignOut).await;
            for browser in [&mut browser, &mut stolen.clone(), &mut also_stolen] {
                for version in [Version::Before, Version::First, Version::Second, Version::After] {
                    let found = site.request(version, browser, Act::Look).await;
                    assert_eq!(found.user, None, "{what}, {by:?}, {version:?}");
                }
            }
        }
    }
}

/// Two requests of one browser may each move it.
#[tokio::test]
async fn two_requests_that_move_a_session_at_the_same_time_leave_the_user_signed_in() {
    for (what, place) in elsewhere() {
        let site = Site::new(place);
        let mut browser = Browser::new(Clock::manual());
        site.request(Version::Before, &mut browser, Act::SignIn).await;
        let mut other = browser.clone();
        let cookies = browser.headers();
        let mut old = site.old.open(&cookies).await.expect("opened");
        let mut new = site.new.open(&cookies).await.expect("opened");
        site.request(Version::Second, &mut other, Act::Visit).await;
        second(&mut old, &mut new).await.expect("moved");
        let mut headers = HeaderMap::new();
        old.close(&mut headers).await.expect("closed");
        new.close(&mut headers).await.expect("closed");
        browser.keep(&headers);
        for browser in [&mut browser, &mut other] {
            let found = site.request(Version::Second, browser, Act::Look).await;
            assert_eq!(found.user.as_deref(), Some("ada"), "{what}");
        }
    }
}

/// Without the first deployment.
#[tokio::test]
async fn a_session_that_moved_in_one_deployment_is_gone_for_the_version_before() {
    let site = Site::new(|config| config);
    let mut browser = Browser::new(Clock::manual());
    site.request(Version::Before, &mut browser, Act::SignIn).await;
    site.request(Version::Second, &mut browser, Act::Look).await;
    let found = site.request(Version::Before, &mut browser, Act::Look).await;
    assert_eq!(found.user, None);
    let found = site.request(Version::Second, &mut browser, Act::Look).await;
    assert_eq!(found.user.as_deref(), Some("ada"), "the other name's cookie stays");
}
