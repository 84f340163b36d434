use std::io;

use miette::Diagnostic;

/// A SIP server that is not in service, as far as anybody can tell. `server` is where it was asked, such as
/// `10.20.0.10:5060 over UDP`.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SipError {
    /// The network, or nobody listens.
    #[error("cannot reach the SIP server at {server}")]
    #[diagnostic(code("effects::sip::unreachable"))]
    Unreachable {
        /// Where.
        server: String,
        /// Why.
        source: io::Error,
    },
    /// No answer.
    #[error("the SIP server at {server} does not answer OPTIONS within {seconds} s")]
    #[diagnostic(
        code("effects::sip::silent"),
        help("is it running, and may SIP pass between it and this machine?")
    )]
    Silent {
        /// Where.
        server: String,
        /// How long.
        seconds: u64,
    },
    /// The connection ended without an answer.
    #[error("the SIP server at {server} closes the connection without an answer")]
    #[diagnostic(code("effects::sip::closed"))]
    Closed {
        /// Where.
        server: String,
    },
    /// TLS cannot be tried.
    #[error("TLS with {server} cannot be set up: {problem}")]
    #[diagnostic(code("effects::sip::tls"))]
    Tls {
        /// Where.
        server: String,
        /// Why.
        problem: String,
    },
    /// It says no.
    #[error("the SIP server at {server} answers OPTIONS with {status}: it is not in service")]
    #[diagnostic(code("effects::sip::status"))]
    Status {
        /// Where.
        server: String,
        /// 408, or 500 to 699.
        status: u16,
    },
}
