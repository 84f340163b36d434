//! RRsets and what is asked of them, in words.

/// All records of one owner and one type, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rrset {
    /// Domain name in presentation form, lower case, without the final dot.
    pub owner: String,
    /// Mnemonic such as `SRV`; `TYPE` and a number where there is none.
    pub rtype: String,
    /// Seconds.
    pub ttl: u32,
    /// Data of the records in presentation form, ascending, names absolute with the final dot. Empty: no such RRset.
    pub data: Vec<String>,
}

/// One message of RFC 2136.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The zone, without the final dot.
    pub zone: String,
    /// What has to be there still; the TTL does not count.
    pub require: Vec<Rrset>,
    /// What is there afterwards.
    pub replace: Vec<Rrset>,
}
