//! What a command prints: the end of it is kept.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::trace::Reporting;

/// How much of each output is kept: its end, where programs say what went wrong.
const KEPT_BYTES: usize = 64 * 1024;

/// How much of it an error shows.
const SHOWN_LINES: usize = 20;
const SHOWN_CHARS: usize = 2000;

/// The end of an output.
#[derive(Debug, Default)]
pub(super) struct Printed {
    pub(super) kept: Vec<u8>,
    /// Whether the beginning is missing.
    pub(super) cut: bool,
}

impl Printed {
    fn add(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        // Twice the limit before cutting: each byte is then moved once at most.
        if self.kept.len() > 2 * KEPT_BYTES {
            self.trim();
        }
    }

    fn trim(&mut self) {
        if let Some(surplus) = self.kept.len().checked_sub(KEPT_BYTES + 1) {
            self.kept.drain(..=surplus);
            self.cut = true;
        }
    }

    /// As text, beginning with a whole line where the beginning is missing: a line cut in two could show the half of
    /// a secret that nothing recognises.
    fn text(&self) -> String {
        let whole = if self.cut {
            self.kept
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(&[][..], |at| &self.kept[at + 1..])
        } else {
            &self.kept[..]
        };
        String::from_utf8_lossy(whole).into_owned()
    }

    /// Takes a whole line that begins with `marker` out, with the line break before it; gives what is behind the
    /// marker.
    fn take_line(&mut self, marker: &str, from: usize) -> Option<String> {
        let marker = marker.as_bytes();
        let found = self.kept.get(from..)?;
        let at = from
            + found
                .windows(marker.len())
                .position(|part| part == marker)?;
        let rest = at + marker.len();
        let end = rest + self.kept[rest..].iter().position(|&byte| byte == b'\n')?;
        let line = String::from_utf8_lossy(&self.kept[rest..end]).into_owned();
        self.kept.drain(at.saturating_sub(1)..=end);
        Some(line)
    }
}

/// An output that is being read.
pub(super) struct Tail<R> {
    pipe: Option<R>,
    printed: Printed,
}

impl<R: AsyncRead + Unpin> Tail<R> {
    pub(super) fn of(pipe: Option<R>) -> Self {
        Self {
            pipe,
            printed: Printed::default(),
        }
    }

    /// Reads a piece; false at the end.
    async fn read(&mut self) -> bool {
        let mut chunk = [0; 8192];
        let Some(pipe) = &mut self.pipe else {
            return false;
        };
        match pipe.read(&mut chunk).await {
            Ok(0) | Err(_) => {
                self.pipe = None;
                self.printed.trim();
                false
            }
            Ok(count) => {
                self.printed.add(&chunk[..count]);
                true
            }
        }
    }

    pub(super) async fn read_to_end(&mut self) {
        while self.read().await {}
    }

    pub(super) async fn read_for_ever(&mut self) -> std::convert::Infallible {
        self.read_to_end().await;
        std::future::pending().await
    }

    /// Reads until a line that begins with `marker`, takes it out, and gives what is behind the marker; none where the
    /// output ends before.
    pub(super) async fn read_to_line(&mut self, marker: &str) -> Option<String> {
        let mut looked = 0;
        loop {
            if let Some(line) = self.printed.take_line(marker, looked) {
                return Some(line);
            }
            // The line may lie across two pieces.
            looked = self.printed.kept.len().saturating_sub(marker.len() + 64);
            let before = self.printed.kept.len();
            if !self.read().await {
                return self.printed.take_line(marker, 0);
            }
            if self.printed.kept.len() < before {
                looked = 0;
            }
        }
    }

    pub(super) fn end(mut self) -> Printed {
        self.printed.trim();
        self.printed
    }
}

/// The last lines of what a command printed: its standard error, or where that is empty its standard output.
pub(super) fn excerpt(
    stdout: &Printed,
    stderr: &Printed,
    silent: bool,
    reporting: &Reporting,
) -> String {
    let mut text = stderr.text();
    if text.trim().is_empty() && !silent {
        text = stdout.text();
    }
    let text = reporting.redact(&text);
    let lines: Vec<&str> = text.trim().lines().collect();
    let end = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
    let surplus = end.chars().count().saturating_sub(SHOWN_CHARS);
    end.chars()
        .skip(surplus)
        .filter(|&c| c == '\n' || !c.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{KEPT_BYTES, Tail};

    #[tokio::test]
    async fn a_marked_line_is_found_wherever_it_is_and_taken_out() {
        for before in [0, 1, 8190, 8192, KEPT_BYTES, 3 * KEPT_BYTES] {
            let mut text = vec![b'x'; before];
            text.extend_from_slice(b"\nmark exit 3\nleft behind");
            let mut tail = Tail::of(Some(text.as_slice()));
            assert_eq!(tail.read_to_line("mark ").await.as_deref(), Some("exit 3"));
            tail.read_to_end().await;
            let printed = tail.end();
            assert!(printed.kept.ends_with(b"left behind"), "{before}");
            assert!(!printed.kept.windows(4).any(|part| part == b"mark"));
            assert!(printed.kept.len() <= KEPT_BYTES);
        }
        let mut tail = Tail::of(Some(&b"nothing of the kind: mark"[..]));
        assert_eq!(tail.read_to_line("mark ").await, None);
    }
}
