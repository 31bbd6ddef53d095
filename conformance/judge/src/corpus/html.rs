//! HTML: the catalogue of a seed merchant, with tables, forms, a style and a script.

use std::fmt::{Result, Write};

use super::{random::Random, words};

/// The octets of the whole.
pub(super) const SIZE: usize = 263_647;

const HEAD: &str = r##"<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Seeds &amp; Bulbs – the year’s catalogue</title>
  <style>
    body { margin: 0 auto; max-width: 60rem; font: 1rem/1.5 Georgia, serif; color: #24331f; }
    nav ul { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0; }
    article.plant { border-top: 2px solid #9bbf85; padding: 1rem 0; }
    article.plant[data-rare="yes"] h3::after { content: " ★"; color: #b8860b; }
    table { border-collapse: collapse; width: 100%; }
    th, td { border: 1px solid #cddcc3; padding: .25rem .5rem; text-align: left; }
    td.price { text-align: right; white-space: nowrap; }
    @media (max-width: 30rem) { .facts { display: none; } }
  </style>
  <script>
    "use strict";
    const basket = new Map();
    function put(id, count) {
      basket.set(id, (basket.get(id) ?? 0) + count);
      document.querySelector("#basket").textContent = `${basket.size} kinds`;
    }
    addEventListener("click", (event) => {
      const button = event.target.closest("button[data-id]");
      if (button && Number(button.value) > 0) put(button.dataset.id, Number(button.value));
    });
  </script>
</head>
<body>
<header>
  <h1>🍀 Seeds &amp; Bulbs</h1>
  <p>Basket: <output id="basket">empty</output></p>
</header>
<main>
"##;
const REST: &str = "</main>\n<footer>\n  <p>";
const TAIL: &str =
    "</p>\n  <p><small>© Kleefeld &amp; Söhne</small></p>\n</footer>\n</body>\n</html>\n";

#[rustfmt::skip]
const COLOURS: &[&str] = &[
    "white", "cream", "yellow", "orange", "scarlet", "crimson", "pink", "violet", "blue", "green",
];
const SUNS: &[&str] = &["☀ full sun", "⛅ half shade", "☁ shade"];
#[rustfmt::skip]
const GROWERS: &[&str] = &[
    "Müller", "Åkesson", "Dvořák", "García", "Øster", "Smith", "Lefèvre", "Rossi", "Żuk",
    "Tanaka", "田中", "Grünwald",
];
const MARKS: &[&str] = &["🌱", "🌻", "🌷", "🌾"];

#[rustfmt::skip]
const KINDS: &[&str] = &[
    "Aster", "Bellflower", "Clover", "Dahlia", "Foxglove", "Lupin", "Marigold", "Poppy", "Sage",
    "Tulip",
];
const CARE: &[&str] = &[
    "Sow it under glass in March and plant it out when the last frost is over.",
    "It asks for little: a light soil, some sun, and water in the dry weeks.",
    "Cut it back after the first bloom and it flowers again until the autumn.",
    "<em>The bees love it</em>, and so do the snails; strew sand around the young plants.",
    "In rough country it wants a cover of leaves or fir twigs from November on.",
    "A hand’s breadth between the plants is enough; later none of them stands alone.",
];
const PACKETS: &[(&str, u32)] = &[("small", 20), ("middle", 50), ("large", 120)];

/// Plants until there is no room for the next, and a footer that takes what is left.
pub(super) fn generate() -> Vec<u8> {
    let mut random = Random::new(0x6874_6d6c);
    let mut text = String::with_capacity(SIZE + 8192);
    text.push_str(HEAD);
    for number in 1.. {
        let before = text.len();
        plant(&mut random, number, &mut text).expect("a String takes all that is written to it");
        if text.len() + REST.len() + TAIL.len() > SIZE {
            text.truncate(before);
            break;
        }
    }
    text.push_str(REST);
    let rest = SIZE - TAIL.len() - text.len();
    words::fill(&mut random, rest, &mut text);
    text.push_str(TAIL);
    text.into_bytes()
}

fn plant(random: &mut Random, number: u32, to: &mut String) -> Result {
    let kind = random.pick(KINDS);
    let name = format!("{} {kind}", random.pick(GROWERS));
    let rare = if random.percent(15) { "yes" } else { "no" };
    writeln!(
        to,
        "  <article class=\"plant\" id=\"plant-{number}\" data-rare=\"{rare}\">"
    )?;
    if random.percent(25) {
        writeln!(to, "    <h3>{} {name}</h3>", random.pick(MARKS))?;
    } else {
        writeln!(to, "    <h3>{name}</h3>")?;
    }
    writeln!(
        to,
        "    <figure><img src=\"/pictures/{kind}.webp\" width=\"320\" height=\"240\" alt=\"{name}\"></figure>"
    )?;
    for _ in 0..random.between(1, 2) {
        writeln!(to, "    <p>{} {}</p>", random.pick(CARE), random.pick(CARE))?;
    }
    if random.percent(70) {
        let other = random.between(1, 150);
        write!(to, "    <p>See <a href=\"#plant-{other}\">")?;
        words::sentence(random, 4, to);
        writeln!(to, "</a></p>")?;
    }
    writeln!(to, "    <ul class=\"facts\">")?;
    writeln!(to, "      <li>Colour: <b>{}</b></li>", random.pick(COLOURS))?;
    writeln!(to, "      <li>Place: {}</li>", random.pick(SUNS))?;
    writeln!(
        to,
        "      <li>Height: {}–{} cm</li>",
        random.between(5, 60),
        random.between(61, 240)
    )?;
    writeln!(
        to,
        "      <li>Grower: <a href=\"/growers\">{}</a></li>",
        random.pick(GROWERS)
    )?;
    writeln!(to, "    </ul>")?;
    table(random, number, to)?;
    writeln!(to, "  </article>")
}

fn table(random: &mut Random, number: u32, to: &mut String) -> Result {
    writeln!(to, "    <table>")?;
    writeln!(
        to,
        "      <thead><tr><th>Packet</th><th>Seeds</th><th>Price</th><th></th></tr></thead>"
    )?;
    writeln!(to, "      <tbody>")?;
    let offered = &PACKETS[..random.between(1, 3) as usize];
    for (packet, (name, seeds)) in (1..).zip(offered) {
        writeln!(to, "        <tr>")?;
        writeln!(to, "          <td>{name}</td>")?;
        writeln!(to, "          <td>{seeds}</td>")?;
        writeln!(
            to,
            "          <td class=\"price\">€&nbsp;{}.{}0</td>",
            random.between(1, 9),
            random.below(10)
        )?;
        writeln!(
            to,
            "          <td><button data-id=\"{number}-{packet}\" value=\"1\">add</button></td>"
        )?;
        writeln!(to, "        </tr>")?;
    }
    writeln!(to, "      </tbody>")?;
    writeln!(to, "    </table>")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every element that opens closes, in order; raw text (style, script) is passed over.
    #[test]
    fn the_tags_of_the_page_nest() {
        let text = String::from_utf8(generate()).expect("UTF-8");
        let mut open = Vec::new();
        let mut rest = text
            .strip_prefix("<!DOCTYPE html>")
            .expect("a document type");
        let mut elements = 0;
        while let Some(begin) = rest.find('<') {
            let end = begin + rest[begin..].find('>').expect("a tag ends");
            let tag = &rest[begin + 1..end];
            let name = tag.split(' ').next().expect("a split has a first part");
            rest = &rest[end + 1..];
            if let Some(name) = name.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !["meta", "img"].contains(&name) {
                open.push(name);
                elements += 1;
            }
            if ["style", "script"].contains(&name) {
                rest = &rest[rest.find(&format!("</{name}>")).expect("raw text ends")..];
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert!(elements > 4000, "{elements}");
    }

    #[test]
    fn there_are_characters_of_one_to_four_octets() {
        let text = String::from_utf8(generate()).expect("UTF-8");
        for octets in 1..=4 {
            let count = text.chars().filter(|c| c.len_utf8() == octets).count();
            assert!(count > 20, "{octets}: {count}");
        }
    }
}
