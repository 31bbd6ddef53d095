//! Challenges and credentials as fields have them (RFC 9110 §11.2 to §11.6).

/// A scheme with what belongs to it: a challenge, or credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Element {
    /// The scheme, in the case of letters that it came in.
    pub scheme: String,
    /// What stands behind it instead of parameters.
    pub token68: Option<String>,
    /// The parameters, in their order.
    pub parameters: Vec<Parameter>,
}

/// A parameter, such as `realm="x"`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name, in small letters.
    pub name: String,
    /// The value, without quotes and what they need.
    pub value: String,
    /// Whether it came as a quoted string.
    pub quoted: bool,
}

impl Element {
    /// Whether it is one of this scheme.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        let mut all = self.parameters.iter();
        all.find(|parameter| parameter.name == name)
    }

    /// The value of the parameter of this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parameter(name)
            .map(|parameter| parameter.value.as_str())
    }

    /// Whether the list in the parameter of this name has the element.
    pub fn lists(&self, name: &str, element: &str) -> bool {
        let mut items = self.value(name).unwrap_or_default().split(',');
        items.any(|item| item.trim().eq_ignore_ascii_case(element))
    }
}

/// All elements of a field's value.
///
/// # Errors
///
/// A sentence on what is not as the grammar has it. A parameter that comes twice in an element is
/// an error too (§11.2).
pub fn elements(value: &str) -> Result<Vec<Element>, String> {
    let mut reader = Reader { rest: value };
    let mut elements: Vec<Element> = Vec::new();
    loop {
        reader.skip(&[' ', '\t', ',']);
        if reader.rest.is_empty() {
            return Ok(elements);
        }
        let word = reader.token()?;
        let spaces = reader.skip(&[' ', '\t']);
        if reader.take('=') {
            let element = elements
                .last_mut()
                .ok_or_else(|| format!("{word:?} is a parameter without a scheme"))?;
            reader.skip(&[' ', '\t']);
            let parameter = reader.parameter(word)?;
            element.add(parameter)?;
        } else {
            let mut element = Element {
                scheme: word.to_owned(),
                token68: None,
                parameters: Vec::new(),
            };
            if spaces > 0 && !reader.rest.is_empty() && !reader.rest.starts_with(',') {
                reader.first(&mut element)?;
            }
            elements.push(element);
        }
        reader.skip(&[' ', '\t']);
        if !reader.rest.is_empty() && !reader.rest.starts_with(',') {
            return Err(format!("a comma is missing before {:?}", reader.rest));
        }
    }
}

impl Element {
    fn add(&mut self, parameter: Parameter) -> Result<(), String> {
        if self.parameter(&parameter.name).is_some() {
            return Err(format!("the parameter {} comes twice", parameter.name));
        }
        self.parameters.push(parameter);
        Ok(())
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, chars: &[char]) -> usize {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches(chars);
        before - self.rest.len()
    }

    fn take(&mut self, char: char) -> bool {
        let rest = self.rest.strip_prefix(char);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn while_any(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|char| !wanted(char))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn token(&mut self) -> Result<&'a str, String> {
        let word = self.while_any(is_tchar);
        match word.is_empty() {
            true => Err(format!("there should be a token at {:?}", self.rest)),
            false => Ok(word),
        }
    }

    /// What stands behind a scheme: a parameter, or octets in some base 64.
    fn first(&mut self, element: &mut Element) -> Result<(), String> {
        let token68 = {
            let mut ahead = Reader { rest: self.rest };
            let digits = ahead
                .while_any(|char| char.is_ascii_alphanumeric() || "-._~+/".contains(char))
                .len();
            let padding = ahead.while_any(|char| char == '=').len();
            ahead.skip(&[' ', '\t']);
            let ends = ahead.rest.is_empty() || ahead.rest.starts_with(',');
            (digits > 0 && ends).then_some(digits + padding)
        };
        if let Some(length) = token68 {
            let (word, rest) = self.rest.split_at(length);
            element.token68 = Some(word.to_owned());
            self.rest = rest;
            return Ok(());
        }
        let name = self.token()?;
        self.skip(&[' ', '\t']);
        if !self.take('=') {
            return Err(format!("{name:?} is neither a parameter nor octets"));
        }
        self.skip(&[' ', '\t']);
        let parameter = self.parameter(name)?;
        element.add(parameter)
    }

    /// The value of a parameter of this name.
    fn parameter(&mut self, name: &str) -> Result<Parameter, String> {
        let quoted = self.take('"');
        let value = if quoted {
            self.quoted(name)?
        } else {
            self.token()?.to_owned()
        };
        Ok(Parameter {
            name: name.to_ascii_lowercase(),
            value,
            quoted,
        })
    }

    fn quoted(&mut self, name: &str) -> Result<String, String> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                '\\' => value.extend(chars.next().map(|(_, char)| char)),
                char if char.is_ascii_control() && char != '\t' => {
                    return Err(format!("there is a control character in {name}"));
                }
                char => value.push(char),
            }
        }
        Err(format!("the quoted string of {name} does not end"))
    }
}

fn is_tchar(char: char) -> bool {
    char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char)
}

/// A value as a quoted string.
pub fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each element as `scheme token68 name=value …`, with a star behind what was quoted.
    fn shown(value: &str) -> Result<Vec<String>, String> {
        let words = |element: &Element| {
            let mut words = vec![element.scheme.clone()];
            words.extend(element.token68.clone());
            words.extend(element.parameters.iter().map(|parameter| {
                let star = if parameter.quoted { "*" } else { "" };
                format!("{}={}{star}", parameter.name, parameter.value)
            }));
            words.join(" ")
        };
        elements(value).map(|elements| elements.iter().map(words).collect())
    }

    #[test]
    fn commas_between_challenges_and_within_are_told_apart() {
        for (value, expected) in [
            ("Basic realm=\"a\"", &["Basic realm=a*"][..]),
            (
                "Digest realm=\"a, b\", nonce=\"x\", qop=\"auth,auth-int\"",
                &["Digest realm=a, b* nonce=x* qop=auth,auth-int*"],
            ),
            (
                "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=x",
                &[
                    "Newauth realm=apps* type=1 title=Login to \"apps\"*",
                    "Basic realm=x",
                ],
            ),
            (
                "Negotiate abc==, Basic realm=x",
                &["Negotiate abc==", "Basic realm=x"],
            ),
            ("Negotiate, basic", &["Negotiate", "basic"]),
            (",, Basic Realm = x ,,", &["Basic realm=x"]),
            ("Basic", &["Basic"]),
            ("Basic Og==", &["Basic Og=="]),
            ("", &[]),
        ] {
            assert_eq!(shown(value).expect(value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_grammar_is_named() {
        for value in [
            "Basic realm=\"a",
            "Basic realm=a realm=b",
            "Basic realm=a, REALM=b",
            "realm=a",
            "Basic a=b, realm=",
            "Basic \u{e9}=a",
            "Digest a=\"x\u{7}\"",
        ] {
            assert!(elements(value).is_err(), "{value}");
        }
    }

    #[test]
    fn what_is_quoted_comes_back() {
        let value = format!("X a={}", quoted("a\"b\\c"));
        assert_eq!(
            elements(&value).expect("right")[0].value("a"),
            Some("a\"b\\c")
        );
    }
}
