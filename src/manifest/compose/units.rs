//! Sizes and processor counts.

use super::Cpus;

/// What is said to somebody whose size could not be read.
pub(super) const SIZE_HELP: &str = "write a number of bytes, or one with a unit, such as \"64k\", \"512m\" or \"1gb\"";

/// Reads `512m`, `1gb`, `64 KiB`, `1.5g`, `1048576` as bytes; each unit is 1024 times the one before, as in Docker.
pub(in crate::manifest) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is not a size");
    let lower = text.trim().to_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(wrong()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(1 << shift).ok_or_else(|| format!("\"{text}\" is too much"));
    }
    let parts: f64 = number.parse().map_err(|_| wrong())?;
    let thousandths = (parts * 1000.0).round();
    if thousandths > 1e12 {
        return Err(format!("\"{text}\" is too much"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above; never negative")]
    let thousandths = thousandths as u64;
    thousandths.checked_mul(1 << shift).map(|scaled| scaled / 1000).ok_or_else(|| format!("\"{text}\" is too much"))
}

/// Reads `0.5`, `2`, `1.25` processors.
pub(super) fn cpus(text: &str) -> Result<Cpus, String> {
    let number: f64 = text.trim().parse().map_err(|_| format!("\"{text}\" is not a number of processors"))?;
    if !(0.0..=10_000.0).contains(&number) {
        return Err(format!("\"{text}\" is not a number of processors"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 10,000,000")]
    let milli = (number * 1000.0).round() as u32;
    Ok(Cpus { milli })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, expected) in [
            ("1048576", 1 << 20),
            ("0", 0),
            ("10b", 10),
            ("64k", 64 << 10),
            ("512m", 512 << 20),
            ("512MB", 512 << 20),
            ("1gb", 1 << 30),
            ("1.5g", 3 << 29),
            ("2 GiB", 2 << 30),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_sizes() {
        for text in ["", "m", "12 parsecs", "-5m", "1..5g", "lots", "99999999999t"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn processors_come_in_thousandths() {
        assert_eq!(cpus("0.5"), Ok(Cpus { milli: 500 }));
        assert_eq!(cpus("2"), Ok(Cpus { milli: 2000 }));
        assert!(cpus("-1").is_err());
        assert!(cpus("many").is_err());
        assert!(cpus("NaN").is_err());
    }
}
