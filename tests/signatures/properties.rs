//! What holds for any text.

use proptest::prelude::*;
use shakedown::signature::{VERSION, normalise, of_failure, of_log_line, of_outcome};
use shakedown::verdict::{Failure, Outcome};

fn failure(class: &str, message: &str, file: &str, function: &str, line: u32) -> Failure {
    Failure {
        class: class.into(),
        message: message.into(),
        file: Some(file.into()),
        line: Some(line),
        backtrace: vec![format!("{file}:{line}:in `{function}'")],
    }
}

/// Any text, and texts of the pieces that the rules look for.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "expected: ",
        "got: ",
        "\"Paid\"",
        "'x y'",
        "\n",
        "Received: ",
        " Also found ",
        "found 3 matches: ",
        "Call log:\n  - ",
        "waiting for locator('.a')",
        "<div class=\"veil\">",
        "</div>",
        "#<Order id: 3>",
        "#<",
        "0x7f00aa",
        "12:30",
        ":8080",
        "2026-11-24T09:01:12Z",
        "localhost",
        "10 s",
        "SF-A7K2M9XX",
        "`a'",
        "assert ",
        " == ",
        "[1, 2]",
        "{",
        "}",
        "<N>",
        "<VALUE>",
        "@@",
        "\n- a",
        "\n+ b",
        "2 errors:\n\n1) ",
        "\n\n2) ",
        "DETAIL:",
        "\u{1b}[31m",
        "/tmp/a.b",
        "http://web:80/a?b=c",
        "http",
        ".rb:12:in",
        "status 500",
        "(404)",
        "x",
        " ",
        "é",
        ",",
        "-",
        "::",
        "1.5",
        "h1",
        "\"",
        "'",
        "\\",
        "shakedown-2",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_is_normalised_is_not_changed_by_normalising_again(class in "(RSpec::Expectations::E|AssertionError|Error|)", text in text()) {
        let once = normalise(&class, &text);
        prop_assert_eq!(normalise(&class, &once), once);
    }

    #[test]
    fn a_signature_of_anything_is_short_and_on_one_line(class in text(), message in text(), frame in text(), times in 1..200_usize) {
        let failure = Failure { class, message: message.repeat(times), file: None, line: None, backtrace: vec![frame] };
        let signature = of_failure(&failure);
        prop_assert!(signature.text.len() <= 700 && !signature.text.contains('\n'), "{}", signature.text);
        prop_assert_eq!(signature.hash.len(), 16);
        prop_assert_eq!(signature.to_string(), format!("v{VERSION}:{}", signature.hash));
    }

    #[test]
    fn a_log_line_of_anything_is_read_or_is_none(line in text()) {
        if let Some(signature) = of_log_line("web", &line) {
            prop_assert!(signature.text.len() <= 700);
        }
    }

    #[test]
    fn ids_ports_addresses_and_times_do_not_change_a_signature(
        ids in any::<(u32, u32)>(),
        uuids in any::<(u128, u128)>(),
        ports in (1024..=65535_u16, 1024..=65535_u16),
        addresses in any::<([u8; 4], [u8; 4])>(),
        seconds in (0..2_000_000_000_i64, 0..2_000_000_000_i64),
        waits in (1..100_000_u32, 1..100_000_u32),
        lines in (1..5000_u32, 1..5000_u32),
    ) {
        let uuid = |number: u128| {
            let hex = format!("{number:032x}");
            format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
        };
        let told = |id: u32, number: u128, port: u16, [a, b, c, d]: [u8; 4], second: i64, wait: u32, line: u32| {
            let time = jiff::Timestamp::from_second(second).expect("a time");
            let message = format!(
                "order {id} ({}) of {time} at http://{a}.{b}.{c}.{d}:{port}/orders/{id} was not paid in {wait}ms, see web:{port} #{id}",
                uuid(number)
            );
            of_failure(&failure("PaymentError", &message, "lib/pay.rb", "charge", line))
        };
        let one = told(ids.0, uuids.0, ports.0, addresses.0, seconds.0, waits.0, lines.0);
        let other = told(ids.1, uuids.1, ports.1, addresses.1, seconds.1, waits.1, lines.1);
        prop_assert_eq!(one.text, other.text);
    }

    #[test]
    fn another_file_or_function_or_class_is_another_signature(
        files in ("[a-z]{3,8}/[a-z]{3,8}", "[a-z]{3,8}/[a-z]{3,8}"),
        functions in ("[a-z_]{3,12}", "[a-z_]{3,12}"),
    ) {
        let of = |file: &str, function: &str, class: &str| of_failure(&failure(class, "no", &format!("{file}.rb"), function, 3));
        let base = of(&files.0, &functions.0, "OneError");
        prop_assert_eq!(files.0 == files.1, base == of(&files.1, &functions.0, "OneError"));
        prop_assert_eq!(functions.0 == functions.1, base == of(&files.0, &functions.1, "OneError"));
        prop_assert_ne!(base, of(&files.0, &functions.0, "OtherError"));
    }
}

#[test]
fn what_counts_against_a_test_or_breaks_an_environment_has_a_signature() {
    let limit = |seconds| Outcome::TimedOut { limit: std::time::Duration::from_secs(seconds), why: String::new() };
    assert_eq!(of_outcome(&limit(3)), of_outcome(&limit(7)));
    let broke = |cause: &str| of_outcome(&Outcome::EnvironmentBroke { cause: cause.into() }).expect("has one");
    assert_ne!(broke("web exited with code 1"), broke("web exited with code 137"));
    assert_ne!(broke("web exited with code 1"), broke("db exited with code 1"));
    assert_eq!(broke("web did not become ready within 90 s"), broke("web did not become ready within 30 s"));
    assert!(of_outcome(&Outcome::Failed(Failure::default())).is_some());
    for none in [Outcome::Passed, Outcome::Interrupted, Outcome::Skipped { reason: "later".into() }] {
        assert_eq!(of_outcome(&none), None);
    }
}

#[test]
fn a_line_that_tells_of_no_error_has_no_signature() {
    for line in [
        "2026-11-24 09:01:12.482 UTC [61] LOG:  checkpoint complete",
        "INFO:shop:no error so far",
        r#"{"level":30,"msg":"error page served"}"#,
        r#"172.18.0.5 - - [24/Nov/2026:09:01:12 +0000] "GET /errors HTTP/1.1" 200 12"#,
        "",
    ] {
        assert_eq!(of_log_line("web", line), None, "{line}");
    }
}
