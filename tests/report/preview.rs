//! What is said of a run that is not made.

use shakedown::id::TestId;
use shakedown::report::preview::{ListJson, Preview, PreviewTest, PreviewUnit, list, list_json, of_list, plan};

use super::sample::{at, ms};

fn test(file: &str, line: u32, name: &str, takes: Option<u64>, tags: &[&str]) -> PreviewTest {
    PreviewTest {
        id: TestId::new(file, name, 1),
        file: file.into(),
        line,
        name: name.into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        takes: takes.map(ms),
    }
}

fn unit(file: &str, tests: usize, known: usize, expected: u64) -> PreviewUnit {
    PreviewUnit { file: file.into(), tests, known, expected: ms(expected) }
}

fn shop() -> Preview {
    Preview {
        suite: "shop".into(),
        selection: vec!["what matches tag(smoke)".into()],
        listed: 12,
        tests: vec![
            test("spec/cart_spec.rb", 3, "Cart adds \"two\"\n  🛒 \u{1b}[31m", Some(1_234), &["smoke", "js"]),
            test("spec/cart_spec.rb", 112, "Cart is empty", Some(800), &["smoke"]),
            test("spec/admin/pay_spec.rb", 0, "Pay by card", None, &[]),
        ],
        units: vec![unit("spec/cart_spec.rb", 2, 2, 2_034), unit("spec/admin/pay_spec.rb", 1, 0, 800)],
        lanes: 2,
        repeat: 1,
        seed: 42,
        boot: Some(ms(3_300)),
        notes: Vec::new(),
    }
}

#[test]
fn the_list_is_one_line_for_each_test() {
    insta::assert_snapshot!(format!("{}\n{}", list(&shop()), of_list(&shop())));
}

#[test]
fn the_list_for_programs_has_its_documented_shape() {
    let text = list_json(&shop(), at(0)).expect("it is written");
    let read: ListJson = serde_json::from_str(&text).expect("it is read");
    assert_eq!(read.tests.len(), 3);
    insta::assert_snapshot!(text);
}

#[test]
fn the_plan_is_what_would_be_run() {
    let whole = Preview { selection: Vec::new(), listed: 3, boot: None, lanes: 1, ..shop() };
    insta::assert_snapshot!(format!("{}\n\n{}", plan(&shop()), plan(&whole)));
}
