//! What every framework's adapter must hold, said once and checked with the real framework in a real container.
//!
//! [`adapters`] is the table. Each adapter has a suite in `tests/frameworks`, which plays the [`roles`]
//! that the [`checks`] ask for; [`ground`] is the container and what is said there. No run is needed, as a check speaks
//! to [`Worker`](shakedown::framework::Worker), as a lane does.
//!
//! To add an adapter: a row in `adapters.rs`, its name in the list below, and its folder. One adapter alone is checked
//! by `cargo nextest run -E 'test(conformance::NAME)'`.

mod adapters;
mod checks;
mod ground;
mod roles;

macro_rules! conformance {
    (@one $adapter:ident $($check:ident)*) => {
        mod $adapter {
            $(
                #[test]
                fn $check() {
                    super::checks::$check(super::ground::Ground::new(
                        concat!(stringify!($adapter), "::", stringify!($check)),
                        super::adapters::$adapter(),
                    ));
                }
            )*
        }
    };
    ($($adapter:ident),* $(,)?) => {
        $(conformance! { @one $adapter
            the_suite_plays_every_role_and_says_what_it_lacks
            listing_is_stable
            every_test_runs_alone
            asked_equals_ran
            names_reach_the_framework_as_they_are
            marks_mean_what_they_mean_in_the_framework
            failures_say_what_where_and_when
            an_end_in_the_middle_of_a_unit_loses_that_test_only
            tests_know_where_they_run
            kill_ends_all_that_the_worker_started_and_nothing_else
            what_a_group_sets_up_is_paid_once_for_each_unit
            a_suite_that_cant_be_loaded_says_where
        })*
    };
}

conformance! { rspec, minitest, playwright, pytest, command }
