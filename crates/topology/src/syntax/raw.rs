use smol_str::SmolStr;

use crate::source::{Span, Spanned};

/// A node as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawNode {
    pub(crate) name: Spanned<SmolStr>,
    pub(crate) annotation: Option<Box<Spanned<SmolStr>>>,
    pub(crate) arguments: Vec<RawValue>,
    pub(crate) properties: Vec<(Spanned<SmolStr>, RawValue)>,
    /// None where no block is written.
    pub(crate) children: Option<Vec<RawNode>>,
    /// The whole node.
    pub(crate) span: Span,
    /// The node without its block.
    pub(crate) header: Span,
}

/// A value with what stands around it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawValue {
    pub(crate) annotation: Option<Box<Spanned<SmolStr>>>,
    pub(crate) value: Written,
    /// Without name and annotation.
    pub(crate) span: Span,
}

/// A value as written. Short texts, which most are, need no memory of their own.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    Text(SmolStr),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Null,
}

impl Written {
    pub(crate) fn as_string(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The same text would give it: `#nan` is `#nan`.
impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Null, Self::Null) => true,
            _ => false,
        }
    }
}
