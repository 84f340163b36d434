//! Plans, plugins and explanations as people and programs read them. Of a plan, the outline says what is shown and each
//! format says how.

pub(crate) mod checked;
pub(crate) mod comparison;
pub(crate) mod drift;
pub(crate) mod ending;
pub(crate) mod fields;
pub(crate) mod generations;
pub(crate) mod happened;
pub(crate) mod layout;
pub(crate) mod markdown;
pub(crate) mod notices;
pub(crate) mod outline;
pub(crate) mod plan_human;
pub(crate) mod plan_json;
pub(crate) mod plan_markdown;
pub(crate) mod plugin;
pub(crate) mod runbook;
pub(crate) mod state;
pub(crate) mod text;
pub(crate) mod words;

#[cfg(test)]
mod tests;
