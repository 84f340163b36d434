//! Rows of Kamailio's tables: what can be changed while it runs.

use serde::{Deserialize, Serialize};

use crate::names::{is_host, is_number, is_word, quoted};

/// A user of this server and the password of its telephones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) extension: String,
    /// A reference, where the topology declares it.
    pub(crate) password: String,
}

/// How the members of a call group are rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ring {
    /// At once.
    All,
    /// One after the other.
    Next,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallGroup {
    pub(crate) name: String,
    pub(crate) ring: Ring,
    pub(crate) members: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trunk {
    pub(crate) name: String,
    /// The address from which its calls come.
    pub(crate) provider: String,
    /// Gets calls to a number that is neither an extension nor a call group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
}

/// A row of one of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    User(User),
    CallGroup(CallGroup),
    Trunk(Trunk),
}

const USERS: &str = "switchover_users";
const GROUPS: &str = "switchover_groups";
const TRUNKS: &str = "switchover_trunks";

impl Row {
    /// The table's name in Kamailio.
    pub(crate) fn table(&self) -> &'static str {
        match self {
            Self::User(_) => USERS,
            Self::CallGroup(_) => GROUPS,
            Self::Trunk(_) => TRUNKS,
        }
    }

    /// By what the routing finds the row.
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::User(user) => &user.extension,
            Self::CallGroup(group) => &group.name,
            Self::Trunk(trunk) => &trunk.provider,
        }
    }

    /// What the routing reads.
    pub(crate) fn value(&self) -> String {
        match self {
            Self::User(user) => user.password.clone(),
            Self::CallGroup(group) => {
                let ring = match group.ring {
                    Ring::All => "all",
                    Ring::Next => "next",
                };
                format!("{ring};{}", group.members.join(","))
            }
            Self::Trunk(trunk) => {
                let to = trunk.to.as_deref().unwrap_or_default();
                format!("{to};{}", trunk.name)
            }
        }
    }

    /// The row of a line such as `$sht(switchover_users=>101) = 'secret';`.
    ///
    /// Between single quotes every character means itself.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (table, rest) = line.strip_prefix("$sht(")?.split_once("=>")?;
        let (key, rest) = rest.split_once(')')?;
        let value = rest.trim_start().strip_prefix('=')?.trim();
        let value = quoted(value.strip_suffix(';')?.trim_end(), '\'')?;
        match table.trim() {
            USERS if is_number(key) => Some(Self::User(User {
                extension: key.into(),
                password: value.into(),
            })),
            GROUPS if is_number(key) => group(key, value).map(Self::CallGroup),
            TRUNKS if is_host(key) => trunk(key, value).map(Self::Trunk),
            _ => None,
        }
    }

    pub(crate) fn line(&self) -> String {
        format!(
            "$sht({}=>{}) = '{}';",
            self.table(),
            self.key(),
            self.value()
        )
    }
}

fn group(name: &str, value: &str) -> Option<CallGroup> {
    let (ring, members) = value.split_once(';')?;
    let ring = match ring {
        "all" => Ring::All,
        "next" => Ring::Next,
        _ => return None,
    };
    let members: Vec<String> = members.split(',').map(str::to_owned).collect();
    members
        .iter()
        .all(|member| is_number(member))
        .then(|| CallGroup {
            name: name.into(),
            ring,
            members,
        })
}

fn trunk(provider: &str, value: &str) -> Option<Trunk> {
    let (to, name) = value.split_once(';')?;
    let to = (!to.is_empty()).then_some(to);
    (is_word(name) && to.is_none_or(is_number)).then(|| Trunk {
        name: name.into(),
        provider: provider.into(),
        to: to.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_other_hands_are_not_ours() {
        for line in [
            "$sht(other=>101) = 'x';",
            "$sht(switchover_users=>101) = \"x\";",
            "$sht(switchover_users=>101) = 'x' + 'y';",
            "$sht(switchover_users=>$var(x)) = 'x';",
            "$sht(switchover_users=>101) = 7;",
            "$sht(switchover_groups=>a) = 'some;1';",
            "$sht(switchover_groups=>a) = 'all;1, 2';",
            "$sht(switchover_groups=>a) = 'all';",
            "$sht(switchover_trunks=>192.0.2.1) = '101';",
            "$var(x) = 'y';",
        ] {
            assert_eq!(Row::parse(line), None, "{line}");
        }
    }

    fn rows() -> impl Strategy<Value = Row> {
        let number = "[a-zA-Z0-9_.+-]{1,8}";
        prop_oneof![
            (number, "[^'\\p{Cc}]{0,12}").prop_map(|(extension, password)| Row::User(User {
                extension,
                password
            })),
            (number, any::<bool>(), prop::collection::vec(number, 1..4)).prop_map(
                |(name, all, members)| {
                    let ring = if all { Ring::All } else { Ring::Next };
                    Row::CallGroup(CallGroup {
                        name,
                        ring,
                        members,
                    })
                }
            ),
            (
                "[a-z]([a-z 0-9]{0,6}[a-z])?",
                "[0-9.]{7,15}",
                prop::option::of(number)
            )
                .prop_map(|(name, provider, to)| Row::Trunk(Trunk {
                    name,
                    provider,
                    to
                })),
        ]
    }

    proptest! {
        #[test]
        fn a_row_is_read_as_it_was_written(row in rows()) {
            prop_assert_eq!(Row::parse(&row.line()), Some(row));
        }
    }
}
