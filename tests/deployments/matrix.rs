//! What two programs with two settings do to one session: a rule for each setting.
//!
//! A rule holds at every store. [`matrix!`] makes a test of each.

use std::time::Duration;

use cloakroom::{
    Cookie, CookiePath, IdLength, KeyPrefix, Percent, Renewal, SameSite, SecretKey, Ttl,
    cookie_name,
};

use super::programs::{
    Act, Acts, Base, Browser, Ground, IDLE, Place, Program, Sent, Setting, Story,
};

/// A test of each rule, at a place.
macro_rules! matrix {
    ($place:ty: $($rule:ident)*) => {
        $(#[tokio::test]
        async fn $rule() {
            $crate::matrix::$rule::<$place>().await;
        })*
    };
    ($place:ty) => {
        $crate::matrix::matrix! { $place:
            a_changed_idle_timeout_ends_no_session_in_use
            an_idle_timeout_that_is_raised_under_a_session_in_use_ends_nothing
            an_idle_timeout_counts_as_it_was_when_the_session_was_renewed
            a_changed_absolute_timeout_counts_for_new_sessions
            every_renewal_beside_every_other_ends_no_session_in_use
            a_session_that_every_request_renewed_outlives_a_change_of_the_renewal
            without_renewals_a_session_ends_an_idle_timeout_after_the_last_one
            a_program_that_renews_ends_no_session_of_one_that_never_does
            a_changed_default_of_permanent_cookies_counts_for_new_sessions
            changed_attributes_of_the_cookie_end_no_session
            a_changed_path_of_the_cookie_ends_no_session_and_leaves_a_dead_cookie
            a_new_key_in_steps_ends_no_session_in_use
            a_new_key_goes_back_in_steps_and_ends_no_session_in_use
            a_new_key_at_one_of_two_instances_is_refused_by_the_other
            two_keys_that_are_each_older_at_the_other_instance_cost_a_write_at_every_request
            signing_in_steps_ends_no_session_in_use
            signing_goes_back_by_two_steps_and_ends_no_session_in_use
            signing_at_one_of_two_instances_is_refused_by_the_other
            another_id_length_in_steps_ends_no_session
            another_id_length_goes_back_in_steps_and_ends_no_session
            another_id_length_at_one_of_two_instances_is_refused_by_the_other
            an_id_of_the_length_before_lives_until_its_length_is_dropped
            another_place_of_the_records_leaves_the_session_and_its_cookie
            a_visitor_who_changes_something_where_the_session_is_not_found_loses_it
            what_began_before_a_time_is_over_at_once_at_every_instance_that_says_so
        }
    };
}
pub(crate) use matrix;

/// How often a session may be written that needs it only now and then.
fn most_writes(story: &Story) -> usize {
    // Two of four requests: one program gives ten minutes every time that more than two
    // have passed, and the other gives its fifty back.
    story.asked + story.uses.saturating_sub(story.asked) * 3 / 5
}

/// A deployment of one program over another, under a session in use, for longer than the
/// longest idle timeout: the first one alone, both in turn, the second one alone.
async fn deploy<P: Place>(
    ground: &Ground<P>,
    browser: &mut Browser,
    [first, second]: [&dyn Program; 2],
    longest_idle: u32,
    acts: Acts,
) -> Vec<Story> {
    let mut stories = Vec::new();
    for (programs, minutes) in [
        ([first, first], 15),
        ([first, second], longest_idle + 15),
        ([second, second], longest_idle + 15),
    ] {
        stories.push(ground.use_in_turn(browser, programs, minutes, acts).await);
    }
    stories
}

/// The session lives on at both, no program takes the cookie away, and none writes at
/// every request because of the other: in both directions.
async fn assert_lives_on<P: Place>(
    what: &str,
    [one, other]: [Setting<P>; 2],
    longest_idle: u32,
    sends_cookies: usize,
) {
    for (first, second) in [(one, other), (other, one)] {
        for acts in Acts::ALL {
            let ground = Ground::<P>::new().await;
            let (first, second) = (ground.program(first), ground.program(second));
            let mut browser = ground.ada_at(&*first).await;
            let programs = [&*first, &*second];
            for story in deploy(&ground, &mut browser, programs, longest_idle, acts).await {
                assert_eq!(story.ended_after, None, "{what}, {acts:?}: {story:?}");
                assert_eq!(story.removals, 0, "{what}, {acts:?}: {story:?}");
                assert!(story.cookies <= sends_cookies, "{what}, {acts:?}: {story:?}");
                assert!(story.writes <= most_writes(&story), "{what}, {acts:?}: {story:?}");
            }
        }
    }
}

/// Deployments one after the other, under a session in use.
async fn assert_lives_through<P: Place>(what: &str, steps: &[Setting<P>], sends_cookies: usize) {
    for acts in Acts::ALL {
        let ground = Ground::<P>::new().await;
        let programs: Vec<_> = steps.iter().map(|setting| ground.program(*setting)).collect();
        let mut browser = ground.ada_at(&*programs[0]).await;
        let mut cookies = 0;
        for (step, pair) in programs.windows(2).enumerate() {
            let [first, second] = pair else { panic!("two of them") };
            let pair = [&**first, &**second];
            for story in deploy(&ground, &mut browser, pair, IDLE, acts).await {
                let story = (what, step, acts, story);
                assert_eq!(story.3.ended_after, None, "{story:?}");
                assert_eq!(story.3.removals, 0, "{story:?}");
                assert!(story.3.writes <= most_writes(&story.3), "{story:?}");
                cookies += story.3.cookies;
            }
        }
        assert!(cookies <= sends_cookies, "{what}, {acts:?}: {cookies} cookies");
    }
}

/// The second program does not find what the first one made, and leaves it alone.
async fn assert_is_refused<P: Place>(what: &str, [first, second]: [Setting<P>; 2]) {
    let ground = Ground::<P>::new().await;
    let (first, second) = (ground.program(first), ground.program(second));
    let mut browser = ground.ada_at(&*first).await;
    for _ in 0..3 {
        ground.pass(1).await;
        let answer = browser.send(&*second, Act::Look).await;
        assert_eq!((answer.user, answer.sent), (None, Sent::Nothing), "{what}");
        assert!(!answer.is_unreadable, "{what}");
        ground.pass(1).await;
        let answer = browser.send(&*first, Act::Change).await;
        assert_eq!(answer.user.as_deref(), Some("ada"), "{what}");
    }
}

fn idle<P: Place>(config: Base<P>, minutes: u32) -> Base<P> {
    config.idle_timeout(Ttl::minutes(minutes))
}

macro_rules! settings {
    ($($setting:expr),* $(,)?) => { [$(|config| Box::new($setting(config).build())),*] };
}

pub(crate) async fn a_changed_idle_timeout_ends_no_session_in_use<P: Place>() {
    // Raised, and on the way back lowered, to 1.2, 5 and 24 times.
    let pairs: [([Setting<P>; 2], u32); 6] = [
        (settings!(|c| idle::<P>(c, 10), |c| idle::<P>(c, 12)), 12),
        (settings!(|c| idle::<P>(c, 10), |c| idle::<P>(c, 50)), 50),
        (settings!(|c| idle::<P>(c, 10), |c| idle::<P>(c, 240)), 240),
        (settings!(|c| at_every_request::<P>(c, 10), |c| at_every_request::<P>(c, 12)), 12),
        (settings!(|c| at_every_request::<P>(c, 10), |c| at_every_request::<P>(c, 50)), 50),
        (settings!(|c| at_every_request::<P>(c, 10), |c| at_every_request::<P>(c, 240)), 240),
    ];
    for (pair, longest) in pairs {
        assert_lives_on::<P>(&format!("10 and {longest} minutes"), pair, longest, 0).await;
    }
}

fn at_every_request<P: Place>(config: Base<P>, minutes: u32) -> Base<P> {
    idle::<P>(config, minutes).renewal(Renewal::EveryRequest)
}

pub(crate) async fn an_idle_timeout_that_is_raised_under_a_session_in_use_ends_nothing<P: Place>() {
    let [before, after]: [Setting<P>; 2] = settings!(|c| idle::<P>(c, 60), |c| idle::<P>(c, 480));
    for acts in Acts::ALL {
        let ground = Ground::<P>::new().await;
        let (before, after) = (ground.program(before), ground.program(after));
        let mut browser = ground.ada_at(&*before).await;
        for (program, minutes) in [(&before, 30), (&after, 500)] {
            let pair = [&**program, &**program];
            let story = ground.use_in_turn(&mut browser, pair, minutes, acts).await;
            assert_eq!((story.ended_after, story.removals), (None, 0), "{story:?}");
        }
    }
}

/// What the record says counts, until a renewal.
pub(crate) async fn an_idle_timeout_counts_as_it_was_when_the_session_was_renewed<P: Place>() {
    let pair: [Setting<P>; 2] = settings!(|c| idle::<P>(c, 10), |c| idle::<P>(c, 50));
    for (made_by, used_by, minutes) in [(0, 1, 10), (1, 0, 50)] {
        for (passed, lives) in [(minutes - 1, true), (minutes + 1, false)] {
            let ground = Ground::<P>::new().await;
            let programs = pair.map(|setting| ground.program(setting));
            let mut browser = ground.ada_at(&*programs[made_by]).await;
            ground.pass(passed).await;
            let answer = browser.send(&*programs[used_by], Act::Look).await;
            assert_eq!(answer.user.is_some(), lives, "{passed} of {minutes} minutes");
            assert_ne!(answer.sent, Sent::Removal);
        }
    }
}

pub(crate) async fn a_changed_absolute_timeout_counts_for_new_sessions<P: Place>() {
    fn absolute<P: Place>(config: Base<P>, minutes: u32) -> Base<P> {
        config.absolute_timeout(Ttl::minutes(minutes))
    }
    let [short, long]: [Setting<P>; 2] =
        settings!(|c| absolute::<P>(c, 40), |c| absolute::<P>(c, 90));
    for (first, second, minutes) in [(short, long, 40), (long, short, 90)] {
        for acts in Acts::ALL {
            let ground = Ground::<P>::new().await;
            let (first, second) = (ground.program(first), ground.program(second));
            let mut browser = ground.ada_at(&*first).await;
            let story = ground.use_in_turn(&mut browser, [&*first, &*second], 200, acts).await;
            assert_eq!(story.ended_after, Some(minutes), "{acts:?}: {story:?}");
            assert_eq!((story.cookies, story.removals), (0, 0), "{acts:?}: {story:?}");
            assert!(story.writes <= most_writes(&story), "{acts:?}: {story:?}");
        }
    }
}

fn renewal<P: Place>(config: Base<P>, renewal: Renewal) -> Base<P> {
    config.renewal(renewal)
}

fn below(percent: u8) -> Renewal {
    Renewal::WhenBelow(Percent::new(percent).expect("a share"))
}

pub(crate) async fn every_renewal_beside_every_other_ends_no_session_in_use<P: Place>() {
    let all: [Setting<P>; 6] = settings!(
        |c| renewal::<P>(c, Renewal::default()),
        |c| renewal::<P>(c, below(20)),
        |c| renewal::<P>(c, Renewal::EveryRequest),
        |c| renewal::<P>(idle::<P>(c, 30), Renewal::default()),
        |c| renewal::<P>(idle::<P>(c, 30), below(20)),
        |c| renewal::<P>(idle::<P>(c, 30), Renewal::EveryRequest),
    );
    for (at, one) in all.iter().enumerate() {
        for (other_at, other) in all.iter().enumerate().skip(at + 1) {
            let what = format!("renewals {at} and {other_at}");
            assert_lives_on::<P>(&what, [*one, *other], 30, 0).await;
        }
    }
}

/// Two hours, used hourly.
pub(crate) async fn a_session_that_every_request_renewed_outlives_a_change_of_the_renewal<
    P: Place,
>() {
    let pair: [Setting<P>; 2] = settings!(|c| at_every_request::<P>(c, 120), |c| renewal::<P>(
        idle::<P>(c, 120),
        Renewal::default()
    ),);
    for [first, second] in [[0, 1], [1, 0]] {
        let ground = Ground::<P>::new().await;
        let programs = pair.map(|setting| ground.program(setting));
        let mut browser = ground.ada_at(&*programs[first]).await;
        for at in [first, first, first, second, second, first, second, second] {
            ground.pass(60).await;
            let answer = browser.send(&*programs[at], Act::Look).await;
            assert_eq!((answer.user.as_deref(), answer.sent), (Some("ada"), Sent::Nothing));
        }
    }
}

/// `Never` asks for it: no order of steps avoids that.
pub(crate) async fn without_renewals_a_session_ends_an_idle_timeout_after_the_last_one<P: Place>() {
    let [renewing, never]: [Setting<P>; 2] =
        settings!(|c| renewal::<P>(c, Renewal::default()), |c| renewal::<P>(c, Renewal::Never),);
    for acts in Acts::ALL {
        let ground = Ground::<P>::new().await;
        let (renewing, never) = (ground.program(renewing), ground.program(never));
        let mut browser = ground.ada_at(&*renewing).await;
        let pair = [&*renewing, &*never];
        let story = ground.use_in_turn(&mut browser, pair, 3 * IDLE, acts).await;
        assert_eq!(story.ended_after, None, "{acts:?}: one program renews it: {story:?}");
        assert!(story.writes <= most_writes(&story), "{acts:?}: {story:?}");
        let story = ground.use_in_turn(&mut browser, [&*never, &*never], 3 * IDLE, acts).await;
        let ended = story.ended_after.expect("no program renews it");
        // The last renewal left at least the share of 80 % that makes one due.
        assert!((IDLE * 8 / 10 - 1..=IDLE).contains(&ended), "{acts:?}: {story:?}");
        assert_eq!((story.cookies, story.removals), (0, 0), "{acts:?}: {story:?}");
    }
}

pub(crate) async fn a_program_that_renews_ends_no_session_of_one_that_never_does<P: Place>() {
    let [never, below, always]: [Setting<P>; 3] = settings!(
        |c| renewal::<P>(c, Renewal::Never),
        |c| renewal::<P>(c, Renewal::default()),
        |c| renewal::<P>(c, Renewal::EveryRequest),
    );
    for (renewing, acts) in [below, always].into_iter().flat_map(|it| Acts::ALL.map(|a| (it, a))) {
        let ground = Ground::<P>::new().await;
        let (never, renewing) = (ground.program(never), ground.program(renewing));
        let mut browser = ground.ada_at(&*never).await;
        for programs in [[&*never, &*renewing], [&*renewing, &*renewing]] {
            let story = ground.use_in_turn(&mut browser, programs, 3 * IDLE, acts).await;
            assert_eq!((story.ended_after, story.removals), (None, 0), "{acts:?}: {story:?}");
            assert!(story.writes <= most_writes(&story), "{acts:?}: {story:?}");
        }
    }
}

pub(crate) async fn a_changed_default_of_permanent_cookies_counts_for_new_sessions<P: Place>() {
    let pair: [Setting<P>; 2] =
        settings!(|c: Base<P>| c.permanent(true), |c: Base<P>| c.permanent(false));
    assert_lives_on::<P>("permanent or not", pair, IDLE, 0).await;
}

pub(crate) async fn changed_attributes_of_the_cookie_end_no_session<P: Place>() {
    fn name() -> Cookie {
        Cookie::host(cookie_name!("id"))
    }
    let all: [Setting<P>; 4] = settings!(
        |c: Base<P>| c,
        |c: Base<P>| c.cookie(name().same_site(SameSite::Strict)),
        |c: Base<P>| c.cookie(name().same_site_none().partitioned()),
        |c: Base<P>| c.cookie(name().readable_by_scripts()),
    );
    for other in &all[1..] {
        assert_lives_on::<P>("attributes", [all[0], *other], IDLE, 0).await;
    }
}

/// The browser tells cookies apart by their path and domain. The one that a program does
/// not replace leads nowhere, and hides no session.
pub(crate) async fn a_changed_path_of_the_cookie_ends_no_session_and_leaves_a_dead_cookie<
    P: Place,
>() {
    fn at<P: Place>(config: Base<P>, path: &str) -> Base<P> {
        let path = CookiePath::new(path.to_owned()).expect("a path");
        config.cookie(Cookie::secure_prefixed(cookie_name!("id")).path(path))
    }
    let pair: [Setting<P>; 2] = settings!(|c| at::<P>(c, "/"), |c| at::<P>(c, "/app"));
    assert_lives_on::<P>("the path", pair, IDLE, 0).await;

    for [first, second] in [[0, 1], [1, 0]] {
        let ground = Ground::<P>::new().await;
        let programs = pair.map(|setting| ground.program(setting));
        let mut browser = ground.ada_at(&*programs[first]).await;
        browser.send(&*programs[second], Act::Rotate).await;
        assert_eq!(browser.len(), 2);
        let answer = browser.send(&*programs[second], Act::Destroy).await;
        assert_eq!((answer.user.as_deref(), answer.sent), (Some("ada"), Sent::Removal));
        assert_eq!(browser.len(), 1, "the other path's stays");
        for program in &programs {
            assert_eq!(browser.send(&**program, Act::Look).await.user, None);
        }
    }
}

fn key(fill: u8) -> SecretKey {
    SecretKey::from_bytes(vec![fill; 32]).expect("long enough")
}

/// The key that signs, another one that is going to, and those that did.
fn keys<P: Place>(config: Base<P>, signs: u8, next: Option<u8>, older: &[u8]) -> Box<dyn Program> {
    let mut config = config.signed().secret_key(key(signs));
    if let Some(next) = next {
        config = config.accept_next_key(key(next));
    }
    for older in older {
        config = config.accept_older_key(key(*older));
    }
    Box::new(config.build())
}

pub(crate) async fn a_new_key_in_steps_ends_no_session_in_use<P: Place>() {
    let steps: [Setting<P>; 4] = [
        |config| keys::<P>(config, 1, None, &[]),
        |config| keys::<P>(config, 1, Some(2), &[]),
        |config| keys::<P>(config, 2, None, &[1]),
        |config| keys::<P>(config, 2, None, &[]),
    ];
    // One as the new key is met, and one for each fresh id that an instance of the step
    // before has sent.
    assert_lives_through::<P>("a new key", &steps, 6).await;
}

/// To the first step at once. From there the way back is another change of the key.
pub(crate) async fn a_new_key_goes_back_in_steps_and_ends_no_session_in_use<P: Place>() {
    let steps: [Setting<P>; 5] = [
        |config| keys::<P>(config, 2, None, &[]),
        |config| keys::<P>(config, 2, None, &[1]),
        |config| keys::<P>(config, 1, Some(2), &[]),
        |config| keys::<P>(config, 1, None, &[2]),
        |config| keys::<P>(config, 1, None, &[]),
    ];
    assert_lives_through::<P>("back to the key before", &steps, 6).await;
}

pub(crate) async fn a_new_key_at_one_of_two_instances_is_refused_by_the_other<P: Place>() {
    assert_is_refused::<P>(
        "a new key",
        [|config| keys::<P>(config, 2, None, &[1]), |config| keys::<P>(config, 1, None, &[])],
    )
    .await;
}

/// Why the first step is `accept_next_key`.
pub(crate) async fn two_keys_that_are_each_older_at_the_other_instance_cost_a_write_at_every_request<
    P: Place,
>() {
    let pair: [Setting<P>; 2] =
        [|config| keys::<P>(config, 1, None, &[2]), |config| keys::<P>(config, 2, None, &[1])];
    let ground = Ground::<P>::new().await;
    let programs = pair.map(|setting| ground.program(setting));
    let mut browser = ground.ada_at(&*programs[0]).await;
    let pair = [&*programs[0], &*programs[1]];
    let story = ground.use_in_turn(&mut browser, pair, 20, Acts::Looks).await;
    assert_eq!((story.ended_after, story.writes, story.cookies), (None, 20, 20), "{story:?}");
}

/// From unsigned to signed, in three steps.
fn signing_steps<P: Place>() -> [Setting<P>; 4] {
    [
        |config| Box::new(config.unsigned().build()),
        |config| Box::new(config.signed().secret_key(key(1)).sign_later().build()),
        |config| {
            // Later than any test ends.
            let config = config.signed().secret_key(key(1));
            let time = std::time::SystemTime::now() + Duration::from_secs(86_400);
            Box::new(config.accept_unsigned_until(time).build())
        },
        |config| Box::new(config.signed().secret_key(key(1)).build()),
    ]
}

pub(crate) async fn signing_in_steps_ends_no_session_in_use<P: Place>() {
    assert_lives_through::<P>("signing", &signing_steps::<P>(), 6).await;
}

pub(crate) async fn signing_goes_back_by_two_steps_and_ends_no_session_in_use<P: Place>() {
    let [_, accepting, signing, signed] = signing_steps::<P>();
    assert_lives_through::<P>("back from signing", &[signed, signing, accepting], 6).await;
}

pub(crate) async fn signing_at_one_of_two_instances_is_refused_by_the_other<P: Place>() {
    let [unsigned, accepting, signing, signed] = signing_steps::<P>();
    assert_is_refused::<P>("a signed cookie", [signed, unsigned]).await;
    assert_is_refused::<P>("a signed cookie", [signing, unsigned]).await;
    assert_is_refused::<P>("an unsigned cookie", [unsigned, signed]).await;
    assert_is_refused::<P>("an unsigned cookie", [accepting, signed]).await;
}

fn length(bytes: usize) -> IdLength {
    IdLength::new(bytes).expect("a length")
}

/// From 16 to 32 bytes, in three steps.
fn length_steps<P: Place>() -> [Setting<P>; 4] {
    settings!(
        |c: Base<P>| c.id_length(length(16)),
        |c: Base<P>| c.id_length(length(16)).accept_id_length(length(32)),
        |c: Base<P>| c.id_length(length(32)).accept_id_length(length(16)),
        |c: Base<P>| c.id_length(length(32)),
    )
}

pub(crate) async fn another_id_length_in_steps_ends_no_session<P: Place>() {
    let [short, both, longer, long] = length_steps::<P>();
    assert_lives_through::<P>("a longer id", &[short, both, longer], 0).await;
    assert_signs_in_between::<P>([longer, long]).await;
}

pub(crate) async fn another_id_length_goes_back_in_steps_and_ends_no_session<P: Place>() {
    let [short, both, longer, long] = length_steps::<P>();
    assert_lives_through::<P>("a shorter id", &[long, longer, both], 0).await;
    assert_signs_in_between::<P>([both, short]).await;
}

/// The last step finds the sessions that were made by the step before.
async fn assert_signs_in_between<P: Place>(pair: [Setting<P>; 2]) {
    let ground = Ground::<P>::new().await;
    let programs = pair.map(|setting| ground.program(setting));
    let mut browser = ground.ada_at(&*programs[0]).await;
    let programs = [&*programs[0], &*programs[1]];
    let story = deploy(&ground, &mut browser, programs, IDLE, Acts::Rotates).await;
    assert!(story.iter().all(|story| story.ended_after.is_none()), "{story:?}");
}

pub(crate) async fn another_id_length_at_one_of_two_instances_is_refused_by_the_other<P: Place>() {
    let [short, _, longer, long] = length_steps::<P>();
    assert_is_refused::<P>("a longer id", [long, short]).await;
    assert_is_refused::<P>("a longer id", [longer, short]).await;
    assert_is_refused::<P>("a shorter id", [short, long]).await;
}

pub(crate) async fn an_id_of_the_length_before_lives_until_its_length_is_dropped<P: Place>() {
    let [short, _, longer, long] = length_steps::<P>();
    let ground = Ground::<P>::new().await;
    let (short, longer, long) =
        (ground.program(short), ground.program(longer), ground.program(long));
    let mut browser = ground.ada_at(&*short).await;
    let pair = [&*longer, &*longer];
    let story = ground.use_in_turn(&mut browser, pair, 3 * IDLE, Acts::Changes).await;
    assert_eq!((story.ended_after, story.cookies), (None, 0), "no use makes an id longer");
    assert_eq!(browser.value().len(), 22);
    assert_eq!(browser.send(&*long, Act::Look).await.user, None);
    browser.send(&*longer, Act::Rotate).await;
    assert_eq!(browser.value().len(), 43);
    assert_eq!(browser.send(&*long, Act::Look).await.user.as_deref(), Some("ada"));
}

fn elsewhere<P: Place>() -> [Setting<P>; 4] {
    settings!(
        |c: Base<P>| c,
        |c: Base<P>| c.plain_ids_in_store(),
        |c: Base<P>| c.key_prefix(KeyPrefix::new("deployment-elsewhere:").expect("a prefix")),
        |c: Base<P>| c.cookie(Cookie::host(cookie_name!("other"))),
    )
}

/// Hashed or plain ids, the prefix, the cookie's name. Two configurations side by side
/// avoid it; `moving.rs` plays that.
pub(crate) async fn another_place_of_the_records_leaves_the_session_and_its_cookie<P: Place>() {
    let [here, elsewhere @ ..] = elsewhere::<P>();
    for elsewhere in elsewhere {
        assert_is_refused::<P>("elsewhere", [here, elsewhere]).await;
        assert_is_refused::<P>("elsewhere", [elsewhere, here]).await;
    }
}

/// The new cookie takes the place of the old one, unless it has another name.
pub(crate) async fn a_visitor_who_changes_something_where_the_session_is_not_found_loses_it<
    P: Place,
>() {
    let [here, plain, prefix, name] = elsewhere::<P>();
    for (elsewhere, lives) in [(plain, false), (prefix, false), (name, true)] {
        let ground = Ground::<P>::new().await;
        let (here, elsewhere) = (ground.program(here), ground.program(elsewhere));
        let mut browser = ground.ada_at(&*here).await;
        let answer = browser.send(&*elsewhere, Act::Change).await;
        assert_eq!((answer.user, answer.sent), (None, Sent::Cookie));
        assert_eq!(browser.send(&*here, Act::Look).await.user.is_some(), lives);
    }
}

/// What begins later lives, whatever the other settings.
pub(crate) async fn what_began_before_a_time_is_over_at_once_at_every_instance_that_says_so<
    P: Place,
>() {
    let ground = Ground::<P>::new().await;
    let before = ground.program(|config| Box::new(config.build()));
    let mut ada = ground.ada_at(&*before).await;
    let mut signs_in_again = ada.clone();
    ground.pass(1).await;
    let incident = ground.clock.now();
    let one = ground.config().not_before(incident).build();
    let other = idle::<P>(ground.config(), 5 * IDLE).renewal(Renewal::EveryRequest);
    let other = other.not_before(incident).build();
    for program in [&one as &dyn Program, &other, &one, &other] {
        ground.pass(1).await;
        let answer = ada.send(program, Act::Look).await;
        assert_eq!((answer.user, answer.sent), (None, Sent::Nothing));
    }
    // An instance without the setting knows of no incident.
    assert_eq!(ada.send(&*before, Act::Look).await.user.as_deref(), Some("ada"));

    let answer = signs_in_again.send(&one, Act::SignIn("ada")).await;
    assert_eq!((answer.result, answer.sent), (Ok(()), Sent::Cookie));
    let story = ground.use_in_turn(&mut signs_in_again, [&one, &other], 70, Acts::Changes).await;
    assert_eq!((story.ended_after, story.removals), (None, 0), "{story:?}");
}
