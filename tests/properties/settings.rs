//! The parsers of settings, and the cookie that is made from them.

use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom::{
    Config, Cookie, CookieDomain, CookieName, CookiePath, IdLength, Key, KeyPrefix, Memory,
    Percent, SameSite, SecretKey, SecretKeyError, SessionId, Ttl,
};
use http::HeaderMap;
use http::header::SET_COOKIE;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::runtime::Builder;

use crate::cases;

const TOKEN: &str = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}";
const LABEL: &str = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?";
const PATH: &str = "/[!-:<-~]{0,40}";
const DAY: u64 = 86_400_000;

fn name() -> impl Strategy<Value = String> {
    TOKEN.prop_filter("a reserved prefix", |name| {
        let name = name.to_ascii_lowercase();
        !name.starts_with("__host-") && !name.starts_with("__secure-")
    })
}

fn domain() -> impl Strategy<Value = String> {
    vec(LABEL, 1..5).prop_map(|labels| labels.join("."))
}

/// `text` with one more character.
fn with(text: &str, at: Index, more: char) -> String {
    let places: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut text = text.to_owned();
    text.insert(*at.get(&places), more);
    text
}

/// Everything but visible ASCII.
fn invisible() -> impl Strategy<Value = char> {
    use proptest::char::range;
    prop_oneof![range('\0', ' '), range('\u{7f}', '\u{ff}'), range('\u{7f}', char::MAX)]
}

/// What cannot stand in a token (RFC 9110, section 5.6.2).
fn no_token() -> impl Strategy<Value = char> {
    prop_oneof![
        invisible(),
        proptest::sample::select(r#""(),/:;<=>?@[\]{}"#.chars().collect::<Vec<_>>())
    ]
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_key_prefix_is_up_to_64_visible_characters(
        text in "[!-~]{0,64}", too_long in "[!-~]{65,80}", at: Index, wrong in invisible(),
    ) {
        let prefix = KeyPrefix::new(text.clone()).expect("a prefix");
        prop_assert!(KeyPrefix::new(too_long).is_err());
        prop_assert!(KeyPrefix::new(with(&text, at, wrong)).is_err());

        let id = SessionId::generate(IdLength::MAX).expect("an id");
        let expected = format!("{text}{}", id.as_str());
        prop_assert!(expected.len() <= Key::MAX);
        let key = Key::plain(&prefix, &id);
        prop_assert_eq!(key.as_str(), expected);
        prop_assert!(Key::hashed(&prefix, "id", &id).as_str().starts_with(&text));
    }

    #[test]
    fn a_cookie_name_is_a_token_without_a_reserved_prefix(
        text in name(), at: Index, wrong in no_token(), upper: [bool; 9],
    ) {
        let name = CookieName::new(text.clone()).expect("a name");
        prop_assert_eq!(name.as_str(), &text);
        prop_assert!(CookieName::new(with(&text, at, wrong)).is_err());
        prop_assert!(CookieName::new(text.repeat(65)).is_err());
        for prefix in ["__host-", "__secure-"] {
            let case = |(c, upper): (char, bool)| if upper { c.to_ascii_uppercase() } else { c };
            let prefix: String = prefix.chars().zip(upper).map(case).collect();
            let rest = &text[..text.len().min(50)];
            prop_assert!(CookieName::new(prefix + rest).is_err());
        }
    }

    #[test]
    fn a_cookie_domain_is_a_host_name(
        text in domain(), at: Index, wrong in prop_oneof![no_token(), Just('_'), Just('*')],
    ) {
        prop_assert_eq!(CookieDomain::new(text.clone()).expect("a domain").to_string(), text.clone());
        prop_assert!(CookieDomain::new(with(&text, at, wrong)).is_err());
        for wrong in [
            format!(".{text}"),
            format!("{text}."),
            format!("-{text}"),
            format!("{text}-"),
            format!("{}.{text}", "x".repeat(64)),
            format!("{text}.").repeat(128) + "x",
        ] {
            prop_assert!(CookieDomain::new(wrong).is_err());
        }
    }

    #[test]
    fn a_cookie_path_is_visible_and_has_no_semicolon(
        text in PATH, at: Index, wrong in prop_oneof![invisible(), Just(';')], first in "[!-.0-~]",
    ) {
        prop_assert_eq!(CookiePath::new(text.clone()).expect("a path").to_string(), text.clone());
        prop_assert!(CookiePath::new(with(&text, at, wrong)).is_err());
        prop_assert!(CookiePath::new(first + &text).is_err());
        let longest = format!("{text}{}", "x".repeat(1_024 - text.len()));
        prop_assert!(CookiePath::new(longest.clone()).is_ok());
        prop_assert!(CookiePath::new(longest + "x").is_err());
    }

    #[test]
    fn a_time_to_live_is_from_a_millisecond_to_400_days(
        millis in prop_oneof![any::<u64>(), 0..=401 * DAY, Just(400 * DAY), Just(400 * DAY + 1)],
        nanos in 0..1_000_000u64,
    ) {
        let is_valid = (1..=400 * DAY).contains(&millis);
        prop_assert_eq!(Ttl::from_millis(millis).map(Ttl::as_millis).ok(), is_valid.then_some(millis));
        prop_assert_eq!(Ttl::from_secs(millis).is_ok(), (1..=400 * DAY / 1_000).contains(&millis));

        let duration = Duration::from_millis(millis) + Duration::from_nanos(nanos);
        let ttl = Ttl::try_from(duration).ok();
        prop_assert_eq!(ttl.map(Ttl::as_duration), is_valid.then(|| Duration::from_millis(millis)));
    }

    #[test]
    fn a_secret_key_has_at_least_32_bytes(bytes in vec(any::<u8>(), 0..64)) {
        let is_long_enough = bytes.len() >= 32;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for key in [
            SecretKey::from_hex(&hex),
            SecretKey::from_hex(&hex.to_uppercase()),
            SecretKey::from_base64(&base64(&bytes, "+/", true)),
            SecretKey::from_base64(&base64(&bytes, "-_", true)),
            SecretKey::from_base64(&base64(&bytes, "-_", false)),
            SecretKey::from_base64(&base64(&bytes, "+/", false)),
            SecretKey::from_bytes(bytes),
        ] {
            match key {
                Ok(_) => prop_assert!(is_long_enough),
                Err(SecretKeyError::TooShort { .. }) => prop_assert!(!is_long_enough),
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn a_wrong_character_makes_a_secret_key_invalid(
        hex in "[0-9a-fA-F]{64}", base64 in "[A-Za-z0-9]{44}", at: Index,
        wrong in prop_oneof![invisible(), Just('!'), Just(':')], other_digit in "[g-zG-Z]",
    ) {
        let other_digit = other_digit.chars().next().unwrap_or('g');
        for text in [with(&hex, at, '0'), with(&hex, at, wrong), with(&hex[1..], at, other_digit)] {
            prop_assert!(matches!(SecretKey::from_hex(&text), Err(SecretKeyError::NotHex)));
        }
        prop_assert!(SecretKey::from_base64(&base64).is_ok());
        // Some decoders pass over line ends; a key has none in it.
        let refused = SecretKey::from_base64(&with(&base64, at, wrong));
        prop_assert!(matches!(refused, Err(SecretKeyError::NotBase64)));
    }

    #[test]
    fn a_set_cookie_header_has_the_attributes_that_were_chosen_and_no_others(choice in choice()) {
        let header = set_cookie(&choice);
        let mut parts = header.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a pair");
        prop_assert_eq!(name, &choice.full_name());
        prop_assert_eq!(value.len(), 43 + if choice.signed { 44 } else { 0 });
        prop_assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));

        let attributes: Vec<_> = parts.collect();
        let mut expected = choice.attributes();
        if choice.permanent {
            let expires = attributes.iter().find(|attribute| attribute.starts_with("Expires="));
            expected.insert((*expires.expect("a permanent cookie has `Expires`")).to_owned());
        }
        prop_assert_eq!(attributes.len(), expected.len(), "{}", header);
        let attributes: BTreeSet<_> = attributes.into_iter().map(str::to_owned).collect();
        prop_assert_eq!(attributes, expected);
        // Another way to cut the header gives the same parts.
        prop_assert_eq!(header.split(';').count(), header.split("; ").count());
    }
}

#[test]
fn a_share_is_from_1_to_99_percent_and_an_id_has_16_to_64_bytes() {
    for n in 0..=u8::MAX {
        assert_eq!(Percent::new(n).is_ok(), (1..=99).contains(&n), "{n}");
        assert_eq!(IdLength::new(n.into()).is_ok(), (16..=64).contains(&n), "{n}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Host,
    Secure,
    Insecure,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Site {
    Strict,
    Lax,
    None,
}

/// The wanted cookie; what its kind does not have is left out.
#[derive(Clone, Debug)]
struct Choice {
    kind: Kind,
    name: String,
    domain: Option<String>,
    path: String,
    site: Site,
    partitioned: bool,
    readable_by_scripts: bool,
    permanent: bool,
    signed: bool,
}

fn choice() -> impl Strategy<Value = Choice> {
    use proptest::sample::select;
    let kind = select(vec![Kind::Host, Kind::Secure, Kind::Insecure]);
    let site = select(vec![Site::Strict, Site::Lax, Site::None]);
    (kind, name(), option::of(domain()), PATH, site, any::<[bool; 4]>()).prop_map(
        |(kind, name, domain, path, site, flags)| {
            let [partitioned, readable_by_scripts, permanent, signed] = flags;
            // The compiler refuses the others.
            let is_scoped = kind != Kind::Host;
            let is_secure = kind != Kind::Insecure;
            Choice {
                kind,
                name,
                domain: domain.filter(|_| is_scoped),
                path: if is_scoped { path } else { "/".to_owned() },
                site: if is_secure || site != Site::None { site } else { Site::Lax },
                partitioned: partitioned && is_secure,
                readable_by_scripts,
                permanent,
                signed,
            }
        },
    )
}

impl Choice {
    fn full_name(&self) -> String {
        let prefix = if self.kind == Kind::Host { "__Host-" } else { "" };
        format!("{prefix}{}", self.name)
    }

    /// All but `Expires`.
    fn attributes(&self) -> BTreeSet<String> {
        let site = format!("SameSite={:?}", self.site);
        let mut expected = BTreeSet::from([format!("Path={}", self.path), site]);
        expected.extend(self.domain.iter().map(|domain| format!("Domain={domain}")));
        for (is_there, attribute) in [
            (self.kind != Kind::Insecure, "Secure"),
            (!self.readable_by_scripts, "HttpOnly"),
            (self.partitioned, "Partitioned"),
            (self.permanent, "Max-Age=86400"),
        ] {
            if is_there {
                expected.insert(attribute.to_owned());
            }
        }
        expected
    }

    fn common<K>(&self, mut cookie: Cookie<K>) -> Cookie<K> {
        if self.readable_by_scripts {
            cookie = cookie.readable_by_scripts();
        }
        match self.site {
            Site::Strict => cookie.same_site(SameSite::Strict),
            Site::Lax => cookie.same_site(SameSite::Lax),
            Site::None => cookie,
        }
    }

    fn https_only<K: cloakroom::cookie::HttpsOnly>(&self, mut cookie: Cookie<K>) -> Cookie<K> {
        if self.site == Site::None {
            cookie = cookie.same_site_none();
        }
        if self.partitioned { cookie.partitioned() } else { cookie }
    }

    fn scoped(
        &self,
        cookie: Cookie<cloakroom::cookie::Secure>,
    ) -> Cookie<cloakroom::cookie::Secure> {
        let cookie = cookie.path(CookiePath::new(self.path.clone()).expect("a path"));
        match &self.domain {
            Some(domain) => cookie.domain(CookieDomain::new(domain.clone()).expect("a domain")),
            None => cookie,
        }
    }
}

/// The header that the first save of a session sends.
fn set_cookie(choice: &Choice) -> String {
    let name = CookieName::new(choice.name.clone()).expect("a name");
    let config = Config::new()
        .store(Memory::new())
        .data::<String>()
        .idle_timeout(Ttl::hours(1))
        .absolute_timeout(Ttl::days(1))
        .permanent(choice.permanent);
    let config = match choice.kind {
        Kind::Host => config.cookie(choice.https_only(choice.common(Cookie::host(name)))),
        Kind::Secure => {
            let cookie = choice.scoped(choice.common(Cookie::unprefixed(name)));
            config.cookie(choice.https_only(cookie))
        }
        Kind::Insecure => {
            let cookie = choice.scoped(choice.common(Cookie::unprefixed(name)));
            config.cookie(cookie.insecure_for_development())
        }
    };
    let mut headers = HeaderMap::new();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let no_cookies = HeaderMap::new();
        if choice.signed {
            let sessions = config.signed().secret_key(SecretKey::new([7; 32])).build();
            let mut session = sessions.open(&no_cookies).await.expect("opened");
            session.push('x');
            session.close(&mut headers).await.expect("closed");
        } else {
            let sessions = config.build();
            let mut session = sessions.open(&no_cookies).await.expect("opened");
            session.push('x');
            session.close(&mut headers).await.expect("closed");
        }
    });
    assert_eq!(headers.get_all(SET_COOKIE).iter().count(), 1);
    headers[SET_COOKIE].to_str().expect("ASCII").to_owned()
}

/// RFC 4648, sections 4 and 5, by the book.
fn base64(bytes: &[u8], last_two: &str, is_padded: bool) -> String {
    let alphabet: Vec<char> =
        ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(last_two.chars()).collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        let digits = (0..=chunk.len()).map(|digit| alphabet[bits >> (18 - 6 * digit) & 63]);
        text.extend(digits);
        if is_padded {
            text.extend(std::iter::repeat_n('=', 3 - chunk.len()));
        }
    }
    text
}
