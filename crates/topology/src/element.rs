//! A node whose values have been checked against the language's table: what lies between the document and the model,
//! in both directions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::civil::Date;
use smol_str::SmolStr;
use switchover_catalogue::DottedVersion;
use url::Url;

use crate::choice::Choice;
use crate::model::{Setting, Settings};
use crate::schema::Spec;
use crate::source::{Span, Spanned};
use crate::value::{Extension, MacAddr, SecretSource};

/// A node with typed values.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) spec: &'static Spec,
    pub(crate) span: Span,
    /// Where a finding about the node as a whole points.
    pub(crate) header: Span,
    /// Arguments and fields by their keys; a list is the same key several times.
    pub(crate) values: Vec<(&'static str, Spanned<Scalar>)>,
    pub(crate) nodes: Vec<Element>,
    pub(crate) settings: Settings,
    /// Required values that are still missing, with what a finding about it says.
    pub(crate) missing: Vec<&'static str>,
    /// Whether something in it was reported so that it cannot be built.
    pub(crate) broken: bool,
}

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Text(SmolStr),
    Boolean(bool),
    Integer(u32),
    Duration(Duration),
    Address(IpAddr),
    Subnet(IpNet),
    Mac(MacAddr),
    Version(DottedVersion),
    Date(Date),
    /// Boxed: it is the largest by far, and rare.
    Url(Box<Url>),
    Extension(Extension),
    Secret(SecretSource),
}

impl Element {
    pub(crate) fn new(spec: &'static Spec, span: Span) -> Self {
        Self {
            spec,
            span,
            header: span,
            values: Vec::new(),
            nodes: Vec::new(),
            settings: BTreeMap::<String, Setting>::new(),
            missing: Vec::new(),
            broken: false,
        }
    }

    pub(crate) fn values_of<'a>(
        &'a self,
        key: &'a str,
    ) -> impl Iterator<Item = &'a Spanned<Scalar>> {
        self.values
            .iter()
            .filter(move |(of, _)| *of == key)
            .map(|(_, value)| value)
    }

    pub(crate) fn value(&self, key: &str) -> Option<&Spanned<Scalar>> {
        self.values
            .iter()
            .find(|(of, _)| *of == key)
            .map(|(_, value)| value)
    }

    pub(crate) fn nodes_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.nodes.iter().filter(move |node| node.spec.name == name)
    }

    /// The name by which others refer to it: its first argument.
    pub(crate) fn name(&self) -> Option<Spanned<String>> {
        self.called()
            .map(|name| Spanned::new(name.value.into_owned(), name.span))
    }

    /// As [`Self::name`], without a copy where it is a text.
    pub(crate) fn called(&self) -> Option<Spanned<Cow<'_, str>>> {
        let value = self.value(self.spec.arguments.first()?.key)?;
        let name = match &value.value {
            Scalar::Text(text) => Cow::Borrowed(text.as_str()),
            Scalar::Extension(extension) => Cow::Borrowed(extension.as_str()),
            other => Cow::Owned(other.to_string()),
        };
        Some(Spanned::new(name, value.span))
    }
}

impl std::fmt::Display for Scalar {
    /// The value as a topology spells it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Boolean(flag) => write!(formatter, "{flag}"),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Duration(duration) => {
                formatter.write_str(&crate::value::spell_duration(*duration))
            }
            Self::Address(address) => write!(formatter, "{address}"),
            Self::Subnet(subnet) => write!(formatter, "{subnet}"),
            Self::Mac(mac) => write!(formatter, "{mac}"),
            Self::Version(version) => write!(formatter, "{version}"),
            Self::Date(date) => write!(formatter, "{date}"),
            Self::Url(url) => write!(formatter, "{url}"),
            Self::Extension(extension) => write!(formatter, "{extension}"),
            Self::Secret(source) => write!(formatter, "{source}"),
        }
    }
}

/// A type of the model that is one scalar in the document.
pub(crate) trait Value: Sized + Clone {
    fn from_scalar(scalar: &Scalar) -> Option<Self>;
    fn to_scalar(&self) -> Scalar;
}

macro_rules! values {
    ($($type:ty = $variant:ident),* $(,)?) => {$(
        impl Value for $type {
            fn from_scalar(scalar: &Scalar) -> Option<Self> {
                match scalar {
                    Scalar::$variant(value) => value.clone().try_into().ok(),
                    _ => None,
                }
            }

            fn to_scalar(&self) -> Scalar {
                Scalar::$variant(self.clone().into())
            }
        }
    )*};
}

values! {
    bool = Boolean,
    u8 = Integer,
    u16 = Integer,
    u32 = Integer,
    Duration = Duration,
    IpAddr = Address,
    IpNet = Subnet,
    MacAddr = Mac,
    DottedVersion = Version,
    Date = Date,
    String = Text,
    Extension = Extension,
    SecretSource = Secret,
}

impl Value for Url {
    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Url(url) => Some(url.as_ref().clone()),
            _ => None,
        }
    }

    fn to_scalar(&self) -> Scalar {
        Scalar::Url(Box::new(self.clone()))
    }
}

impl<T: Choice> Value for T {
    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Text(word) => Self::from_word(word),
            _ => None,
        }
    }

    fn to_scalar(&self) -> Scalar {
        Scalar::Text(SmolStr::new_static(self.word()))
    }
}
