//! What a careful owner asks about a server: encryption, the product behind the protocol, the rights of everybody.

/// How a connection is encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encryption {
    /// The version of TLS, such as `TLSv1.3`; `None` without encryption.
    pub version: Option<String>,
    /// The server's address, or `socket`.
    pub address: String,
    /// Whether the connection stays on this machine.
    pub is_local: bool,
}

/// The signs by which a product that speaks PostgreSQL's protocol is recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// The result of `version()`.
    pub version: String,
    /// Names of installed extensions.
    pub extensions: Vec<String>,
    /// Names of the functions that only one product has and that this one has.
    pub functions: Vec<String>,
    /// The prefixes, before the first dot, of the settings' names.
    pub setting_prefixes: Vec<String>,
}

/// What every role may do in a database beyond reading, and the schemas that have tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicRights {
    /// Schemas that contain tables.
    pub schemas: Vec<String>,
    /// Schemas in which everybody may create objects, as before PostgreSQL 15.
    pub open_schemas: Vec<String>,
    /// Rights on tables and sequences beyond reading, as a REVOKE names them.
    pub written: Vec<String>,
    /// Functions that run with their owner's rights and that everybody may call, with their arguments.
    pub definers: Vec<String>,
}
