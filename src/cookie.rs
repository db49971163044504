//! The session cookie, which carries the session id: its name and its attributes.

mod credentials;
mod header;
mod name;
mod pair;

use std::fmt::Write as _;
use std::marker::PhantomData;

pub(crate) use self::credentials::Credentials;
pub(crate) use self::header::{http_date, values};
pub use self::name::{
    CookieDomain, CookieName, CookiePath, InvalidCookieDomain, InvalidCookieName, InvalidCookiePath,
};
pub(crate) use self::pair::{MAX_PAIR, pair};

/// The kind of a cookie named `__Host-..`: `Secure`, for this host only, with
/// `Path=/`. A browser takes it only from this host, over HTTPS.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Host;

/// The kind of a cookie named `__Secure-..`: a browser takes it over HTTPS only.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SecurePrefixed;

/// The kind of a `Secure` cookie without a prefix.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Secure;

/// The kind of a cookie that also travels over plain HTTP.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Insecure;

/// A kind of cookie that only travels over HTTPS: all but [`Insecure`].
#[diagnostic::on_unimplemented(
    message = "`SameSite=None` and `Partitioned` need a `Secure` cookie",
    label = "this cookie also travels over plain HTTP",
    note = "browsers refuse the combination; make it with `Cookie::host(..)` or `Cookie::unprefixed(..)`"
)]
pub trait HttpsOnly: sealed::Kind {}
#[diagnostic::do_not_recommend]
impl HttpsOnly for Host {}
#[diagnostic::do_not_recommend]
impl HttpsOnly for SecurePrefixed {}
#[diagnostic::do_not_recommend]
impl HttpsOnly for Secure {}

/// A kind of cookie whose domain and path can be chosen: all but [`Host`].
#[diagnostic::on_unimplemented(
    message = "a `__Host-` cookie has no domain, no path but `/`, and is always secure",
    label = "made by `Cookie::host`",
    note = "browsers refuse it otherwise; make it with `Cookie::unprefixed(..)` to choose these"
)]
pub trait Scoped: sealed::Kind {}
#[diagnostic::do_not_recommend]
impl Scoped for SecurePrefixed {}
#[diagnostic::do_not_recommend]
impl Scoped for Secure {}
#[diagnostic::do_not_recommend]
impl Scoped for Insecure {}

/// A kind of cookie whose name asks nothing of the connection: [`Secure`] and
/// [`Insecure`].
#[diagnostic::on_unimplemented(
    message = "a cookie named `__Host-..` or `__Secure-..` is always secure",
    label = "made by `Cookie::host` or `Cookie::secure_prefixed`",
    note = "browsers refuse it otherwise; make it with `Cookie::unprefixed(..)`"
)]
pub trait Unprefixed: sealed::Kind {}
#[diagnostic::do_not_recommend]
impl Unprefixed for Secure {}
#[diagnostic::do_not_recommend]
impl Unprefixed for Insecure {}

/// What [`Cookie::secure`] would take: nothing. A trait only for the sake of the compiler's
/// message.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "whether a cookie is `Secure` depends on how it is made",
    label = "there is no such setting",
    note = "each one is `Secure`; for plain HTTP in development: `Cookie::unprefixed(..).insecure_for_development()`",
    note = "browsers take cookies of `Cookie::host(..)` and `Cookie::secure_prefixed(..)` over HTTPS only"
)]
pub trait SecureFlag: sealed::Flag {
    type Cookie;
    fn cookie() -> Self::Cookie;
}

#[expect(unnameable_types, reason = "sealed: there are four kinds")]
mod sealed {
    /// Of no type.
    pub trait Flag {}

    pub trait Kind {}
    impl Kind for super::Host {}
    impl Kind for super::SecurePrefixed {}
    impl Kind for super::Secure {}
    impl Kind for super::Insecure {}
}

/// When a browser sends the cookie along with requests that other sites cause
/// (RFC 6265bis, section 5.6.7).
///
/// `None` is the method [`Cookie::same_site_none`], since it exists only for a
/// secure cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Never.
    Strict,
    /// When the user follows a link here.
    #[default]
    Lax,
}

/// The session cookie's name and attributes.
///
/// | | `Secure` | domain, path | `SameSite=None`, `Partitioned` |
/// |---|---|---|---|
/// | [`Cookie::host`] | always | fixed: this host, `/` | possible |
/// | [`Cookie::secure_prefixed`] | always | chosen | possible |
/// | [`Cookie::unprefixed`] | until [`insecure_for_development`](Cookie::insecure_for_development) | chosen | possible |
/// | the same, insecure | no | chosen | do not compile |
///
/// # Default
///
/// `__Host-id; Path=/; Secure; HttpOnly; SameSite=Lax`.
///
/// # Example
///
/// ```
/// use cloakroom::{Cookie, CookiePath, SameSite, cookie_name};
///
/// let cookie = Cookie::unprefixed(cookie_name!("cart"))
///     .path(CookiePath::new("/shop")?)
///     .same_site(SameSite::Strict);
/// # Ok::<(), cloakroom::cookie::InvalidCookiePath>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cookie<Kind = Host> {
    prefix: &'static str,
    name: CookieName,
    attributes: Attributes,
    kind: PhantomData<Kind>,
}

#[derive(Clone, Debug)]
struct Attributes {
    secure: bool,
    http_only: bool,
    /// Empty where each browser decides.
    same_site: &'static str,
    partitioned: bool,
    domain: Option<CookieDomain>,
    path: CookiePath,
}

impl Cookie<Host> {
    /// A cookie named `__Host-` + `name`: the safest kind, and the default.
    #[must_use]
    pub fn host(name: CookieName) -> Self {
        Self::of_kind("__Host-", name)
    }
}

impl Default for Cookie<Host> {
    fn default() -> Self {
        Self::host(crate::cookie_name!("id"))
    }
}

impl Cookie<SecurePrefixed> {
    /// A cookie named `__Secure-` + `name`, whose domain and path can be chosen.
    #[must_use]
    pub fn secure_prefixed(name: CookieName) -> Self {
        Self::of_kind("__Secure-", name)
    }
}

impl Cookie<Secure> {
    /// A cookie named `name`, without a prefix, whose domain and path can be chosen. It is
    /// `Secure` until [`insecure_for_development`](Self::insecure_for_development) is
    /// called.
    #[must_use]
    pub fn unprefixed(name: CookieName) -> Self {
        Self::of_kind("", name)
    }
}

impl<Kind> Cookie<Kind> {
    fn of_kind(prefix: &'static str, name: CookieName) -> Self {
        Self {
            prefix,
            name,
            attributes: Attributes {
                secure: true,
                http_only: true,
                same_site: "Lax",
                partitioned: false,
                domain: None,
                path: CookiePath::default(),
            },
            kind: PhantomData,
        }
    }

    /// The name in the browser, prefix included.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}{}", self.prefix, self.name.as_str())
    }

    /// When the cookie comes along with requests that other sites cause.
    ///
    /// # Default
    ///
    /// [`SameSite::Lax`].
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.attributes.same_site = match same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
        };
        self
    }

    /// Leaves `SameSite` out, so that each browser decides: today Chrome takes it
    /// for `Lax` with exceptions, Firefox and Safari for `None`. Flask's default.
    /// The application must then defend itself against cross-site request forgery.
    #[must_use]
    pub fn without_same_site(mut self) -> Self {
        self.attributes.same_site = "";
        self
    }

    /// `SameSite=None`: the cookie comes along with every request, from any
    /// site. The application must then defend itself against cross-site request
    /// forgery.
    #[must_use]
    pub fn same_site_none(mut self) -> Self
    where
        Kind: HttpsOnly,
    {
        self.attributes.same_site = "None";
        self
    }

    /// `Partitioned`: an embedded page gets a cookie of its own for each site
    /// that embeds it (CHIPS).
    #[must_use]
    pub fn partitioned(mut self) -> Self
    where
        Kind: HttpsOnly,
    {
        self.attributes.partitioned = true;
        self
    }

    /// Drops `HttpOnly`: scripts in the page can read the cookie, also a script that an
    /// attacker has injected.
    #[must_use]
    pub fn readable_by_scripts(mut self) -> Self {
        self.attributes.http_only = false;
        self
    }

    /// The cookie is also sent to the subdomains of `domain`.
    ///
    /// # Default
    ///
    /// None: only the host that set it gets it back.
    #[must_use]
    pub fn domain(mut self, domain: CookieDomain) -> Self
    where
        Kind: Scoped,
    {
        self.attributes.domain = Some(domain);
        self
    }

    /// The cookie is only sent to paths below `path`.
    ///
    /// # Default
    ///
    /// `/`.
    #[must_use]
    pub fn path(mut self, path: CookiePath) -> Self
    where
        Kind: Scoped,
    {
        self.attributes.path = path;
        self
    }

    /// Drops `Secure`, so that the cookie works over plain HTTP. An eavesdropper can then
    /// read it and sign in with it: for development only.
    ///
    /// Comes last: [`same_site_none`](Self::same_site_none) and
    /// [`partitioned`](Self::partitioned), which need `Secure`, are undone.
    #[doc(alias = "secure")]
    #[must_use]
    pub fn insecure_for_development(self) -> Cookie<Insecure>
    where
        Kind: Unprefixed,
    {
        let mut attributes = self.attributes;
        attributes.secure = false;
        attributes.partitioned = false;
        if attributes.same_site == "None" {
            attributes.same_site = "Lax";
        }
        Cookie { prefix: self.prefix, name: self.name, attributes, kind: PhantomData }
    }

    /// Cannot be called: its bound says what there is instead.
    #[doc(hidden)]
    pub fn secure<F: SecureFlag>(self, _: F) -> F::Cookie {
        F::cookie()
    }

    pub(crate) fn into_parts(self) -> CookieParts {
        let mut suffix = String::new();
        let attributes = self.attributes;
        if let Some(domain) = attributes.domain {
            // Writing into a `String` cannot fail.
            let _ = write!(suffix, "; Domain={domain}");
        }
        let _ = write!(suffix, "; Path={}", attributes.path);
        for (flag, text) in [
            (attributes.secure, "; Secure"),
            (attributes.http_only, "; HttpOnly"),
            (attributes.partitioned, "; Partitioned"),
        ] {
            if flag {
                suffix.push_str(text);
            }
        }
        if !attributes.same_site.is_empty() {
            let _ = write!(suffix, "; SameSite={}", attributes.same_site);
        }
        CookieParts { name: format!("{}{}", self.prefix, self.name.as_str()), suffix }
    }
}

/// A cookie as the finished configuration keeps it: ready to be written.
#[derive(Debug)]
pub(crate) struct CookieParts {
    /// The name in the browser.
    pub(crate) name: String,
    /// The attributes that never change, each with `; ` in front.
    pub(crate) suffix: String,
}
