//! Which results the page holds as they are, and which it holds packed.

use super::markup::Markup;
use super::result::{Extent, ResultView};
use super::suite::Row;
use crate::model::Standing;

/// The most bytes of results that are not packed.
const BUDGET: usize = 2_000_000;

/// For each row and column whether the result stands in the page as it is.
pub(super) struct Plan {
    unpacked: Vec<Vec<bool>>,
}

impl Plan {
    /// Failures first, then notes, each as long as it fits; what passed only if all of it does.
    pub(super) fn of(rows: &[&Row<'_>]) -> Self {
        Self::within(BUDGET, rows)
    }

    fn within(mut budget: usize, rows: &[&Row<'_>]) -> Self {
        let mut unpacked: Vec<Vec<bool>> = rows
            .iter()
            .map(|row| vec![false; row.results.len()])
            .collect();
        for standing in [Standing::Fail, Standing::Notes] {
            for (row, unpacked) in rows.iter().zip(&mut unpacked) {
                for view in row
                    .views()
                    .filter(|view| view.result.standing() == standing)
                {
                    if let Some(rest) = budget.checked_sub(length(&view)) {
                        budget = rest;
                        unpacked[view.position] = true;
                    }
                }
            }
        }
        let mut quiet = rows
            .iter()
            .flat_map(|row| row.views())
            .filter(|view| view.result.standing().is_pass());
        let fits = quiet
            .try_fold(budget, |budget, view| budget.checked_sub(length(&view)))
            .is_some();
        if fits {
            for (row, unpacked) in rows.iter().zip(&mut unpacked) {
                for view in row.views().filter(|view| view.result.standing().is_pass()) {
                    unpacked[view.position] = true;
                }
            }
        }
        Self { unpacked }
    }

    /// Whether a result stands in the page as it is.
    pub(super) fn is_unpacked(&self, row: usize, column: usize) -> bool {
        self.unpacked[row][column]
    }
}

fn length(view: &ResultView<'_>) -> usize {
    let mut markup = Markup::default();
    view.write(&mut markup, Extent::Whole);
    markup.len()
}
