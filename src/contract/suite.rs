//! The list of the rules, as tests.

/// Makes a `#[test]` of every rule of the [contract](crate::contract).
///
/// Takes an expression that makes a [`Harness`](crate::contract::Harness), which
/// may await. It is evaluated once for each test.
///
/// A minor release may add rules, which then run as well: a store that breaks one had
/// the fault before. So a test run may fail after an update, and a build does not.
///
/// # Example
///
/// ```
/// # use cloakroom::contract::{Harness, Time};
/// # struct MyHarness { store: cloakroom::Memory }
/// # impl MyHarness { async fn connect() -> Self { Self { store: cloakroom::Memory::new() } } }
/// # impl Harness for MyHarness {
/// #     type Store = cloakroom::Memory;
/// #     fn store(&self) -> &Self::Store { &self.store }
/// #     fn second(&self) -> &Self::Store { &self.store }
/// #     fn time(&self) -> Time { Time::ByHand }
/// #     async fn pass(&self, _: std::time::Duration) {}
/// # }
/// cloakroom::store_contract!(MyHarness::connect().await);
/// ```
#[macro_export]
macro_rules! store_contract {
    ($harness:expr $(,)?) => {
        $crate::store_contract! { @tests $harness;
            records {
                a_created_record_is_loaded_as_written
                creating_on_a_live_key_changes_nothing
                a_missing_record_is_absent_to_every_operation
                updating_what_was_seen_replaces_the_value
                removing_hands_out_the_bytes
                two_handles_see_each_others_writes
            }
            revisions {
                every_answer_names_the_version_it_left
                a_stale_revision_conflicts_and_changes_nothing
                extending_keeps_the_revision_valid
                a_revision_ends_when_its_record_is_removed
                a_revision_ends_when_its_record_expires
                a_revision_stands_for_one_value
            }
            times {
                a_load_that_extends_by_more_moves_the_expiry
                a_load_that_extends_by_less_leaves_the_expiry
                loading_alone_does_not_postpone_the_expiry
                updating_restarts_the_time_to_live
                updating_may_shorten_the_time_to_live
                a_conflict_leaves_the_time_to_live
                a_taken_key_leaves_the_time_to_live
            }
            expiry {
                a_time_to_live_of_1_millisecond_is_kept
                a_time_to_live_of_999_milliseconds_is_kept
                a_time_to_live_of_1_second_is_kept
                a_time_to_live_of_30_days_is_kept
                a_time_to_live_of_30_days_and_a_second_is_kept
                a_time_to_live_of_400_days_is_kept
                an_expired_record_frees_its_key
                updating_an_expired_record_does_not_revive_it
                extending_an_expired_record_does_not_revive_it
                removing_an_expired_record_hands_out_nothing
                an_expired_record_that_was_not_cleared_away_counts_as_absent
            }
            values {
                an_empty_value_is_a_value
                every_byte_is_kept
                a_mebibyte_is_kept_whole_or_refused
            }
            keys {
                keys_that_share_a_beginning_are_told_apart
                keys_that_differ_in_case_are_told_apart
                every_visible_character_may_stand_in_a_key
                the_longest_keys_are_told_apart_to_their_end
            }
            races {
                of_concurrent_creates_one_wins
                of_concurrent_updates_none_is_lost
                an_update_that_races_a_removal_revives_nothing
                a_freed_key_is_taken_once
                a_load_never_sees_half_a_write
                of_concurrent_extensions_the_longest_counts
            }
            cancellation {
                a_dropped_load_changes_nothing
                a_dropped_create_happened_or_did_not
                a_dropped_update_happened_or_did_not
                a_dropped_removal_happened_or_did_not
            }
        }
    };
    (@tests $harness:expr; $($theme:ident { $($rule:ident)+ })+) => { $($(
        #[test]
        fn $rule() {
            $crate::contract::run(async { $harness }, $crate::contract::$theme::$rule);
        }
    )+)+ };
}
