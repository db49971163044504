//! Any two settings at one store: a session that is used often enough for both ends when
//! its record says so, and neither before nor after.

use std::time::Duration;

use cloakroom::{IdLength, Percent, Renewal, SecretKey, Ttl};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config as Cases, TestCaseResult};

use crate::memory::InMemory;
use crate::programs::{Act, Browser, Ground, Program, Sent};

/// What two instances of a deployment have in different ways.
#[derive(Clone, Copy, Debug)]
struct Settings {
    idle_minutes: u32,
    absolute_minutes: u32,
    renewal: Renewal,
    permanent: bool,
}

impl Settings {
    /// The share of the idle timeout, in percent, that a use leaves at least.
    fn share(self, percent: u8) -> u64 {
        match self.renewal {
            Renewal::WhenBelow(_) => u64::from(percent),
            _ => 100,
        }
    }
}

fn settings() -> impl Strategy<Value = (Settings, u8)> {
    let idle = select(vec![1, 2, 10, 12, 50, 240, 3_000]);
    let absolute = select(vec![30, 200, 1_000, 5_000]);
    let percent = select(vec![1, 20, 50, 80, 99]);
    let is_always = prop::bool::weighted(0.3);
    (idle, absolute, percent, is_always, any::<bool>()).prop_map(
        |(idle_minutes, absolute_minutes, percent, is_always, permanent)| {
            let share = Percent::new(percent).expect("a share");
            let renewal = match is_always {
                true => Renewal::EveryRequest,
                false => Renewal::WhenBelow(share),
            };
            (Settings { idle_minutes, absolute_minutes, renewal, permanent }, percent)
        },
    )
}

/// Two neighbours of a change that takes steps.
#[derive(Clone, Copy, Debug)]
enum Steps {
    Same,
    AcceptsKey,
    SignsWithKey,
    AcceptsSignature,
    Signs,
    AcceptsLength,
    MakesLength,
}

fn steps() -> impl Strategy<Value = Steps> {
    use Steps::{
        AcceptsKey, AcceptsLength, AcceptsSignature, MakesLength, Same, Signs, SignsWithKey,
    };
    select(vec![
        Same,
        AcceptsKey,
        SignsWithKey,
        AcceptsSignature,
        Signs,
        AcceptsLength,
        MakesLength,
    ])
}

fn key(fill: u8) -> SecretKey {
    SecretKey::from_bytes(vec![fill; 32]).expect("long enough")
}

/// The instance of before the step, or after it.
fn program(
    ground: &Ground<InMemory>,
    settings: Settings,
    steps: Steps,
    is_after: bool,
) -> Box<dyn Program> {
    let config = ground
        .config()
        .idle_timeout(Ttl::minutes(settings.idle_minutes))
        .absolute_timeout(Ttl::minutes(settings.absolute_minutes))
        .renewal(settings.renewal)
        .permanent(settings.permanent);
    let longer = IdLength::MAX;
    let end = ground.clock.now() + Duration::from_secs(400 * 86_400);
    match (steps, is_after) {
        (Steps::Same, _) | (Steps::AcceptsLength, false) | (Steps::AcceptsSignature, false) => {
            Box::new(config.build())
        }
        (Steps::AcceptsKey, false) => Box::new(config.signed().secret_key(key(1)).build()),
        (Steps::AcceptsKey, true) | (Steps::SignsWithKey, false) => {
            Box::new(config.signed().secret_key(key(1)).accept_next_key(key(2)).build())
        }
        (Steps::SignsWithKey, true) => {
            Box::new(config.signed().secret_key(key(2)).accept_older_key(key(1)).build())
        }
        (Steps::AcceptsSignature, true) | (Steps::Signs, false) => {
            Box::new(config.signed().secret_key(key(1)).sign_later().build())
        }
        (Steps::Signs, true) => {
            Box::new(config.signed().secret_key(key(1)).accept_unsigned_until(end).build())
        }
        (Steps::AcceptsLength, true) | (Steps::MakesLength, false) => {
            Box::new(config.accept_id_length(longer).build())
        }
        (Steps::MakesLength, true) => {
            Box::new(config.id_length(longer).accept_id_length(IdLength::default()).build())
        }
    }
}

/// One use: after how much of the longest allowed time, at which instance, and what.
type Use = (u16, bool, Act);

fn uses() -> impl Strategy<Value = Vec<Use>> {
    let act = prop_oneof![8 => Just(Act::Look), 2 => Just(Act::Change), 1 => Just(Act::Rotate)];
    vec((1..=1_000u16, any::<bool>(), act), 1..60)
}

/// What came of it: the uses, and the writes and cookies that no act asked for.
#[derive(Debug, Default)]
struct Count {
    looks: usize,
    writes: usize,
    cookies: usize,
}

async fn run(
    settings: [Settings; 2],
    steps: Steps,
    longest_gap: u64,
    begins_after: bool,
    uses: &[Use],
) -> Result<Count, TestCaseError> {
    let ground = Ground::<InMemory>::new().await;
    let programs =
        [false, true].map(|after| program(&ground, settings[usize::from(after)], steps, after));
    let mut browser: Browser = ground.ada_at(&*programs[usize::from(begins_after)]).await;
    ground.writes();
    let absolute = settings[usize::from(begins_after)].absolute_minutes;
    let end = ground.clock.now() + Ttl::minutes(absolute).as_duration();
    let mut count = Count::default();
    for (share, is_after, act) in uses {
        let gap = (longest_gap * u64::from(*share) / 1_000).max(1);
        ground.clock.advance(Duration::from_millis(gap));
        let answer = browser.send(&*programs[usize::from(*is_after)], *act).await;
        prop_assert_eq!(&answer.result, &Ok(()));
        prop_assert_ne!(answer.sent, Sent::Removal);
        let lives = ground.clock.now() < end;
        prop_assert_eq!(answer.user.is_some(), lives, "after {} ms", gap);
        if !lives {
            break;
        }
        let writes = ground.writes();
        if *act == Act::Look {
            count.looks += 1;
            count.writes += writes;
            count.cookies += usize::from(answer.sent == Sent::Cookie);
        }
    }
    Ok(count)
}

fn check(
    both: [(Settings, u8); 2],
    steps: Steps,
    begins_after: bool,
    uses: &[Use],
) -> TestCaseResult {
    let settings = both.map(|(settings, _)| settings);
    let idle = settings.map(|it| u64::from(it.idle_minutes) * 60_000);
    let share = both.map(|(settings, percent)| settings.share(percent));
    let longest_gap = idle[0].min(idle[1]) * share[0].min(share[1]) / 100 - 1;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let pair = run(settings, steps, longest_gap, begins_after, uses).await?;
        // A fresh id that the instance before the step has sent is signed at its next use.
        let rotations = uses.iter().filter(|it| it.2 == Act::Rotate).count();
        prop_assert!(pair.cookies <= rotations + 1, "{:?}", pair);
        let mut alone = 0;
        let absolute_minutes = settings[usize::from(begins_after)].absolute_minutes;
        for settings in settings {
            let settings = [Settings { absolute_minutes, ..settings }; 2];
            let count = run(settings, Steps::Same, longest_gap, begins_after, uses).await?;
            alone += count.writes;
        }
        // As the matrix allows, or twice as often as either of them writes alone.
        let most = (2 * alone).max(pair.looks * 3 / 5) + rotations + 2;
        prop_assert!(pair.writes <= most, "{:?}, alone {}", pair, alone);
        Ok(())
    })
}

proptest! {
    #![proptest_config(Cases { cases: 300, failure_persistence: None, ..Cases::default() })]

    #[test]
    fn a_session_in_use_by_any_two_settings_ends_when_its_record_says_so(
        both in [settings(), settings()],
        steps in steps(),
        begins_after: bool,
        uses in uses(),
    ) {
        check(both, steps, begins_after, &uses)?;
    }
}
