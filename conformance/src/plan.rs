//! Divides the selected cases among several runs of the judge.
//!
//! The suite runs one case at a time and is itself the bottleneck; groups 12 and 13 are
//! nearly all of its time.

use std::cmp::Reverse;

use cloverleaf_reports::CaseId;

use crate::catalog;

/// How many shards each job gets to work through: enough that the jobs finish close
/// together, few enough that starting the judge (about a second) does not matter.
const SHARDS_PER_JOB: u64 = 6;

/// A shard weighs at least this much (milliseconds), whatever the number of jobs.
const LEAST_WEIGHT: u64 = 3_000;

/// Cuts the cases, which must be in id order, into runs of about equal weight, and orders
/// these: the quick groups first, because that is where most mistakes show, then the
/// heaviest first, so that the last ones to end are short.
pub fn shards(cases: &[CaseId], jobs: usize) -> Vec<Vec<CaseId>> {
    let total = weight(cases);
    let jobs = u64::try_from(jobs.max(1)).unwrap_or(u64::MAX);
    let pieces = SHARDS_PER_JOB.saturating_mul(jobs);
    let target = (total / pieces).max(LEAST_WEIGHT);

    let mut shards: Vec<Vec<CaseId>> = Vec::new();
    for case in cases {
        match shards.last_mut() {
            Some(shard)
                if weight(shard) + catalog::weight(case) <= target
                    && catalog::is_deflate(&shard[0]) == catalog::is_deflate(case) =>
            {
                shard.push(case.clone());
            }
            _ => shards.push(vec![case.clone()]),
        }
    }
    shards.sort_by_key(|shard| (catalog::is_deflate(&shard[0]), Reverse(weight(shard))));
    shards
}

fn weight(cases: &[CaseId]) -> u64 {
    cases.iter().map(catalog::weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_in_exactly_one_shard() {
        let all: Vec<_> = catalog::all().collect();
        for jobs in [0, 1, 2, 3, 8, 64, usize::MAX] {
            for cases in [&all[..], &all[..1], &all[100..400], &all[310..]] {
                let mut seen: Vec<_> = shards(cases, jobs).concat();
                seen.sort_unstable();
                assert_eq!(seen, cases, "{jobs} jobs");
            }
        }
        assert!(shards(&[], 2).is_empty());
    }

    #[test]
    fn no_shard_is_much_heavier_than_its_share() {
        let all: Vec<_> = catalog::all().collect();
        let heaviest_case = all.iter().map(catalog::weight).max().unwrap_or(0);
        for jobs in [1, 2, 8] {
            let share = (weight(&all) / (SHARDS_PER_JOB * jobs)).max(LEAST_WEIGHT);
            let shards = shards(&all, usize::try_from(jobs).expect("small"));
            assert!(shards.len() >= usize::try_from(jobs * SHARDS_PER_JOB).expect("small"));
            assert!(
                shards
                    .iter()
                    .all(|shard| weight(shard) <= share.max(heaviest_case))
            );
        }
    }

    #[test]
    fn the_quick_groups_come_first_and_then_the_heaviest() {
        let shards = shards(&catalog::all().collect::<Vec<_>>(), 2);
        assert!(!catalog::is_deflate(&shards[0][0]));
        assert!(catalog::is_deflate(&shards.last().expect("several")[0]));
        let deflate: Vec<_> = shards
            .iter()
            .filter(|shard| catalog::is_deflate(&shard[0]))
            .map(|shard| weight(shard))
            .collect();
        assert!(deflate.len() > 2 && deflate.is_sorted_by(|a, b| a >= b));
    }
}
