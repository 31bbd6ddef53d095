//! English filling: sentences without sense, of plain words, for JSON, HTML and PDF.

use super::random::Random;

/// Roughly by how often they come, so that [`Random::pick_early`] gives a natural spread.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "the", "and", "of", "to", "in", "is", "with", "from", "for", "water", "river", "morning",
    "level", "after", "before", "bridge", "between", "field", "under", "rain", "north", "wind",
    "station", "quiet", "reading", "about", "stone", "garden", "evening", "small", "early",
    "gate", "again", "paper", "record", "number", "winter", "meadow", "clover", "harbour",
    "signal", "slowly", "mill", "summer", "ladder", "copper", "window", "valley", "often",
    "measure", "lantern", "barley", "engine", "orchard", "thunder", "harvest", "steady", "narrow",
    "keeper", "village", "weather", "market", "silver", "timber", "carried", "pressure", "autumn",
    "railway", "observed", "distance", "channel", "repaired", "workshop", "painted", "northern",
    "granite", "calendar", "shutter", "furnace", "whistle", "compass", "replaced", "bicycle",
    "almost", "quarter", "upstream", "midnight", "blanket", "crooked", "drought", "eastern",
    "farmer", "gravel", "hillside", "instrument", "juniper", "kitchen", "library", "mountain",
    "notebook", "overflow", "passenger", "quarry", "reservoir", "sandstone", "telegraph",
    "umbrella", "violet", "waterfall", "yesterday", "zinc", "anchor", "balcony", "cathedral",
    "dandelion", "electric", "ferryman", "glacier", "horizon", "island", "journal", "kingfisher",
    "lighthouse", "mercury", "nightfall", "observatory", "peninsula", "quartz", "rainfall",
    "schedule", "turbine", "unusual", "volcano", "wheelbarrow", "xylophone", "yearly", "zeppelin",
];

/// Appends a sentence of so many words: a capital first, a stop last.
pub(super) fn sentence(random: &mut Random, words: u32, to: &mut String) {
    for number in 0..words {
        let word = random.pick_early(WORDS);
        if number == 0 {
            to.push_str(&word[..1].to_ascii_uppercase());
            to.push_str(&word[1..]);
        } else {
            to.push(' ');
            to.push_str(word);
        }
    }
    to.push('.');
}

/// Appends exactly `length` octets of sentences, all ASCII; the last one may end in mid-word.
pub(super) fn fill(random: &mut Random, length: usize, to: &mut String) {
    let end = to.len() + length;
    while to.len() < end {
        let words = random.between(5, 14);
        sentence(random, words, to);
        to.push(' ');
    }
    to.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling_is_ascii_and_exactly_as_long_as_asked() {
        for length in [0, 1, 7, 100, 5000] {
            let mut text = String::new();
            fill(&mut Random::new(5), length, &mut text);
            assert_eq!(text.len(), length);
            assert!(text.is_ascii());
        }
    }
}
