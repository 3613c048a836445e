//! What a hook's commands may set in a user profile: the question, which the owner of the user schema answers.

/// What the user schema says of an attribute that a command wants to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// In the schema, and a hook may set it.
    Known,
    /// Not in the schema.
    Unknown,
    /// In the schema or of the user object, but no hook may set it.
    Forbidden,
}

/// The attributes of a user schema, by name. Names are compared as written.
pub trait UserAttributes {
    /// What a command that sets `name` meets.
    fn attribute(&self, name: &str) -> Attribute;

    /// All names a command may set; the nearest one is proposed for a misspelt name.
    fn names(&self) -> Vec<&str>;
}
