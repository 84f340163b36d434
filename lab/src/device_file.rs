//! Reading device files as a phone does.

use std::collections::BTreeMap;

/// The settings of an Akuvox-style `{mac}.cfg`: lines `Key = value`. Blank lines and lines that begin with `#` say nothing;
/// where a key is set twice the later line wins, as on the phone.
#[must_use]
pub fn akuvox_settings(file: &str) -> BTreeMap<String, String> {
    file.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::akuvox_settings;

    #[test]
    fn keys_and_values_are_read() {
        let settings = akuvox_settings(
            "#!version:1.0.0.1\nConfig.Account1.SIP.Server = pbx1\n\nA=b = c\nA = d\n",
        );
        assert_eq!(settings["Config.Account1.SIP.Server"], "pbx1");
        assert_eq!(settings["A"], "d");
        assert_eq!(settings.len(), 2);
    }
}
