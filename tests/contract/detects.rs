//! For every rule a store that breaks it, and what the rule says then.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cloakroom::contract;

use super::flawed::Flaw::*;
use super::flawed::{Flaw, FlawedHarness};

fn complaint(run: impl FnOnce()) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else { return "none".to_owned() };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or_default().to_owned(),
    }
}

macro_rules! detects {
    ($($theme:ident::$rule:ident: $flaw:expr, $says:literal;)+) => { $(
        #[test]
        fn $rule() {
            let flaw: Flaw = $flaw;
            let harness = async { FlawedHarness::new(Some(flaw)) };
            let said = complaint(|| contract::run(harness, contract::$theme::$rule));
            assert!(said.contains($says), "{flaw:?}: the rule's complaint is: {said}");
        }
    )+ };
}

detects! {
    records::a_created_record_is_loaded_as_written: CreateKeepsNothing, "the record is there";
    records::creating_on_a_live_key_changes_nothing: CreateReplaces,
        "create answers Created where a record is";
    records::a_missing_record_is_absent_to_every_operation: UpdateMakesARecord,
        "update answers Updated where no record is";
    records::updating_what_was_seen_replaces_the_value: UpdateKeepsTheValue, "the record is 4 bytes";
    records::removing_hands_out_the_bytes: RemoveSaysNothing, "remove hands out the bytes";
    records::two_handles_see_each_others_writes: HandlesKeepToThemselves,
        "create answers Created where a record is";

    revisions::every_answer_names_the_version_it_left: UpdateGivesTheOldRevision,
        "update answers Conflict to the latest revision";
    revisions::a_stale_revision_conflicts_and_changes_nothing: UpdateIgnoresTheRevision,
        "update accepts an old revision";
    revisions::extending_keeps_the_revision_valid: ExtendIsAVersion,
        "update answers Conflict to the latest revision";
    revisions::a_revision_ends_when_its_record_is_removed: VersionsStartAgain,
        "update accepts an old revision";
    revisions::a_revision_ends_when_its_record_expires: VersionsStartAgain,
        "update accepts an old revision";
    revisions::a_revision_stands_for_one_value: VersionsAreLengths, "update accepts an old revision";

    times::a_load_that_extends_by_more_moves_the_expiry: ExtendDoesNothing, "the record is there";
    times::a_load_that_extends_by_less_leaves_the_expiry: ExtendShortens, "the record is there";
    times::loading_alone_does_not_postpone_the_expiry: LoadPostpones, "no record is there";
    times::updating_restarts_the_time_to_live: UpdateKeepsTheTime, "the record is there";
    times::updating_may_shorten_the_time_to_live: UpdateKeepsTheTime, "no record is there";
    times::a_conflict_leaves_the_time_to_live: ConflictRestartsTheTime, "record is there";
    times::a_taken_key_leaves_the_time_to_live: TakenKeyRestartsTheTime, "record is there";

    expiry::a_time_to_live_of_1_millisecond_is_kept: TimesAreRoundedUp, "no record is there";
    expiry::a_time_to_live_of_999_milliseconds_is_kept: TimesAreCutToSeconds, "the record is there";
    expiry::a_time_to_live_of_1_second_is_kept: ExpiryIsIgnored, "no record is there";
    expiry::a_time_to_live_of_30_days_is_kept: TimesHave31Bits, "the record is there";
    expiry::a_time_to_live_of_30_days_and_a_second_is_kept: LongTimesAreDates,
        "the record is there";
    expiry::a_time_to_live_of_400_days_is_kept: TimesHave32Bits, "the record is there";
    expiry::an_expired_record_frees_its_key: ExpiryIsIgnored,
        "create answers KeyTaken where no record is";
    expiry::updating_an_expired_record_does_not_revive_it: ExpiryIsIgnored,
        "update answers Updated where no record is";
    expiry::extending_an_expired_record_does_not_revive_it: ExtendRevives, "no record is there";
    expiry::removing_an_expired_record_hands_out_nothing: RemoveHandsOutExpired,
        "remove hands out 4 bytes";
    expiry::an_expired_record_that_was_not_cleared_away_counts_as_absent:
        ExpiryIsLeftToTheClearing, "no record is there";

    values::an_empty_value_is_a_value: EmptyIsAbsent, "the record is there";
    values::every_byte_is_kept: ValuesEndAtZero, "the record is 0 bytes";
    values::a_mebibyte_is_kept_whole_or_refused: ValuesAreCut, "the record is 65535 bytes";

    keys::keys_that_share_a_beginning_are_told_apart: KeysAreCutTo(31), "create answers KeyTaken";
    keys::keys_that_differ_in_case_are_told_apart: KeysForgetCase, "create answers KeyTaken";
    keys::every_visible_character_may_stand_in_a_key: KeysArePaths, "create answers KeyTaken";
    keys::the_longest_keys_are_told_apart_to_their_end: KeysAreCutTo(149),
        "create answers KeyTaken";

    races::of_concurrent_creates_one_wins: CreateLooksThenWrites, "two creates answer Created";
    races::of_concurrent_updates_none_is_lost: UpdateComparesThenSwaps,
        "not 3 bytes that begin with \"800\"";
    races::an_update_that_races_a_removal_revives_nothing: UpdateComparesThenSwaps,
        "no record is there";
    races::a_freed_key_is_taken_once: CreateLooksThenWrites, "two creates answer Created";
    races::a_load_never_sees_half_a_write: LoadReadsInTwoSteps, "load finds parts of two values";
    races::of_concurrent_extensions_the_longest_counts: ExtendComparesThenSets,
        "the record is there";

    cancellation::a_dropped_load_changes_nothing: RepliesAreMixedUp, "record is";
    cancellation::a_dropped_create_happened_or_did_not: WritesInTwoSteps, "the record is 0 bytes";
    cancellation::a_dropped_update_happened_or_did_not: WritesInTwoSteps, "the record is there";
    cancellation::a_dropped_removal_happened_or_did_not: WritesInTwoSteps, "the record is 0 bytes";
}
