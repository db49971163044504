//! What the record says of its end counts, not what this program's settings say.

use cloakroom::{Percent, Renewal, Ttl};
use http::{HeaderMap, StatusCode};

use crate::site::{Sent, Site, SiteConfig, request};

const DAYS: u32 = 1;

fn times(idle: Ttl, absolute: Ttl) -> impl FnOnce(SiteConfig) -> SiteConfig {
    move |config| config.idle_timeout(idle).absolute_timeout(absolute)
}

async fn lives(site: &Site, cookies: &HeaderMap) -> bool {
    site.account(cookies).await.is_some()
}

#[tokio::test]
async fn a_session_keeps_the_idle_lifetime_that_it_was_given() {
    let long = Site::configured(times(Ttl::hours(8), Ttl::days(10)));
    let short = long.beside(times(Ttl::minutes(10), Ttl::days(10)));
    let ada = long.ada().await;
    long.advance(Ttl::hours(7));
    assert!(lives(&short, &ada).await, "eight hours were promised");

    let ada = short.ada().await;
    long.advance(Ttl::minutes(10));
    assert!(!lives(&long, &ada).await, "ten minutes were promised");
}

#[tokio::test]
async fn a_session_keeps_the_absolute_end_that_it_was_given() {
    for first_is_long in [false, true] {
        let [long, short] = [Ttl::days(20), Ttl::days(10)];
        let (first, then) = if first_is_long { (long, short) } else { (short, long) };
        let made = Site::configured(times(Ttl::days(7), first));
        let changed = made.beside(times(Ttl::days(7), then));
        let ada = made.ada().await;
        let mut days = 0;
        while lives(&changed, &ada).await {
            // It is renewed on the way.
            assert_eq!(request(&changed, &ada, |_| ()).await.status, StatusCode::OK);
            changed.advance(Ttl::days(1));
            days += 1;
            assert!(days < 100, "it never ends");
        }
        assert_eq!(days, if first_is_long { 20 } else { 10 });
    }
}

#[tokio::test]
async fn a_rotation_keeps_the_absolute_end_and_a_sign_in_moves_it() {
    for signs_in in [false, true] {
        let site = Site::configured(times(Ttl::hours(20), Ttl::days(1)));
        let mut ada = site.ada().await;
        site.advance(Ttl::hours(18));
        let answer = request(&site, &ada, |session| match signs_in {
            true => session.sign_in(),
            false => session.rotate(),
        });
        ada = answer.await.cookies();
        site.advance_millis(6 * 3_600_000 - 1);
        assert!(lives(&site, &ada).await);
        site.advance_millis(1);
        assert_eq!(lives(&site, &ada).await, signs_in);
    }
}

/// A change of the data writes the record, and says nothing about its lifetimes.
#[tokio::test]
async fn a_change_by_a_program_with_a_shorter_lifetime_takes_nothing_away() {
    for renewal in [Renewal::Never, Renewal::default()] {
        let long = Site::configured(times(Ttl::hours(8), Ttl::days(10)));
        let short =
            long.beside(|config| times(Ttl::hours(7), Ttl::days(1))(config).renewal(renewal));
        let ada = long.ada().await;
        long.advance(Ttl::minutes(5));
        request(&short, &ada, |session| session.n = 5).await.assert(StatusCode::OK, Sent::Nothing);
        // Eight hours after the session was made.
        long.advance_millis(((8 * 60 - 5) * 60_000) - 1);
        assert!(lives(&long, &ada).await, "{renewal:?}");
    }
}

/// A load that extends by ten minutes leaves the eight hours that are there.
#[tokio::test]
async fn a_read_by_a_program_with_a_shorter_lifetime_takes_nothing_away() {
    let settings = |idle| {
        move |config: SiteConfig| times(idle, Ttl::days(10))(config).renewal(Renewal::EveryRequest)
    };
    let long = Site::configured(settings(Ttl::hours(8)));
    let short = long.beside(settings(Ttl::minutes(10)));
    let ada = long.ada().await;
    for _ in 0..5 {
        assert!(lives(&long, &ada).await);
        long.advance(Ttl::minutes(1));
        assert!(lives(&short, &ada).await);
        long.advance(Ttl::hours(7));
    }
    assert!(lives(&long, &ada).await);
}

#[tokio::test]
async fn a_program_that_never_renews_ends_no_session_that_another_renews_at_every_request() {
    let renewing = Site::configured(|config| config.renewal(Renewal::EveryRequest));
    let reading = renewing.beside(|config| config.renewal(Renewal::Never));
    let ada = renewing.ada().await;
    for _ in 0..20 {
        renewing.advance(Ttl::minutes(61));
        assert!(lives(&renewing, &ada).await);
        assert!(lives(&reading, &ada).await);
    }
}

#[tokio::test]
async fn sessions_made_before_a_time_are_over_at_once() {
    let site = Site::configured(times(Ttl::hours(8), Ttl::days(10)));
    let before = site.ada().await;
    let mut signed_in_later = site.ada().await;
    let mut rotated_later = site.ada().await;
    site.advance(Ttl::hours(1));
    let incident = site.clock.now();
    let after = site.ada().await;
    site.advance(Ttl::minutes(1));
    let answer = request(&site, &signed_in_later, |session| session.sign_in()).await;
    signed_in_later = answer.cookies();
    let answer = request(&site, &rotated_later, |session| session.rotate()).await;
    rotated_later = answer.cookies();

    let strict =
        site.beside(|config| times(Ttl::hours(8), Ttl::days(10))(config).not_before(incident));
    assert!(!lives(&strict, &before).await);
    assert!(!lives(&strict, &rotated_later).await, "a rotation makes no session younger");
    assert!(lives(&strict, &after).await, "it was made at that time, not before");
    assert!(lives(&strict, &signed_in_later).await);
    assert!(lives(&strict, &strict.ada().await).await, "and a user who signs in again is");

    let answer = request(&strict, &before, |_| ()).await;
    answer.assert(StatusCode::OK, Sent::Nothing);
}

#[tokio::test]
async fn a_session_made_before_the_time_is_signed_out_by_its_owner_all_the_same() {
    let site = Site::new();
    let ada = site.ada().await;
    site.advance(Ttl::minutes(1));
    let strict = site.beside(|config| config.not_before(site.clock.now()));
    let answer = request(&strict, &ada, |session| session.destroy()).await;
    answer.assert(StatusCode::OK, Sent::Removal);
    assert!(!lives(&site, &ada).await);
}

/// The idle lifetimes of two programs on one store.
const IDLE: [(Ttl, Ttl); 4] = [
    (Ttl::minutes(60), Ttl::hours(8)),
    (Ttl::hours(8), Ttl::minutes(60)),
    (Ttl::hours(2), Ttl::minutes(144)),
    (Ttl::minutes(10), Ttl::minutes(50)),
];

fn renewals() -> [Renewal; 3] {
    [Renewal::default(), Renewal::EveryRequest, Renewal::Never]
}

/// What came of a session that two programs used in turn.
struct Simulated {
    /// How many minutes it lived.
    minutes: u64,
    /// How often it was used, changed, and written.
    uses: usize,
    changes: usize,
    writes: usize,
    /// The minute at which the record would have ended without the last use.
    stated: Option<u64>,
}

/// Uses a session every `step` minutes, by the two programs in turn, and changes it at
/// every use whose number `changes` divides.
async fn simulate(
    idle: (Ttl, Ttl),
    renewal: (Renewal, Renewal),
    step: u64,
    changes: Option<usize>,
) -> Simulated {
    let settings = |idle, renewal| {
        move |config: SiteConfig| times(idle, Ttl::days(DAYS))(config).renewal(renewal)
    };
    let first = Site::configured(settings(idle.0, renewal.0));
    let second = first.beside(settings(idle.1, renewal.1));
    let start = first.clock.now();
    let cookies = first.ada().await;
    let stated = async |site: &Site| {
        let end = site.open(&cookies).await.expires_at()?;
        Some(end.duration_since(start).expect("later").as_secs() / 60)
    };
    let mut simulated =
        Simulated { minutes: 0, uses: 0, changes: 0, writes: 0, stated: stated(&first).await };
    loop {
        first.clock.advance(Ttl::minutes(1).as_duration() * u32::try_from(step).expect("few"));
        simulated.minutes += step;
        let site = if simulated.uses.is_multiple_of(2) { &second } else { &first };
        simulated.uses += 1;
        let is_change = changes.is_some_and(|every| simulated.uses.is_multiple_of(every));
        first.calls();
        let mut session = site.open(&cookies).await;
        if session.is_new() {
            return simulated;
        }
        simulated.stated = stated(site).await;
        if is_change {
            session.n += 1;
            simulated.changes += 1;
        }
        first.calls();
        crate::site::close(session).await;
        simulated.writes += first.writes();
    }
}

/// Every pair of `Renewal`, every pair of idle lifetimes, with and without changes.
async fn for_all_pairs(
    step: impl Fn((Ttl, Ttl)) -> u64,
    check: impl Fn((Renewal, Renewal), (Ttl, Ttl), Simulated, String),
) {
    for one in renewals() {
        for other in renewals() {
            for idle in IDLE {
                for changes in [None, Some(1), Some(7), Some(10)] {
                    let simulated = simulate(idle, (one, other), step(idle), changes).await;
                    let Simulated { minutes, uses, changes: changed, writes, .. } = simulated;
                    let story = format!(
                        "{one:?} and {other:?}, {} and {} minutes, changes {changes:?}: {minutes} \
                         minutes, {uses} uses, {changed} changes, {writes} writes",
                        idle.0.as_millis() / 60_000,
                        idle.1.as_millis() / 60_000,
                    );
                    check((one, other), idle, simulated, story);
                }
            }
        }
    }
}

const ABSOLUTE_END: u64 = DAYS as u64 * 24 * 60;

#[tokio::test]
async fn no_session_in_use_ends_early_whatever_the_settings_of_two_programs() {
    let mut early = Vec::new();
    let early_ones = std::cell::RefCell::new(&mut early);
    for_all_pairs(
        |_| 1,
        |(one, other), idle, simulated, story| {
            let expected = match (one, other) {
                // Nothing renews it: it ends when its record says so.
                (Renewal::Never, Renewal::Never) => idle.0.as_millis() / 60_000,
                _ => ABSOLUTE_END,
            };
            let has_never = [one, other].contains(&Renewal::Never);
            let is_as_stated = has_never && simulated.stated == Some(simulated.minutes);
            if simulated.minutes != expected && !is_as_stated {
                early_ones.borrow_mut().push(story);
            }
        },
    )
    .await;
    assert!(early.is_empty(), "{} of 144:\n{}", early.len(), early.join("\n"));
}

/// Used just often enough for the shorter of the two idle lifetimes.
#[tokio::test]
async fn no_session_that_is_used_seldom_ends_early() {
    let mut early = Vec::new();
    let early_ones = std::cell::RefCell::new(&mut early);
    let three_quarters =
        |(one, other): (Ttl, Ttl)| one.as_millis().min(other.as_millis()) / 60_000 * 3 / 4;
    for_all_pairs(three_quarters, |(one, other), idle, simulated, story| {
        if ![one, other].contains(&Renewal::Never) {
            let last_use = ABSOLUTE_END.div_ceil(three_quarters(idle)) * three_quarters(idle);
            if simulated.minutes != last_use {
                early_ones.borrow_mut().push(story);
            }
        }
    })
    .await;
    assert!(early.is_empty(), "{} of 64:\n{}", early.len(), early.join("\n"));
}

#[tokio::test]
async fn no_program_writes_at_every_request_whatever_the_settings_of_another() {
    let mut busy = Vec::new();
    let busy_ones = std::cell::RefCell::new(&mut busy);
    for_all_pairs(
        |_| 1,
        |_, _, simulated, story| {
            // Two of four requests: one program gives ten minutes every time that more than
            // two have passed, and the other gives its fifty back.
            let most = simulated.changes + (simulated.uses - simulated.changes) * 3 / 5;
            if simulated.writes > most {
                busy_ones.borrow_mut().push(story);
            }
        },
    )
    .await;
    assert!(busy.is_empty(), "{} of 144:\n{}", busy.len(), busy.join("\n"));
}

#[tokio::test]
async fn the_share_that_makes_a_renewal_due_is_taken_of_the_shorter_lifetime() {
    let half = Renewal::WhenBelow(Percent::new(50).expect("a share"));
    for (stored, ours, due_after) in [(60, 480, 30), (480, 60, 30)] {
        let made = Site::configured(times(Ttl::minutes(stored), Ttl::days(10)));
        let site =
            made.beside(|config| times(Ttl::minutes(ours), Ttl::days(10))(config).renewal(half));
        let ada = made.ada().await;
        site.advance(Ttl::minutes(due_after));
        request(&site, &ada, |_| ()).await;
        assert_eq!(site.writes(), 0, "{stored} and {ours}");
        site.advance_millis(1);
        request(&site, &ada, |_| ()).await;
        assert_eq!(site.writes(), 1, "{stored} and {ours}");
    }
}
