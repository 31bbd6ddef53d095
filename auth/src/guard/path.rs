//! Other guards for other paths.

use core::fmt;
use std::sync::Arc;

use cloverleaf_proto::handshake::{Check, Received, Rejection, RequestGuard, percent_decode};

/// Asks the guard of the longest prefix of the path, in whole segments: `/admin` is a prefix of
/// `/admin` and `/admin/log`, and not of `/administrator`.
///
/// Percent-encoded octets are decoded before segments are compared; case counts. A path that could be
/// understood in two ways is refused with 400, so that nobody gets around a guard by it: with `.` or
/// `..` or nothing between two slashes, with an encoded slash or backslash or a control
/// character, or with a percent sign that encodes nothing.
///
/// A path for which there is no guard is refused with 403, unless [`otherwise`](Self::otherwise) says
/// who is asked then.
///
/// ```
/// use cloverleaf_auth::guard::PerPath;
/// use cloverleaf_proto::handshake::{Received, Rejection};
///
/// fn everybody(_: &mut Received) -> Result<(), Rejection> {
///     Ok(())
/// }
/// fn nobody(_: &mut Received) -> Result<(), Rejection> {
///     Err(Rejection::forbidden("not yet"))
/// }
/// let guard = PerPath::new().at("/admin", nobody)?.otherwise(everybody);
/// # Ok::<(), cloverleaf_auth::guard::PathError>(())
/// ```
#[derive(Clone, Default)]
pub struct PerPath {
    /// The longest prefixes first.
    guards: Vec<(Segments, Arc<dyn RequestGuard>)>,
    otherwise: Option<Arc<dyn RequestGuard>>,
}

type Segments = Vec<Vec<u8>>;

/// A path that could be understood in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is no more to say")]
pub struct PathError;

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a path begins with a slash and has no empty segment, no `.` or `..`, no encoded slash, \
             backslash or control character, and no percent sign that encodes nothing",
        )
    }
}

impl core::error::Error for PathError {}

impl PerPath {
    /// Without guards: nobody passes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks this guard for paths with this prefix. A slash at its end does not count.
    ///
    /// # Errors
    ///
    /// What is no path, or could be understood in two ways.
    pub fn at(
        mut self,
        prefix: &str,
        guard: impl RequestGuard + 'static,
    ) -> Result<Self, PathError> {
        let segments = segments(prefix)?;
        self.guards.push((segments, Arc::new(guard)));
        self.guards
            .sort_by_key(|(segments, _)| core::cmp::Reverse(segments.len()));
        Ok(self)
    }

    /// Asks this guard for all other paths.
    #[must_use]
    pub fn otherwise(mut self, guard: impl RequestGuard + 'static) -> Self {
        self.otherwise = Some(Arc::new(guard));
        self
    }

    async fn decide(&self, received: &mut Received) -> Result<(), Rejection> {
        let path = segments(received.request.uri().path())
            .map_err(|_| Rejection::bad_request("the path could be understood in two ways"))?;
        let found = self
            .guards
            .iter()
            .find(|(prefix, _)| path.starts_with(prefix))
            .map(|(_, guard)| guard);
        match found.or(self.otherwise.as_ref()) {
            Some(guard) => guard.check(received).await,
            None => Err(Rejection::forbidden("nobody may connect at this path")),
        }
    }
}

/// The segments, decoded. A slash at the end begins none.
fn segments(path: &str) -> Result<Segments, PathError> {
    let path = path.strip_prefix('/').ok_or(PathError)?;
    if path.is_empty() {
        return Ok(Segments::new());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(segment).collect()
}

fn segment(written: &str) -> Result<Vec<u8>, PathError> {
    let segment = percent_decode(written.as_bytes()).ok_or(PathError)?;
    let is_bad = |octet: &u8| matches!(octet, b'/' | b'\\') || octet.is_ascii_control();
    if matches!(&*segment, b"" | b"." | b"..") || segment.iter().any(is_bad) {
        return Err(PathError);
    }
    Ok(segment)
}

impl RequestGuard for PerPath {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(self.decide(received))
    }
}

impl fmt::Debug for PerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerPath")
            .field("guards", &self.guards.len())
            .field("otherwise", &self.otherwise.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_mean_the_same_have_the_same_segments() {
        let one = segments("/a%20b/C").unwrap();
        assert_eq!(one, [&b"a b"[..], b"C"]);
        assert_eq!(segments("/%61 b/%43/").unwrap(), one);
        assert_eq!(segments("/").unwrap(), Segments::new());
    }

    #[test]
    fn paths_that_could_be_understood_in_two_ways_are_refused() {
        for path in [
            "",
            "a",
            "*",
            "//",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/../b",
            "/%2e%2E/b",
            "/.%2e",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/%00",
            "/%",
            "/%4",
            "/%zz",
            "/%+1",
            "/a%0a",
        ] {
            assert_eq!(segments(path), Err(PathError), "{path}");
        }
        for path in ["/...", "/.a", "/a.", "/a;b=c", "/%25", "/\u{e4}", "/%c3%a4"] {
            assert!(segments(path).is_ok(), "{path}");
        }
    }
}
