//! `healthcheck` of a service.

use std::time::Duration;

use super::Healthcheck;
use super::reader::Reader;
use super::tree::{Node, Value};
use crate::manifest::duration;

const HALF_A_MINUTE: Duration = Duration::from_secs(30);
const TEST_HELP: &str = "a text for the shell, [\"CMD\", \"program\", …], [\"CMD-SHELL\", \"text\"] or [\"NONE\"]";

/// Reads `healthcheck`. `None` if there is nothing in it that replaces the image's own.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Healthcheck> {
    let mut test = None;
    let (mut interval, mut timeout, mut retries, mut start_period) = (None, None, None, None);
    let mut disabled = false;
    let mut settings = 0;
    for entry in reader.entries(node, "healthcheck") {
        let value = &entry.node;
        let time = |reader: &mut Reader<'_>| reader.parsed(value, &entry.key, duration::HELP, duration::parse);
        settings += 1;
        match entry.key.as_str() {
            "test" => test = Some(command(reader, value)),
            "interval" => interval = time(reader),
            "timeout" => timeout = time(reader),
            "start_period" => start_period = time(reader),
            "retries" => {
                retries = reader.parsed(value, "retries", "a number, such as 3", |text| {
                    text.parse::<u32>().map_err(|_| format!("\"{text}\" is not a number"))
                });
            }
            // Checks are run much more often than that until the first that passes.
            "start_interval" => drop(time(reader)),
            "disable" => disabled = reader.flag(value, "disable"),
            other => {
                settings -= 1;
                if !other.starts_with("x-") {
                    reader.no_effect(format!("healthcheck.{other}"), entry.place);
                }
            }
        }
    }
    if disabled {
        return Some(Healthcheck::Disabled);
    }
    // The engine reads zero as "not given".
    let given = |time: Option<Duration>| time.filter(|time| !time.is_zero()).unwrap_or(HALF_A_MINUTE);
    match test {
        Some(Some(Test::Nothing)) => Some(Healthcheck::Disabled),
        Some(Some(Test::Command(command))) => Some(Healthcheck::Command {
            command,
            interval: given(interval),
            timeout: given(timeout),
            retries: retries.filter(|retries| *retries > 0).unwrap_or(3),
            start_period: start_period.unwrap_or_default(),
        }),
        Some(None) => None,
        None => {
            if settings > 0 {
                reader.no_effect("healthcheck without \"test\"", node.place);
            }
            None
        }
    }
}

enum Test {
    Nothing,
    Command(Vec<String>),
}

fn command(reader: &mut Reader<'_>, node: &Node) -> Option<Test> {
    if let Value::Text(text) = &node.value {
        return Some(Test::Command(in_shell(text)));
    }
    let words = reader.names(node, "test");
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["NONE"] => Some(Test::Nothing),
        ["CMD", command @ ..] if !command.is_empty() => Some(Test::Command(words[1..].to_vec())),
        ["CMD-SHELL", text] => Some(Test::Command(in_shell(text))),
        _ => {
            reader.findings.problem(node.place, "\"test\" is not a health check", TEST_HELP);
            None
        }
    }
}

fn in_shell(text: &str) -> Vec<String> {
    ["/bin/sh", "-c", text].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str) -> (Option<Healthcheck>, String) {
        let mut reader = Reader::for_test();
        let healthcheck = read(&mut reader, &Node::parse(yaml, 0).unwrap());
        (healthcheck, reader.problems())
    }

    fn with_defaults(command: &[&str]) -> Healthcheck {
        Healthcheck::Command {
            command: command.iter().map(|&word| word.to_owned()).collect(),
            interval: HALF_A_MINUTE,
            timeout: HALF_A_MINUTE,
            retries: 3,
            start_period: Duration::ZERO,
        }
    }

    #[test]
    fn every_form_of_test_is_read() {
        for (yaml, expected) in [
            ("test: pg_isready || exit 1", with_defaults(&["/bin/sh", "-c", "pg_isready || exit 1"])),
            ("test: [CMD, curl, -f, http://x]", with_defaults(&["curl", "-f", "http://x"])),
            ("test: [CMD-SHELL, a && b]", with_defaults(&["/bin/sh", "-c", "a && b"])),
            ("test: [NONE]", Healthcheck::Disabled),
            ("disable: true", Healthcheck::Disabled),
        ] {
            assert_eq!(check(yaml), (Some(expected), String::new()), "{yaml}");
        }
    }

    #[test]
    fn times_are_read() {
        let (healthcheck, problems) =
            check("{ test: x, interval: 1m30s, timeout: 10s, retries: 5, start_period: 1.5s }");
        assert_eq!(problems, "");
        assert_eq!(
            healthcheck,
            Some(Healthcheck::Command {
                command: in_shell("x"),
                interval: Duration::from_secs(90),
                timeout: Duration::from_secs(10),
                retries: 5,
                start_period: Duration::from_millis(1500),
            })
        );
    }

    #[test]
    fn wrong_settings_are_all_reported() {
        let (_, problems) = check("test: [CURL, x]\ninterval: often\nretries: many");
        assert!(problems.contains(":1: \"test\" is not a health check"), "{problems}");
        assert!(problems.contains(":2: \"interval\": \"often\" is not a duration"), "{problems}");
        assert!(problems.contains(":3: \"retries\": \"many\" is not a number"), "{problems}");
    }
}
