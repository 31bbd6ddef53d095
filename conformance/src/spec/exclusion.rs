//! Cases that are left out for some agents.

use cloverleaf_reports::CaseId;

use super::cases;
use super::error::Problem;
use super::glob;
use super::reader::Object;

/// The field `exclude-agent-cases`: for agents of a pattern, cases of some patterns are not
/// run. `*` stands for anything, in both kinds of pattern, and both are matched as a whole.
///
/// An excluded case is opened and closed at once, and the report does not show it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AgentExclusions {
    rules: Vec<(String, Vec<String>)>,
}

impl AgentExclusions {
    /// Whether this case is left out for this agent.
    pub fn excludes(&self, agent: &str, case: &CaseId) -> bool {
        self.rules.iter().any(|(agents, cases)| {
            glob::matches_all(agents, agent)
                && cases
                    .iter()
                    .any(|pattern| glob::matches_all(pattern, case.as_str()))
        })
    }

    /// Reads the field from the outermost object of a spec.
    pub(super) fn read(
        spec: &Object<'_>,
        known: &[CaseId],
        warnings: &mut Vec<String>,
    ) -> Result<Self, Problem> {
        let mut rules = Vec::new();
        let Some(agents) = spec.object("exclude-agent-cases")? else {
            return Ok(Self { rules });
        };
        for agent in agents.names() {
            let cases = agents.strings(agent)?.unwrap_or_default();
            for (at, pattern) in cases.iter().enumerate() {
                let matched = known
                    .iter()
                    .any(|case| glob::matches_all(pattern, case.as_str()));
                if !matched {
                    let place = format!("{}[{at}]", agents.place(agent));
                    warnings.push(cases::no_effect(&place, pattern, known));
                }
            }
            rules.push((agent.to_owned(), cases));
        }
        Ok(Self { rules })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::cases::tests::known;
    use crate::spec::reader::parse_json;

    fn read(json: &str) -> (Result<AgentExclusions, Problem>, Vec<String>) {
        let value = parse_json(json).expect("JSON");
        let spec = Object::new(String::new(), &value).expect("an object");
        let mut warnings = Vec::new();
        let exclusions = AgentExclusions::read(&spec, &known(), &mut warnings);
        (exclusions, warnings)
    }

    #[test]
    fn agents_and_cases_are_matched_from_end_to_end() {
        let (exclusions, warnings) = read(
            r#"{"exclude-agent-cases": {
                "Chrome/*": ["12.*", "1.1.1"],
                "*Fox*": ["2.*"],
                "C++ (beta)": ["*"],
                "none": []
            }}"#,
        );
        let exclusions = exclusions.expect("well formed");
        assert_eq!(warnings, Vec::<String>::new());
        for (agent, case, excluded) in [
            ("Chrome/10", "12.1.1", true),
            ("Chrome/", "1.1.1", true),
            ("Chrome", "1.1.1", false),
            ("My Chrome/10", "1.1.1", false),
            ("Chrome/10", "1.1.2", false),
            ("Chrome/10", "2.1", false),
            ("FireFox 3", "2.10", true),
            ("Firefox 3", "2.10", false),
            ("C++ (beta)", "7.1.1", true),
            ("C++ (beta)", "handshake.1", true),
            ("C++ (beta) 2", "7.1.1", false),
            ("CC (beta)", "7.1.1", false),
            ("none", "7.1.1", false),
        ] {
            let case = case.parse().expect("an id");
            assert_eq!(
                exclusions.excludes(agent, &case),
                excluded,
                "{agent} {case}"
            );
        }
    }

    #[test]
    fn without_the_field_nothing_is_excluded() {
        for json in [
            "{}",
            r#"{"exclude-agent-cases": {}}"#,
            r#"{"exclude-agent-cases": null}"#,
        ] {
            let (exclusions, _) = read(json);
            assert_eq!(exclusions.expect(json), AgentExclusions::default());
        }
    }

    #[test]
    fn a_pattern_that_matches_no_whole_id_is_warned_of() {
        for (pattern, advice) in [
            ("9.1", "write `9.1.*`"),
            ("6.4.", "write `6.4.*`"),
            ("8.*", "only `*` is special"),
        ] {
            let (exclusions, warnings) = read(&format!(
                r#"{{"exclude-agent-cases": {{"A": ["1.*", "{pattern}"]}}}}"#
            ));
            assert!(exclusions.is_ok());
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(
                warnings[0].starts_with("`exclude-agent-cases.A[1]` has no effect"),
                "{warnings:?}"
            );
            assert!(warnings[0].contains(advice), "{warnings:?}");
        }
    }

    #[test]
    fn other_shapes_are_errors() {
        for (json, expected) in [
            (
                r#"{"exclude-agent-cases": ["A"]}"#,
                "`exclude-agent-cases` must be an object, {...}, but is a list",
            ),
            (
                r#"{"exclude-agent-cases": {"A": "1.*"}}"#,
                "`exclude-agent-cases.A` must be a list of texts, [\"...\"], but is the text \"1.*\"",
            ),
            (
                r#"{"exclude-agent-cases": {"A": [1]}}"#,
                "`exclude-agent-cases.A[0]` must be a text in double quotes, but is 1",
            ),
        ] {
            let (exclusions, _) = read(json);
            assert_eq!(exclusions.expect_err(json).to_string(), expected);
        }
    }
}
