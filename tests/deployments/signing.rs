//! From unsigned to signed cookies: what counts without a signature, and for how long.

use cloakroom::{Clock, HmacSha256, IdLength, Memory, MessagePack, SecretKey, Ttl};
use cloakroom::{Config, Signer};
use http::HeaderMap;
use http::header::COOKIE;

use crate::programs::{Account, Act, Browser, Program, Sent};

type Plain = Config<Memory, MessagePack<Account>>;
type Signed = Config<Memory, MessagePack<Account>, HmacSha256>;

struct Site {
    clock: Clock,
    store: Memory,
}

impl Site {
    fn new() -> Self {
        let clock = Clock::manual();
        Self { store: Memory::new().clock(clock.clone()), clock }
    }

    fn config(&self) -> Plain {
        let config = Config::new().store(self.store.clone()).clock(self.clock.clone());
        config.codec(MessagePack::new())
    }

    fn signed(&self) -> Signed {
        self.config().signed().secret_key(key(1))
    }

    async fn ada_at(&self, program: &dyn Program) -> Browser {
        let mut browser = Browser::new(self.clock.clone());
        browser.send(program, Act::SignIn("ada")).await;
        browser
    }
}

fn key(fill: u8) -> SecretKey {
    SecretKey::from_bytes(vec![fill; 32]).expect("long enough")
}

async fn user(browser: &mut Browser, program: &dyn Program) -> Option<String> {
    browser.send(program, Act::Look).await.user
}

#[tokio::test]
async fn an_unsigned_cookie_counts_until_the_time_and_is_signed_at_its_first_use() {
    let site = Site::new();
    let unsigned = site.config().build();
    let mut used = site.ada_at(&unsigned).await;
    let mut unused = site.ada_at(&unsigned).await;
    let until = site.clock.now() + Ttl::hours(1).as_duration();
    let signing = site.signed().accept_unsigned_until(until).build();
    let id = used.value().to_owned();

    site.clock.advance(Ttl::minutes(59).as_duration());
    let answer = used.send(&signing, Act::Look).await;
    assert_eq!((answer.user.as_deref(), answer.sent), (Some("ada"), Sent::Cookie));
    assert!(used.value().starts_with(&format!("{id}.")), "the same id, with a signature");
    let answer = used.send(&signing, Act::Look).await;
    assert_eq!((answer.user.as_deref(), answer.sent), (Some("ada"), Sent::Nothing));

    // The call still stands there.
    site.clock.advance(Ttl::minutes(1).as_duration());
    let answer = unused.send(&signing, Act::Look).await;
    assert_eq!((answer.user, answer.sent), (None, Sent::Nothing));
    assert_eq!(user(&mut used, &signing).await.as_deref(), Some("ada"));
    assert_eq!(user(&mut used, &site.signed().build()).await.as_deref(), Some("ada"));
}

/// The value with another last character, which is another id or another signature.
fn altered(value: &str) -> String {
    let (rest, last) = value.split_at(value.len() - 1);
    format!("{rest}{}", if last == "A" { "E" } else { "A" })
}

fn sending(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, format!("__Host-id={value}").parse().expect("ASCII"))])
}

#[tokio::test]
async fn a_wrong_signature_is_refused_while_none_is_needed() {
    let site = Site::new();
    let until = site.clock.now() + Ttl::hours(1).as_duration();
    let signed = site.signed().build();
    let browser = site.ada_at(&signed).await;
    let (id, _) = browser.value().split_once('.').expect("a signature");
    let mut by_another_key = id.to_owned();
    HmacSha256::new(&key(9)).sign("__Host-id", id, &mut by_another_key);
    let accepting: [Box<dyn Program>; 2] = [
        Box::new(site.signed().accept_unsigned_until(until).build()),
        Box::new(site.signed().sign_later().build()),
    ];
    for program in accepting {
        for (value, is_accepted) in [
            (browser.value(), true),
            // What the setting gives up, until the time.
            (id, true),
            (&altered(browser.value()), false),
            (&by_another_key, false),
            (&format!("{id}."), false),
            (&altered(id), false),
        ] {
            let answer = program.answer(&sending(value), Act::Look).await;
            assert_eq!(answer.user.is_some(), is_accepted, "{value}");
        }
    }
}

#[tokio::test]
async fn a_signer_that_is_chosen_afterwards_accepts_no_unsigned_cookie() {
    let site = Site::new();
    let until = site.clock.now() + Ttl::hours(1).as_duration();
    let mut browser = site.ada_at(&site.config().build()).await;
    for config in [site.signed().accept_unsigned_until(until), site.signed().sign_later()] {
        let program = config.signer(HmacSha256::new(&key(1))).build();
        assert_eq!(user(&mut browser, &program).await, None);
    }
    let program = site.signed().sign_later().unsigned().build();
    assert_eq!(user(&mut browser, &program).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn an_instance_that_signs_later_sends_what_an_unsigned_one_sends() {
    let site = Site::new();
    let later = site.signed().sign_later().build();
    let mut browser = site.ada_at(&later).await;
    assert_eq!(browser.value().len(), 43);
    assert_eq!(user(&mut browser, &site.config().build()).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn ids_of_every_accepted_length_are_found_with_and_without_a_signature() {
    let lengths = [16, 21, 27, 32, 64].map(|bytes| IdLength::new(bytes).expect("a length"));
    for signs in [false, true] {
        let site = Site::new();
        let program = |makes: IdLength, accepts: &[IdLength]| -> Box<dyn Program> {
            let config = site.config().id_length(makes);
            let config = accepts.iter().fold(config, |config, it| config.accept_id_length(*it));
            match signs {
                true => Box::new(config.signed().secret_key(key(1)).build()),
                false => Box::new(config.build()),
            }
        };
        for made in lengths {
            let mut browser = site.ada_at(&*program(made, &[])).await;
            for other in lengths.into_iter().filter(|it| *it != made) {
                assert_eq!(user(&mut browser, &*program(other, &[])).await, None);
                let accepting = program(other, &[made]);
                assert_eq!(user(&mut browser, &*accepting).await.as_deref(), Some("ada"));
                let accepting = program(other, &lengths);
                assert_eq!(user(&mut browser, &*accepting).await.as_deref(), Some("ada"));
            }
        }
    }
}
