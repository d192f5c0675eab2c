//! What every store has to do, as one list of cases that runs against each of them.
//!
//! `cases` says it one promise at a time, `orders` for runs that are ordered, `reading` for what people look at; `walk` compares long random
//! histories with a store that is simple enough to be believed; `together` has several handles on one database; `killed` ends a
//! process in the middle, by force.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod cases;
mod database;
mod killed;
mod orders;
mod reading;
mod together;
mod walk;

/// Runs the cases against both stores.
macro_rules! cases {
    ($($room:ident: $($case:ident),+ $(,)?;)+) => {
        mod sqlite {
            $(mod $room { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::$room::$case(crate::database::Database::sqlite()).await;
                }
            )+ })+
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(mod $room { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(database) = crate::database::Database::postgres() {
                        crate::$room::$case(database).await;
                    }
                }
            )+ })+
        }
    };
}

cases! {
    cases:
        an_event_starts_one_run_for_each_trigger,
        a_known_event_gets_runs_for_further_triggers_only,
        an_event_twice_in_one_call_is_one,
        the_same_id_from_another_source_is_another_event,
        an_event_without_triggers_is_kept_and_runs_nothing,
        what_cannot_be_stored_everywhere_is_refused_whole,
        a_claim_hands_out_what_was_taken,
        a_claim_takes_no_more_than_it_is_asked_for_and_the_oldest_first,
        a_claim_takes_only_runs_of_its_sources,
        a_claim_that_was_abandoned_is_made_again_and_the_old_one_settles_nothing,
        an_extended_claim_is_not_made_again,
        a_failed_run_waits_for_its_moment_and_counts_attempts,
        a_dead_run_is_not_claimed,
        a_returned_run_waits_as_if_it_had_not_been_claimed,
        settling_again_after_a_lost_answer_is_still_ours,
        a_clock_that_was_set_back_holds_no_run,
        a_clock_that_is_a_little_behind_claims_nothing_twice,
        a_dead_run_is_replayed_under_its_key,
        a_finished_run_is_replayed_under_a_key_of_its_own,
        what_is_not_over_is_not_replayed,
        all_dead_runs_are_replayed_of_one_source_or_of_all,
        what_is_over_is_forgotten_and_the_rest_kept,
        everything_is_there_after_it_was_opened_again,
        a_newer_schema_is_refused_with_both_versions,
        a_store_that_can_be_written_is_ready;
    orders:
        runs_of_an_object_are_done_one_after_the_other,
        runs_of_other_objects_triggers_and_sources_do_not_wait,
        a_later_run_waits_while_an_earlier_one_waits_for_its_next_attempt,
        a_dead_run_lets_the_next_one_go,
        an_event_that_happened_earlier_goes_first_when_it_comes_late,
        a_run_that_waits_for_an_abandoned_one_is_not_forgotten,
        many_runs_of_one_object_do_not_hide_the_others;
    reading:
        events_are_listed_newest_first_and_in_pages,
        events_are_filtered,
        an_event_is_shown_with_its_body_and_runs,
        runs_are_counted,
        the_next_run_to_be_claimed_is_known,
        positions_are_kept_for_each_source,
        the_last_event_of_a_source_is_the_one_that_happened_last;
    together:
        of_many_that_take_the_same_event_one_is_first,
        of_many_that_claim_each_run_goes_to_one,
        of_many_that_claim_an_object_goes_to_one,
        a_change_wakes_in_the_same_process,
        a_change_wakes_by_another_handle,
        many_handles_can_open_a_new_database_at_once;
    walk:
        long_random_histories_agree_with_the_model;
    killed:
        a_process_that_is_killed_loses_nothing_that_it_answered;
}
