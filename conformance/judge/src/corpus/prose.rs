//! German-like prose: a play of many scenes that nobody wrote, out of a vocabulary and a grammar.

use super::random::Random;

/// The octets of the whole.
pub(super) const SIZE: usize = 222_218;

const HEAD: &str = "DAS KLEEBLATT AM MÜHLBACH\n\nEin Spiel in vielen Bildern\n\n\n";
/// What fills the last line, as often as there is room.
const ORNAMENT: &str = "* ";

const MASCULINE: usize = 0;
const FEMININE: usize = 1;
const NEUTER: usize = 2;

/// Nouns in the singular with their gender; the last part of a compound.
#[rustfmt::skip]
const NOUNS: &[(&str, usize)] = &[
    ("Tag", MASCULINE), ("Nacht", FEMININE), ("Haus", NEUTER), ("Weg", MASCULINE),
    ("Hand", FEMININE), ("Wasser", NEUTER), ("Wald", MASCULINE), ("Welt", FEMININE),
    ("Kind", NEUTER), ("Stein", MASCULINE), ("Stimme", FEMININE), ("Feuer", NEUTER),
    ("Baum", MASCULINE), ("Brücke", FEMININE), ("Licht", NEUTER), ("Fluss", MASCULINE),
    ("Mühle", FEMININE), ("Tal", NEUTER), ("Garten", MASCULINE), ("Glocke", FEMININE),
    ("Lied", NEUTER), ("Schatten", MASCULINE), ("Wiese", FEMININE), ("Dorf", NEUTER),
    ("Wind", MASCULINE), ("Straße", FEMININE), ("Tor", NEUTER), ("Vogel", MASCULINE),
    ("Tür", FEMININE), ("Fenster", NEUTER), ("Mantel", MASCULINE), ("Blume", FEMININE),
    ("Brot", NEUTER), ("Becher", MASCULINE), ("Schwelle", FEMININE), ("Netz", NEUTER),
    ("Hügel", MASCULINE), ("Höhle", FEMININE), ("Rad", NEUTER), ("Spiegel", MASCULINE),
    ("Kerze", FEMININE), ("Schiff", NEUTER), ("Turm", MASCULINE), ("Wolke", FEMININE),
    ("Moos", NEUTER), ("Schlüssel", MASCULINE), ("Treppe", FEMININE), ("Seil", NEUTER),
    ("Löffel", MASCULINE), ("Quelle", FEMININE), ("Ufer", NEUTER), ("Nebel", MASCULINE),
    ("Kammer", FEMININE), ("Zelt", NEUTER), ("Hammer", MASCULINE), ("Leiter", FEMININE),
    ("Segel", NEUTER), ("Käfer", MASCULINE), ("Grenze", FEMININE), ("Pferd", NEUTER),
    ("Ast", MASCULINE), ("Hof", MASCULINE), ("Krug", MASCULINE), ("Pfad", MASCULINE),
    ("Rost", MASCULINE), ("Saal", MASCULINE), ("Zaun", MASCULINE), ("Topf", MASCULINE),
    ("Schuh", MASCULINE), ("Ring", MASCULINE), ("Dachs", MASCULINE), ("Gast", MASCULINE),
    ("Hut", MASCULINE), ("Knopf", MASCULINE), ("Pfeil", MASCULINE), ("Ruf", MASCULINE),
    ("Sack", MASCULINE), ("Teich", MASCULINE), ("Wein", MASCULINE), ("Zug", MASCULINE),
    ("Bach", MASCULINE), ("Damm", MASCULINE), ("Fels", MASCULINE), ("Halm", MASCULINE),
    ("Korb", MASCULINE), ("Axt", FEMININE), ("Bank", FEMININE), ("Gans", FEMININE),
    ("Kuh", FEMININE), ("Luft", FEMININE), ("Maus", FEMININE), ("Not", FEMININE),
    ("Rast", FEMININE), ("Saat", FEMININE), ("Stadt", FEMININE), ("Uhr", FEMININE),
    ("Wand", FEMININE), ("Zeit", FEMININE), ("Burg", FEMININE), ("Glut", FEMININE),
    ("Haut", FEMININE), ("Kraft", FEMININE), ("Last", FEMININE), ("Magd", FEMININE),
    ("Nuss", FEMININE), ("Furt", FEMININE), ("Gruft", FEMININE), ("Bucht", FEMININE),
    ("Eule", FEMININE), ("Ruhe", FEMININE), ("Amt", NEUTER), ("Bett", NEUTER), ("Boot", NEUTER),
    ("Dach", NEUTER), ("Eis", NEUTER), ("Fass", NEUTER), ("Geld", NEUTER), ("Heu", NEUTER),
    ("Holz", NEUTER), ("Jahr", NEUTER), ("Kalb", NEUTER), ("Laub", NEUTER), ("Meer", NEUTER),
    ("Nest", NEUTER), ("Ohr", NEUTER), ("Reh", NEUTER), ("Salz", NEUTER), ("Tuch", NEUTER),
    ("Werk", NEUTER), ("Wort", NEUTER), ("Blei", NEUTER), ("Gold", NEUTER), ("Horn", NEUTER),
    ("Kraut", NEUTER),
];

/// First parts of compounds.
#[rustfmt::skip]
const BEFORE: &[&str] = &[
    "Abend", "Morgen", "Winter", "Sommer", "Berg", "Mond", "Sonnen", "Stern", "Silber", "Gold",
    "Eisen", "Glas", "Regen", "Schnee", "Frost", "Mittags", "Linden", "Eichen", "Birken", "Rosen",
    "Korn", "Klee", "Heimat", "Kinder", "Brunnen", "Nachbar", "Wander", "Traum", "Sturm",
    "Flöten", "Königs", "Bauern", "Bären", "Schäfer", "Müller", "Zauber", "Feier", "Grund",
    "Über", "Unter", "Apfel", "Asche", "Balken", "Bernstein", "Blatt", "Bleistift", "Donner",
    "Dorn", "Efeu", "Elster", "Enkel", "Erz", "Fackel", "Farn", "Feder", "Fisch", "Fuchs",
    "Gerste", "Gewitter", "Gras", "Hafer", "Harfen", "Herbst", "Himmels", "Honig", "Hunde",
    "Igel", "Kirsch", "Kupfer", "Lampen", "Laub", "Leinen", "Löwen", "Märchen", "Markt", "Mehl",
    "Nuss", "Orgel", "Papier", "Pfeffer", "Pilz", "Rauch", "Sand", "Schilf", "Seiden", "Spät",
    "Tannen", "Tau", "Ton", "Uhren", "Vater", "Wachs", "Weizen", "Wolfs", "Ziegel", "Zinn",
    "Zwerg",
];

#[rustfmt::skip]
const ADJECTIVES: &[&str] = &[
    "still", "alt", "neu", "groß", "klein", "fern", "nah", "grün", "blau", "weiß", "schön", "müd",
    "kühl", "warm", "hell", "leis", "laut", "treu", "fremd", "süß", "tief", "breit", "schmal",
    "golden", "silbern", "einsam", "fröhlich", "trüb", "wunderlich", "ehrlich", "heimlich",
    "mächtig", "gläsern", "steinern", "vergessen", "verloren", "lebendig", "ruhig", "zornig",
    "schläfrig", "freundlich", "rätselhaft", "sorgsam", "blass", "rostig", "staubig", "windig",
    "bang", "bunt", "dünn", "eng", "feucht", "flink", "frei", "frech", "geduldig", "gelb",
    "geheim", "genau", "glatt", "grau", "gut", "hart", "hohl", "jung", "karg", "keck", "klug",
    "krumm", "kurz", "lahm", "lang", "lind", "matt", "mild", "morsch", "munter", "mutig", "nackt",
    "nass", "neblig", "rau", "reif", "rot", "rund", "salzig", "sanft", "scharf", "scheu",
    "schlank", "schräg", "schwer", "selten", "stolz", "stumm", "stumpf", "taub", "weich", "weit",
    "welk", "wild", "wirr", "würdig", "zart", "zierlich",
];

/// Stems of weak verbs that take an object, and the prefixes some wear.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "such", "hör", "stell", "führ", "lieb", "lob", "fühl", "schau", "lehr", "wähl", "zähl",
    "füll", "hüll", "träum", "mal", "hol", "spür", "teil", "kenn", "weck", "deck", "drück",
    "brauch", "folg", "dreh", "rühr", "kehr", "zähm", "wärm", "rühm", "pflück", "stör", "kauf",
    "trag", "acht", "back", "bau", "bohr", "borg", "brems", "färb", "feg", "fütter", "häng",
    "heb", "hemm", "jag", "kämm", "kleb", "klag", "klopf", "knüpf", "koch", "kratz", "lach",
    "leer", "lenk", "lös", "merk", "mess", "näh", "pack", "plag", "prüf", "rauf", "rett", "roll",
    "säg", "schäl", "schenk", "schick", "schon", "schütz", "segn", "sperr", "spiel", "spül",
    "steck", "streif", "stütz", "tausch", "tränk", "trenn", "tröst", "wag", "wander", "web",
    "wieg", "winkl", "würz", "zeig", "zieh",
];
const PREFIXES: &[&str] = &[
    "", "", "be", "ver", "er", "um", "über", "zer", "ent", "unter", "wider", "miss",
];

/// The parts of the syllables of a name.
#[rustfmt::skip]
const ONSETS: &[&str] = &[
    "b", "br", "d", "f", "fl", "g", "gr", "h", "j", "k", "kl", "l", "m", "n", "r", "s", "t", "w",
];
const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "ä", "ie", "au"];
const CODAS: &[&str] = &[
    "bert", "da", "lind", "ke", "mar", "n", "nor", "rich", "s", "tild", "wig",
];

#[rustfmt::skip]
const PREPOSITIONS: &[&str] = &[
    "in", "an", "auf", "mit", "unter", "vor", "hinter", "neben", "zwischen", "bei", "aus", "von",
];
#[rustfmt::skip]
const ADVERBS: &[&str] = &[
    "nun", "dann", "heute", "schon", "wieder", "immer", "leise", "gern", "morgen", "endlich",
    "niemals", "dort", "drüben", "früh", "spät", "allein", "wohl", "vielleicht", "sonst",
    "plötzlich",
];
const JOINTS: &[&str] = &["und", "doch", "denn", "aber", "oder"];
#[rustfmt::skip]
const SUBORDINATES: &[&str] = &[
    "wenn", "weil", "dass", "als", "bevor", "während", "obwohl", "damit",
];
const QUESTIONS: &[&str] = &["Wer", "Was", "Warum", "Wo", "Wie", "Wohin"];
#[rustfmt::skip]
const CRIES: &[&str] = &[
    "Ach", "O", "Weh", "Ei", "Still", "Seht", "Nun denn", "Hört",
];
#[rustfmt::skip]
const SPEAKERS: &[&str] = &[
    "DER FÄHRMANN", "DIE MÜLLERIN", "DER KÜSTER", "DAS ECHO", "DER WANDERER", "DIE SCHWESTER",
    "EIN HIRTE", "ZWEI GESELLEN", "DER STERNGUCKER", "CHOR DER FRÖSCHE",
];
#[rustfmt::skip]
const PLACES: &[&str] = &[
    "Am Ufer", "Vor der Mühle", "Im Wald", "Auf der Brücke", "Kammer mit Fenster", "Offenes Feld",
    "Marktplatz", "Unter den Linden des Dorfes", "Dachboden",
];
#[rustfmt::skip]
const ORDINALS: &[&str] = &[
    "Erstes", "Zweites", "Drittes", "Viertes", "Fünftes", "Sechstes", "Siebtes", "Achtes",
];

/// Scenes until the size is reached, cut at a line, and an ornament that takes what is left.
pub(super) fn generate() -> Vec<u8> {
    let mut play = Play {
        random: Random::new(0x7072_6f73),
        text: HEAD.to_owned(),
    };
    let mut number = 0;
    while play.text.len() < SIZE {
        play.scene(number);
        number += 1;
    }
    let mut octets = play.text.into_bytes();
    octets.truncate(SIZE);
    let line = octets
        .iter()
        .rposition(|&octet| octet == b'\n')
        .map_or(0, |end| end + 1);
    octets.truncate(line);
    octets.extend(ORNAMENT.bytes().cycle().take(SIZE - 1 - line));
    octets.push(b'\n');
    octets
}

#[derive(Clone, Copy)]
enum Case {
    Nominative,
    Accusative,
    Dative,
}

struct Play {
    random: Random,
    text: String,
}

impl Play {
    fn scene(&mut self, number: usize) {
        let ordinal = ORDINALS[number % ORDINALS.len()];
        let place = self.random.pick(PLACES);
        self.text
            .push_str(&format!("\n\n{ordinal} Bild\n\n{place}.\n\n"));
        for _ in 0..self.random.between(8, 24) {
            let speaker = self.random.pick(SPEAKERS);
            self.text.push_str(&format!("{speaker}.\n"));
            if self.random.percent(70) {
                for _ in 0..self.random.between(2, 12) {
                    self.verse();
                }
            } else {
                self.paragraph();
            }
            self.text.push('\n');
        }
    }

    /// A clause on a line of its own, set in, begun with a capital.
    fn verse(&mut self) {
        let mut line = self.sentence();
        // A long line goes on in the next, as verses do.
        if line.len() > 60
            && let Some(comma) = line.find(", ")
        {
            line.replace_range(comma..comma + 2, ",\n    ");
        }
        self.text.push_str("  ");
        self.text.push_str(&line);
        self.text.push('\n');
    }

    /// Sentences in lines of at most 72 characters.
    fn paragraph(&mut self) {
        let mut width = 0;
        for _ in 0..self.random.between(3, 9) {
            for word in self.sentence().split(' ') {
                let length = word.chars().count();
                if width + length > 71 {
                    self.text.push('\n');
                    width = 0;
                } else if width > 0 {
                    self.text.push(' ');
                    width += 1;
                }
                self.text.push_str(word);
                width += length;
            }
        }
        self.text.push('\n');
    }

    fn sentence(&mut self) -> String {
        let text = match self.random.below(9) {
            0 | 1 => {
                let (subject, verb, object) = self.clause();
                format!("{subject} {verb} {object}.")
            }
            2 | 3 => {
                let place = self.place();
                let (subject, verb, object) = self.clause();
                format!("{place} {verb} {subject} {object}.")
            }
            4 => {
                let (subject, verb, object) = self.clause();
                let joint = self.random.pick_early(SUBORDINATES);
                let main = self.clause();
                format!(
                    "{joint} {subject} {object} {verb}, {} {} {}.",
                    main.1, main.0, main.2
                )
            }
            5 => {
                let question = self.random.pick(QUESTIONS);
                let (subject, verb, object) = self.clause();
                match question {
                    "Wer" => format!("Wer {verb} {object}?"),
                    "Was" => format!("Was {verb} {subject} {}?", self.place()),
                    other => format!("{other} {verb} {subject} {object}?"),
                }
            }
            6 => {
                let cry = self.random.pick(CRIES);
                let (subject, verb, object) = self.clause();
                format!("{cry}, {subject} {verb} {object}!")
            }
            7 => {
                let adverb = self.random.pick(ADVERBS);
                let (subject, verb, object) = self.clause();
                let (joint, again) = (self.random.pick_early(JOINTS), self.verb());
                format!(
                    "{adverb} {verb} {subject} {object} {joint} {again} {}.",
                    self.place()
                )
            }
            _ => {
                let (subject, verb, object) = self.clause();
                let joint = self.random.pick_early(JOINTS);
                let next = self.clause();
                format!(
                    "{subject} {verb} {object}, {joint} {} {} {}.",
                    next.0, next.1, next.2
                )
            }
        };
        capital(&text)
    }

    /// Subject, verb and object, for the sentence to put in order.
    fn clause(&mut self) -> (String, String, String) {
        (
            self.noun_phrase(Case::Nominative),
            self.verb(),
            self.noun_phrase(Case::Accusative),
        )
    }

    fn verb(&mut self) -> String {
        let (prefix, stem) = (self.random.pick(PREFIXES), self.random.pick(VERBS));
        let ending = if self.random.percent(70) { "t" } else { "te" };
        format!("{prefix}{stem}{ending}")
    }

    fn place(&mut self) -> String {
        let preposition = self.random.pick_early(PREPOSITIONS);
        format!("{preposition} {}", self.noun_phrase(Case::Dative))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        for _ in 0..self.random.between(1, 2) {
            name.push_str(self.random.pick(ONSETS));
            name.push_str(self.random.pick(VOWELS));
        }
        name.push_str(self.random.pick(CODAS));
        capital(&name)
    }

    fn noun_phrase(&mut self, case: Case) -> String {
        // A name needs no article and has no ending.
        if self.random.percent(15) {
            return self.name();
        }
        let (last, gender) = self.random.pick(NOUNS);
        let noun = if self.random.percent(30) {
            format!("{}{}", self.random.pick(BEFORE), last.to_lowercase())
        } else {
            last.to_owned()
        };
        let definite = self.random.percent(60);
        let article = if definite {
            let articles = match case {
                Case::Nominative => ["der", "die", "das"],
                Case::Accusative => ["den", "die", "das"],
                Case::Dative => ["dem", "der", "dem"],
            };
            articles[gender].to_owned()
        } else {
            let stem = self
                .random
                .pick_early(&["ein", "mein", "kein", "dein", "sein", "unser"]);
            let ending = match case {
                Case::Nominative => ["", "e", ""],
                Case::Accusative => ["en", "e", ""],
                Case::Dative => ["em", "er", "em"],
            }[gender];
            format!("{stem}{ending}")
        };
        if self.random.percent(40) {
            return format!("{article} {noun}");
        }
        let endings = match (case, definite) {
            (Case::Nominative, true) => ["e", "e", "e"],
            (Case::Nominative, false) => ["er", "e", "es"],
            (Case::Accusative, true) => ["en", "e", "e"],
            (Case::Accusative, false) => ["en", "e", "es"],
            (Case::Dative, _) => ["en", "en", "en"],
        };
        let ending = endings[gender];
        let degree = if self.random.percent(20) { "er" } else { "" };
        format!(
            "{article} {}{degree}{ending} {noun}",
            self.random.pick(ADJECTIVES)
        )
    }
}

/// The same with its first letter large, which may be an umlaut.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_play_is_utf8_with_umlauts_and_lines_of_a_natural_length() {
        let text = String::from_utf8(generate()).expect("UTF-8");
        for letter in ["ä", "ö", "ü", "ß", "Ä", "Ü"] {
            assert!(text.matches(letter).count() > 20, "{letter}");
        }
        assert!(text.ends_with('\n'));
        assert!(text.lines().all(|line| line.chars().count() < 140));
        assert!(text.lines().count() > 3000);
    }

    #[test]
    fn articles_agree_with_the_noun() {
        let text = String::from_utf8(generate()).expect("UTF-8");
        let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).collect();
        let follows = |article, noun| words.windows(2).any(|pair| pair == [article, noun]);
        let mut agreeing = 0;
        for (noun, gender) in NOUNS {
            let right = [
                ["der", "den", "dem"],
                ["die", "die", "der"],
                ["das", "das", "dem"],
            ];
            for article in ["der", "die", "das", "den", "dem"] {
                if follows(article, noun) {
                    assert!(right[*gender].contains(&article), "{article} {noun}");
                    agreeing += 1;
                }
            }
        }
        assert!(agreeing > NOUNS.len(), "{agreeing}");
    }

    #[test]
    fn a_capital_may_be_an_umlaut() {
        assert_eq!(capital("über dem Tal"), "Über dem Tal");
        assert_eq!(capital(""), "");
    }
}
