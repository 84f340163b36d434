//! Files from templates: the plugin's own, or the site's where its folder holds one of the same name.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

/// Instructions that one template may take for one file. A template decides what it loops over.
const FUEL: u64 = 5_000_000;

/// A template cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum RenderError {
    #[error("read the template {}", path.display())]
    #[diagnostic(
        code(switchover::template::read),
        help("check the `templates` folder of the target")
    )]
    Read { path: PathBuf, source: io::Error },
    #[error("parse the template `{name}`{}", place(origin.as_deref()))]
    #[diagnostic(code(switchover::template::syntax))]
    Syntax {
        name: String,
        origin: Option<PathBuf>,
        source: minijinja::Error,
    },
    #[error("render `{address}` from the template `{name}`: {}", reason(source))]
    #[diagnostic(
        code(switchover::template::render),
        help(
            "every value that a template uses must exist; `{{{{ value | default(\"\") }}}}` allows for a missing one"
        )
    )]
    Render {
        name: String,
        address: String,
        source: minijinja::Error,
    },
    #[error("render `{address}`: there is no template `{name}`")]
    #[diagnostic(code(switchover::template::unknown))]
    Unknown { name: String, address: String },
}

fn place(origin: Option<&Path>) -> String {
    origin.map_or_else(String::new, |path| format!(" in {}", path.display()))
}

fn reason(error: &minijinja::Error) -> String {
    let line = error
        .line()
        .map_or_else(String::new, |line| format!(" (line {line})"));
    format!("{}{line}", error.detail().unwrap_or("it failed"))
}

/// The templates of one target, each compiled once.
#[derive(Debug)]
pub(crate) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// `own` are the plugin's templates by name; `folder` may hold replacements.
    pub(crate) fn new(
        own: HashMap<String, String>,
        folder: Option<&Path>,
    ) -> Result<Self, RenderError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        // Only other delimiters than the default ones could be refused.
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build();
        environment.set_syntax(syntax.unwrap_or_default());
        for (name, body) in own {
            let (body, origin) = match folder.map(|folder| folder.join(&name)) {
                Some(path) => match fs::read_to_string(&path) {
                    Ok(body) => (body, Some(path)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => (body, None),
                    Err(source) => return Err(RenderError::Read { path, source }),
                },
                None => (body, None),
            };
            environment
                .add_template_owned(name.clone(), body)
                .map_err(|source| RenderError::Syntax {
                    name,
                    origin,
                    source,
                })?;
        }
        Ok(Self { environment })
    }

    /// The text for one file.
    pub(crate) fn render(
        &self,
        name: &str,
        context: &serde_json::Value,
        address: &str,
    ) -> Result<String, RenderError> {
        let template = self
            .environment
            .get_template(name)
            .map_err(|_| RenderError::Unknown {
                name: name.to_owned(),
                address: address.to_owned(),
            })?;
        template
            .render(minijinja::value::Serde(context))
            .map_err(|source| RenderError::Render {
                name: name.to_owned(),
                address: address.to_owned(),
                source,
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn own(body: &str) -> HashMap<String, String> {
        HashMap::from([("phone.cfg".to_owned(), body.to_owned())])
    }

    fn rendered(body: &str) -> Result<String, RenderError> {
        let templates = Templates::new(own(body), None)?;
        templates.render(
            "phone.cfg",
            &json!({ "name": "a/b & c", "list": [1, 2] }),
            "file/x",
        )
    }

    #[test]
    fn configuration_files_are_not_html() {
        assert_eq!(
            rendered("Label = {{ name }}\n").unwrap(),
            "Label = a/b & c\n"
        );
    }

    #[test]
    fn a_block_takes_no_line() {
        let body = "{% for n in list %}\n  n{{ n }}\n{% endfor %}\nend\n";
        assert_eq!(rendered(body).unwrap(), "  n1\n  n2\nend\n");
    }

    #[test]
    fn a_missing_value_a_bad_template_and_an_endless_one_are_errors() {
        let error = rendered("one\n{{ nmae }}\n").unwrap_err();
        assert!(
            error.to_string().contains("`file/x`") && error.to_string().contains("line 2"),
            "{error}"
        );
        assert!(matches!(
            rendered("{% if %}"),
            Err(RenderError::Syntax { .. })
        ));
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
        assert!(matches!(rendered(endless), Err(RenderError::Render { .. })));
    }

    #[test]
    fn the_sites_own_template_wins() {
        let folder = tempfile::tempdir().unwrap();
        let templates = |folder: &Path| Templates::new(own("own"), Some(folder)).unwrap();
        let render =
            |templates: &Templates| templates.render("phone.cfg", &json!({}), "file/x").unwrap();
        assert_eq!(render(&templates(folder.path())), "own");
        fs::write(folder.path().join("phone.cfg"), "the site's").unwrap();
        assert_eq!(render(&templates(folder.path())), "the site's");
    }
}
