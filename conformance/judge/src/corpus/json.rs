//! JSON: the register of a service of weather stations, indented, all ASCII.

use std::fmt::Write;

use super::{random::Random, words};

/// The octets of the whole.
pub(super) const SIZE: usize = 194_056;

#[rustfmt::skip]
const PLACES: &[&str] = &[
    "Ahornbach", "Birkenau", "Dornfeld", "Eichwalde", "Felsm\\u00fchle", "Gr\\u00fcntal",
    "Hohenroda", "Isarwinkel", "Kleebr\\u00fcck", "Lindenhof", "Mooreck", "Niederstein",
    "Oberlohe", "Quellheim", "Rothsee", "S\\u00f8rvik",
];
const SIDES: &[&str] = &[
    "North", "South", "East", "West", "Upper", "Lower", "Old", "Harbour",
];
const OPERATORS: &[&str] = &["null", "\"River Service\"", "\"Harbour Service\""];
/// Temperature, pressure and direction of the wind.
const WEATHERS: &[(&str, &str, &str)] = &[
    ("14.5", "1018.5", "W"),
    ("17.0", "1024.0", "E"),
    ("11.5", "1004.5", "SW"),
    ("8.0", "996.0", "NW"),
];
/// The days on which sensors were set up, by the van load.
const SINCE: &[&str] = &["2004-03-15", "2011-09-01", "2019-06-20"];
const TAGS: &[&str] = &["[]", "[\"coast\"]", "[\"valley\", \"river\"]"];
const REMARKS: &[&str] = &[
    "None.",
    "Checked after the winter, no finding.",
    "The mast stands free on all sides; the gauge is emptied every morning.",
];
const SENSORS: &[(&str, &str)] = &[
    ("temperature", "C"),
    ("humidity", "%"),
    ("pressure", "hPa"),
    ("wind", "m/s"),
    ("rain", "mm"),
    ("radiation", "W/m2"),
];
const HEAD: &str = concat!(
    "{\n",
    "  \"register\": \"weather stations\",\n",
    "  \"version\": 3,\n",
    "  \"complete\": true,\n",
    "  \"successor\": null,\n",
    "  \"units\": { \"altitude\": \"m\", \"position\": \"degree\", \"time\": \"UTC\" },\n",
    "  \"stations\": [\n",
);
const REMARK: &str = "\n  ],\n  \"remark\": \"";
const TAIL: &str = "\"\n}\n";

/// Stations until there is no room for the next, and a remark that takes what is left.
pub(super) fn generate() -> Vec<u8> {
    let mut random = Random::new(0x6a73_6f6e);
    let mut text = String::with_capacity(SIZE + 4096);
    text.push_str(HEAD);
    for number in 1.. {
        let before = text.len();
        if number > 1 {
            text.push_str(",\n");
        }
        station(&mut random, number, &mut text).expect(WRITING);
        if text.len() + REMARK.len() + TAIL.len() > SIZE {
            text.truncate(before);
            break;
        }
    }
    text.push_str(REMARK);
    let rest = SIZE - TAIL.len() - text.len();
    words::fill(&mut random, rest, &mut text);
    text.push_str(TAIL);
    text.into_bytes()
}

/// Why the formatting here cannot fail.
const WRITING: &str = "a String takes all that is written to it";

fn station(random: &mut Random, number: u32, to: &mut String) -> std::fmt::Result {
    writeln!(to, "    {{\n      \"id\": \"st-{number:05}\",")?;
    writeln!(
        to,
        "      \"name\": \"{} {}\",",
        random.pick(PLACES),
        random.pick(SIDES)
    )?;
    writeln!(
        to,
        "      \"position\": {{ \"latitude\": {}.{}, \"longitude\": {}.{}, \"altitude\": {} }},",
        random.between(47, 54),
        random.below(2) * 5,
        random.between(7, 14),
        random.below(2) * 5,
        random.between(1, 8) * 100
    )?;
    writeln!(to, "      \"operator\": {},", random.pick(OPERATORS))?;
    writeln!(to, "      \"active\": {},", random.percent(85))?;
    writeln!(to, "      \"sensors\": [")?;
    let first = random.below(4) as usize;
    let chosen = &SENSORS[first..first + random.between(1, 3) as usize];
    let since = random.pick(SINCE);
    for (place, (kind, unit)) in chosen.iter().enumerate() {
        let comma = if place + 1 < chosen.len() { "," } else { "" };
        writeln!(
            to,
            "        {{ \"kind\": \"{kind}\", \"unit\": \"{unit}\", \"since\": \"{since}\" }}{comma}"
        )?;
    }
    writeln!(to, "      ],\n      \"readings\": [")?;
    let readings = random.between(3, 9);
    // A day's weather hangs together: it seldom changes from one reading to the next.
    let mut weather = random.pick(WEATHERS);
    for hour in 0..readings {
        if random.percent(20) {
            weather = random.pick(WEATHERS);
        }
        let (temperature, pressure, direction) = weather;
        let comma = if hour + 1 < readings { "," } else { "" };
        writeln!(to, "        {{")?;
        writeln!(
            to,
            "          \"at\": \"2024-05-17T{:02}:00:00Z\",",
            hour * 2
        )?;
        writeln!(to, "          \"temperature\": {temperature},")?;
        writeln!(to, "          \"humidity\": {},", random.between(7, 19) * 5)?;
        writeln!(to, "          \"pressure\": {pressure},")?;
        writeln!(
            to,
            "          \"wind\": {{ \"speed\": {}, \"direction\": \"{direction}\" }}",
            random.below(15)
        )?;
        writeln!(to, "        }}{comma}")?;
    }
    writeln!(to, "      ],\n      \"tags\": {},", random.pick(TAGS))?;
    write!(to, "      \"remark\": \"{}\"\n    }}", random.pick(REMARKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads one value of RFC 8259 and gives what follows it; `None` where the grammar is broken.
    fn value(text: &[u8]) -> Option<&[u8]> {
        let text = text.trim_ascii_start();
        let rest = match text.first()? {
            b'{' => sequence(&text[1..], b'}', |member| {
                value(
                    string(member.trim_ascii_start())?
                        .trim_ascii_start()
                        .strip_prefix(b":")?,
                )
            }),
            b'[' => sequence(&text[1..], b']', value),
            b'"' => string(text),
            b't' => text.strip_prefix(b"true"),
            b'f' => text.strip_prefix(b"false"),
            b'n' => text.strip_prefix(b"null"),
            _ => number(text),
        }?;
        Some(rest.trim_ascii_start())
    }

    fn sequence(
        mut text: &[u8],
        end: u8,
        element: impl Fn(&[u8]) -> Option<&[u8]>,
    ) -> Option<&[u8]> {
        if let Some(rest) = text.trim_ascii_start().strip_prefix(&[end]) {
            return Some(rest);
        }
        loop {
            let (next, rest) = element(text)?.split_first()?;
            match *next {
                b',' => text = rest,
                next if next == end => return Some(rest),
                _ => return None,
            }
        }
    }

    fn string(text: &[u8]) -> Option<&[u8]> {
        let mut rest = text.strip_prefix(b"\"")?;
        loop {
            rest = match rest {
                [b'"', rest @ ..] => return Some(rest),
                [b'\\', b'u', a, b, c, d, rest @ ..]
                    if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
                {
                    rest
                }
                [0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e, rest @ ..] => rest,
                _ => return None,
            };
        }
    }

    fn number(text: &[u8]) -> Option<&[u8]> {
        let digits = |text: &[u8]| {
            text.iter()
                .take_while(|octet| octet.is_ascii_digit())
                .count()
        };
        let whole = digits(text);
        if whole == 0 || (whole > 1 && text[0] == b'0') {
            return None;
        }
        let text = &text[whole..];
        match text.strip_prefix(b".") {
            None => Some(text),
            Some(fraction) => match digits(fraction) {
                0 => None,
                places => Some(&fraction[places..]),
            },
        }
    }

    #[test]
    fn the_whole_is_one_object_of_json() {
        let octets = generate();
        assert_eq!(octets[0], b'{');
        assert_eq!(value(&octets), Some(&b""[..]));
    }

    #[test]
    fn a_break_anywhere_in_the_grammar_is_seen() {
        for broken in [
            "{\"a\":1,}",
            "[1 2]",
            "[01]",
            "[1.]",
            "{1:2}",
            "\"\\u00g0\"",
            "[",
            "\"\n\"",
        ] {
            assert_eq!(value(broken.as_bytes()), None, "{broken}");
        }
        assert_eq!(value(b" [ ] "), Some(&b""[..]));
        assert_eq!(
            value(b"{\"a\" : [1.5, null, true, \"\\u00fc\"]}"),
            Some(&b""[..])
        );
    }
}
