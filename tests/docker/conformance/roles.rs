//! What a suite must have for the checks, and how a test that has it is found.
//!
//! A test plays a role when its name has `role` and the role's word in it, whatever stands between the words:
//! `test_role_passes`, `Roles role passes`, `role-passes.sh`. When it runs it writes its role as `<<passes>>`, on
//! whichever stream, so that it can be told what really ran.

use shakedown::framework::ListedTest;

/// The roles, each played by one test unless it says otherwise.
pub(crate) const ROLES: &[(&str, &str)] = &[
    ("passes", "holds; stands in the suite's first file as its first test"),
    ("plain", "holds; the last test of that file"),
    ("fails", "fails at a line with `fails here`, with `expected one, got two` in its message"),
    ("skipped", "is skipped in its own words: `not on a Tuesday`"),
    ("pending", "is marked as a known failure, and fails"),
    ("fixed", "is marked as a known failure, and holds"),
    ("tagged", "has the tag `smoke`"),
    ("setup", "fails with `no table` in what runs before it, at a line with `setup fails here`"),
    ("teardown", "holds, and fails with `stuck door` in what runs after it, at a line with `teardown fails here`"),
    ("environment", "writes `RUN LANE ATTEMPT SEED TEST_ENV_NUMBER` between `env(` and `)`"),
    ("exits", "writes `last words of exits` and leaves by the language's plain exit, with status 0"),
    ("dies", "writes `last words of dies` and leaves without any clean-up, with status 0"),
    ("killed", "writes `last words of killed` and sends SIGKILL to its own process"),
    ("deaf", "starts `sleep 48211`; both ignore SIGINT and SIGTERM; sleeps until it is killed"),
    ("first", "shares with `second` what is set up once for both and writes `<<context>>`"),
    ("second", "see `first`"),
    ("shared", "is defined in a file that is none of the suite's tests, and belongs to the one that asks for it"),
    ("number_1", "one of two from one loop or parameter"),
    ("number_10", "the other; the first one's name is the beginning of its own"),
    (
        "twin",
        "two tests of that name in two files, equal as far as the framework allows; write `<<twin a>>`, `<<twin b>>`",
    ),
];

/// What an adapter may lack besides roles.
pub(crate) const FEATURES: &[(&str, &str)] = &[
    ("line", "listing says the line of a test"),
    ("place", "a failure says file and line"),
    ("class", "a failure says its class"),
    ("reason", "a skipped test says why"),
    (
        "stages",
        "the message of a failure in what runs before or after a test begins with `in setup: ` or `in teardown: `",
    ),
    ("focus", "tests can be focused"),
    ("load", "a suite is loaded, and may be broken"),
];

/// Names that must survive; the n-th of these tests, from 1, writes `<<odd n>>`.
pub(crate) const ODD_NAMES: &[&str] = &[
    "with  two blanks",
    "it's \"quoted\" `so`",
    "$HOME $(id) ${x} #{y} %s %d",
    "[1] (a|b) {c} * ? ^ .+ \\d \\",
    "first line\nsecond line",
    "🚀 über façade",
    "a/b::c › d, e; f & g | h > /dev/null <i>&amp;</i>",
    "--fail-fast -x",
];

/// Roles whose tests end the process that runs them, or never end.
pub(crate) const VIOLENT: &[&str] = &["exits", "dies", "killed", "deaf"];

/// The tests that play a role.
pub(crate) fn all<'a>(tests: &'a [ListedTest], role: &str) -> Vec<&'a ListedTest> {
    tests.iter().filter(|test| plays(test, role)).collect()
}

/// The test that plays a role.
pub(crate) fn one<'a>(tests: &'a [ListedTest], role: &str) -> &'a ListedTest {
    match all(tests, role).as_slice() {
        [test] => test,
        found => panic!("{} tests play \"{role}\": {found:#?}", found.len()),
    }
}

/// Whether running a test does the worker no harm.
pub(crate) fn is_harmless(test: &ListedTest) -> bool {
    !VIOLENT.iter().any(|role| plays(test, role))
}

fn plays(test: &ListedTest, role: &str) -> bool {
    let plain: String = test.name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
    format!("_{plain}_").to_ascii_lowercase().contains(&format!("_role_{role}_"))
}
