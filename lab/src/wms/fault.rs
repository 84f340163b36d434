//! Ways in which a WMS misbehaves on demand.

/// A way of misbehaving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WmsFault {
    /// An error with this status and the usual envelope; nothing is carried out.
    Status(u16),
    /// The token is no longer taken (401); nothing is carried out.
    Expired,
    /// Too many requests (429), with this many seconds in `Retry-After`; nothing is carried out.
    TooMany(u32),
    /// No answer, ever; nothing is carried out.
    TimeOut,
    /// A 200 with this text as JSON; nothing is carried out.
    Answer(String),
    /// The request is carried out, and the connection closed in the middle of the answer.
    Truncated,
}

/// Which requests a fault is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    method: Option<String>,
    path: Option<String>,
    skipped: usize,
    times: Option<usize>,
}

impl Matching {
    /// Every request.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Requests with this method whose path begins with `path`, such as `/api/v1/PBX/Colleagues`.
    #[must_use]
    pub fn to(method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            ..Self::default()
        }
    }

    /// Lets the first `count` of them pass.
    #[must_use]
    pub fn after(mut self, count: usize) -> Self {
        self.skipped = count;
        self
    }

    /// Only the next one.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.times = Some(1);
        self
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self
                .path
                .as_ref()
                .is_none_or(|start| path.starts_with(start.as_str()))
    }
}

/// Faults that wait for their requests.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Matching, WmsFault)>);

impl Faults {
    pub(super) fn plan(&mut self, matching: Matching, fault: WmsFault) {
        self.0.push((matching, fault));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault planned first that fits this request. Asking counts the request.
    pub(super) fn meet(&mut self, method: &str, path: &str) -> Option<WmsFault> {
        for (matching, fault) in &mut self.0 {
            if !matching.fits(method, path) {
                continue;
            }
            if matching.skipped > 0 {
                matching.skipped -= 1;
                continue;
            }
            match &mut matching.times {
                Some(0) => continue,
                Some(left) => *left -= 1,
                None => {}
            }
            return Some(fault.clone());
        }
        None
    }
}
