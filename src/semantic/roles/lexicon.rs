//! The words in column names that indicate roles, in the singular and in lower case, some with weights.

/// Words with the strength of their evidence for a role, on a scale up to 10.
pub(super) type Weighted = &'static [(&'static str, i32)];

/// Ends of a name that make it an identifier.
pub(super) const IDENTIFIER_ENDS: &[&str] =
    &["id", "code", "key", "no", "nr", "number", "num", "uuid", "guid", "sk", "fk", "pk", "ref", "reference", "tag"];

/// Words of what there is at a moment, and not of what is added.
pub(super) const LEVELS: &[&str] =
    &["balance", "stock", "inventory", "backlog", "headcount", "level", "onhand", "hand", "bestand", "saldo"];

/// Ends of a name that make it a readable name.
pub(super) const NAME_ENDS: &[&str] = &["name", "title", "label"];

/// Names without a subject, which get the words of the table's name.
pub(super) const GENERIC: &[&str] =
    &["id", "code", "key", "no", "nr", "number", "uuid", "name", "title", "label", "full"];

/// Words for the person or organization that a row is about.
pub(super) const ENTITIES: Weighted = &[
    ("customer", 10),
    ("cust", 10),
    ("client", 10),
    ("kunde", 10),
    ("account", 10),
    ("acct", 10),
    ("subscriber", 10),
    ("member", 10),
    ("patient", 10),
    ("policyholder", 10),
    ("buyer", 10),
    ("consumer", 10),
    ("shopper", 10),
    ("guest", 10),
    ("student", 10),
    ("tenant", 10),
    ("donor", 10),
    ("passenger", 10),
    ("household", 10),
    ("user", 8),
    ("company", 8),
    ("organization", 8),
    ("organisation", 8),
    ("party", 8),
    ("partner", 8),
    ("dealer", 8),
    ("distributor", 8),
    ("retailer", 8),
    ("merchant", 8),
    ("contact", 7),
    ("caller", 7),
    ("requester", 7),
    ("reporter", 7),
    ("vendor", 5),
    ("supplier", 5),
    ("employee", 5),
    ("driver", 5),
    ("agent", 5),
    ("seller", 5),
    ("owner", 5),
    ("assigned", 3),
    ("assignee", 3),
];

/// Words that may stand beside an entity's word: `sold_to_customer_code`.
pub(super) const ENTITY_MODIFIERS: &[&str] =
    &["to", "sold", "bill", "ship", "end", "main", "primary", "unique", "external"];

/// Words for goods and services that are sold.
pub(super) const PRODUCTS: Weighted = &[
    ("product", 10),
    ("sku", 9),
    ("asin", 9),
    ("item", 8),
    ("article", 8),
    ("artikel", 8),
    ("isbn", 8),
    ("material", 7),
    ("stock", 7),
    ("part", 6),
    ("service", 4),
];

/// Words for production batches.
pub(super) const BATCHES: Weighted = &[("batch", 10), ("lot", 9)];

/// Words for areas; coarse areas have higher weights than fine ones.
pub(super) const REGIONS: Weighted = &[
    ("region", 10),
    ("territory", 9),
    ("zone", 9),
    ("country", 8),
    ("land", 7),
    ("market", 7),
    ("state", 6),
    ("province", 6),
    ("location", 5),
    ("district", 5),
    ("county", 5),
    ("area", 5),
    ("city", 4),
    ("town", 4),
];

/// Words that may stand beside an area's word: `ship_to_country`.
pub(super) const REGION_MODIFIERS: &[&str] =
    &["name", "code", "to", "ship", "shipping", "bill", "billing", "sale", "customer", "delivery", "store", "home"];

/// Words for the date of an event.
pub(super) const EVENT_DATES: Weighted = &[
    ("invoice", 9),
    ("billing", 9),
    ("billed", 9),
    ("sale", 9),
    ("sold", 9),
    ("order", 9),
    ("ordered", 9),
    ("purchase", 9),
    ("purchased", 9),
    ("transaction", 9),
    ("posting", 8),
    ("posted", 8),
    ("opened", 8),
    ("event", 8),
    ("occurred", 8),
    ("visit", 8),
    ("admission", 8),
    ("reported", 7),
    ("booking", 7),
    ("datum", 6),
    ("date", 5),
    ("day", 5),
    ("timestamp", 5),
    ("ts", 5),
    ("time", 5),
    ("start", 5),
    ("started", 5),
    ("created", 4),
    ("registered", 4),
    ("signup", 4),
];

/// Words for dates after the event, which are used only if there is no better date.
pub(super) const LATER_DATES: &[&str] = &[
    "closed",
    "processed",
    "completed",
    "delivered",
    "delivery",
    "shipped",
    "shipping",
    "paid",
    "payment",
    "resolved",
    "end",
];

/// Words for dates that are no event: birth, storage, change, expiry.
pub(super) const OTHER_DATES: &[&str] = &[
    "birth",
    "birthday",
    "born",
    "dob",
    "updated",
    "modified",
    "changed",
    "deleted",
    "archived",
    "expiry",
    "expire",
    "expired",
    "expiration",
    "due",
    "valid",
    "until",
    "warranty",
    "loaded",
    "inserted",
    "synced",
    "imported",
    "etl",
    "next",
    "planned",
    "scheduled",
    "expected",
];

/// Words for numbers that must not be summed.
pub(super) const RATES: &[&str] = &[
    "pct",
    "percent",
    "percentage",
    "ratio",
    "rate",
    "share",
    "score",
    "rating",
    "index",
    "avg",
    "average",
    "mean",
    "median",
    "factor",
    "probability",
    "balance",
    "level",
    "limit",
    "age",
    "temperature",
    "fx",
    "per",
    "rank",
    "satisfaction",
];

/// Words for numbers and texts that are meaningless when grouped or summed.
pub(super) const MEANINGLESS: &[&str] =
    &["latitude", "longitude", "lat", "lon", "lng", "url", "uri", "path", "json", "checksum", "etag"];

/// Words for parts of a date that are stored as a number.
pub(super) const DATE_PARTS: &[&str] =
    &["year", "month", "quarter", "week", "weekday", "day", "hour", "fy", "period", "date"];

/// Words for deductions from a price.
pub(super) const DISCOUNTS: &[&str] =
    &["discount", "rebate", "rabatt", "allowance", "deduction", "markdown", "concession"];

/// Words for the price of one unit.
pub(super) const PRICES: &[&str] = &["price", "mrp", "preis", "tariff"];

/// Words that make a price an amount, as in `total_price`.
pub(super) const TOTALS: &[&str] = &["total", "extended", "line", "sum", "subtotal"];

/// Words for the amount that remains after costs.
pub(super) const MARGINS: Weighted = &[("contribution", 10), ("margin", 9), ("profit", 8), ("ebitda", 7)];

/// Words for counts of units.
pub(super) const QUANTITIES: Weighted = &[
    ("quantity", 10),
    ("qty", 10),
    ("menge", 10),
    ("unit", 8),
    ("piece", 8),
    ("pcs", 8),
    ("count", 6),
    ("case", 5),
    ("box", 5),
    ("litre", 5),
    ("liter", 5),
    ("weight", 4),
    ("volume", 4),
    ("kg", 4),
    ("affected", 4),
];

/// Words for amounts, mostly of money. The weight is that of [`super::worth`]: of what a row is worth, what may be that,
/// what is spent or comes on top of it, and what is no money.
pub(super) const AMOUNTS: Weighted = &[
    ("amount", MONEY),
    ("amt", MONEY),
    ("betrag", MONEY),
    ("sale", MONEY),
    ("revenue", MONEY),
    ("umsatz", MONEY),
    ("turnover", MONEY),
    ("income", MONEY),
    ("payment", MONEY),
    ("paid", MONEY),
    ("premium", MONEY),
    ("donation", MONEY),
    ("profit", MONEY),
    ("value", LIKELY_MONEY),
    ("total", LIKELY_MONEY),
    ("subtotal", LIKELY_MONEY),
    ("spend", CHARGE),
    ("cost", CHARGE),
    ("expense", CHARGE),
    ("budget", CHARGE),
    ("fee", CHARGE),
    ("tax", CHARGE),
    ("vat", CHARGE),
    ("gst", CHARGE),
    ("commission", CHARGE),
    ("freight", CHARGE),
    ("postage", CHARGE),
    ("charge", CHARGE),
    ("surcharge", CHARGE),
    ("tip", CHARGE),
    ("toll", CHARGE),
    ("duration", NO_MONEY),
];

/// The weights of [`AMOUNTS`].
pub(super) const MONEY: i32 = 10;
pub(super) const LIKELY_MONEY: i32 = 6;
pub(super) const CHARGE: i32 = 3;
const NO_MONEY: i32 = 0;

/// Words that make an amount the price of a transport, which comes on top.
pub(super) const TRANSPORTS: &[&str] = &["shipping", "delivery"];

/// Words before a charge or a discount that say that it is in the amount, and that it is not.
pub(super) const INCLUDING: &[&str] = &["incl", "inc", "including", "with", "plus"];
pub(super) const EXCLUDING: &[&str] = &["excl", "ex", "excluding", "without"];

/// Words for documents and other records that a row represents, as opposed to the entity that it is about.
pub(super) const DOCUMENTS: &[&str] = &[
    "invoice",
    "order",
    "ticket",
    "receipt",
    "voucher",
    "document",
    "doc",
    "transaction",
    "txn",
    "payment",
    "shipment",
    "session",
    "event",
    "line",
    "row",
    "serial",
    "number",
    "incident",
    "case",
    "claim",
    "bill",
    "billing",
];

/// Words before `type` or `code` that name a kind of event.
pub(super) const EVENTS: &[&str] = &[
    "event",
    "transaction",
    "txn",
    "document",
    "doc",
    "billing",
    "movement",
    "invoice",
    "entry",
    "voucher",
    "posting",
    "sale",
    "order",
];

/// Values that distinguish returns from sales.
pub(super) const RETURN_VALUES: &[&str] =
    &["re", "ret", "return", "returned", "returns", "refund", "refunded", "credit", "chargeback", "reversal"];

/// Values that identify a column `state` as a status and not as an area.
pub(super) const STATUS_VALUES: &[&str] = &[
    "open",
    "closed",
    "new",
    "resolved",
    "active",
    "inactive",
    "pending",
    "processed",
    "submitted",
    "declined",
    "done",
    "cancelled",
    "completed",
    "draft",
    "approved",
    "in progress",
    "on hold",
];

/// Ends of a name that make it a classification: `customer_segment`.
pub(super) const CLASSES: &[&str] = &[
    "segment",
    "type",
    "category",
    "group",
    "class",
    "tier",
    "status",
    "line",
    "family",
    "kind",
    "grade",
    "channel",
    "division",
    "department",
    "brand",
    "flag",
    "method",
    "mode",
    "reason",
    "priority",
];

/// Words for free text.
pub(super) const FREE_TEXT: &[&str] =
    &["description", "comment", "note", "remark", "text", "body", "message", "summary", "detail", "subject", "content"];

/// Words for personal or secret values, of which no prompt may contain examples.
pub(super) const SENSITIVE: &[&str] = &[
    "email",
    "mail",
    "phone",
    "telephone",
    "mobile",
    "fax",
    "ssn",
    "passport",
    "aadhaar",
    "iban",
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "salt",
    "cvv",
    "birth",
    "birthday",
    "birthdate",
    "dob",
    "address",
    "street",
    "ip",
    "surname",
    "firstname",
    "lastname",
    "salary",
    "diagnosis",
    "religion",
];

/// Pairs of adjacent words for personal or secret values.
pub(super) const SENSITIVE_PAIRS: &[(&str, &str)] = &[
    ("first", "name"),
    ("last", "name"),
    ("family", "name"),
    ("card", "number"),
    ("card", "no"),
    ("national", "id"),
    ("tax", "id"),
    ("api", "key"),
    ("pan", "number"),
    ("pan", "no"),
];
