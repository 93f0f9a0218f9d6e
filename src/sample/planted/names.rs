//! Words of which a schema's names and values are drawn. No value stands in two lists, so that a value in a sentence names
//! one thing.

use super::chance::index;
use crate::analysis::dice::Dice;

pub(super) const REGIONS: &[&str] = &[
    "Norland",
    "Ostmark",
    "Westreach",
    "Suderholm",
    "Midvale",
    "Highmoor",
    "Lakeshire",
    "Farcoast",
    "Inlet",
    "Plains",
];
pub(super) const CHANNELS: &[&str] = &["Wholesale", "Web shop", "Field sales", "Partner", "Telesales", "Marketplace"];
pub(super) const SEGMENTS: &[&str] = &["Public sector", "Mid-market", "Enterprise", "Trade", "Household", "Non-profit"];
pub(super) const CATEGORIES: &[&str] = &[
    "Lighting",
    "Fasteners",
    "Adhesives",
    "Cabling",
    "Coatings",
    "Filters",
    "Bearings",
    "Pumps",
    "Sealants",
    "Valves",
];
pub(super) const PRODUCTS: &[&str] = &[
    "Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gingko", "Hazel", "Ironwood", "Juniper", "Kapok", "Larch",
    "Maple", "Nutmeg", "Olive", "Poplar", "Quince", "Rowan", "Spruce", "Teak", "Ulmo", "Viburnum", "Willow", "Yew",
    "Zelkova", "Acacia", "Bamboo", "Cypress", "Ebony", "Hickory",
];
pub(super) const FIRST_WORDS: &[&str] = &[
    "Amber", "Bright", "Copper", "Delta", "Ember", "Falcon", "Granite", "Harbor", "Indigo", "Jasper", "Keystone",
    "Lunar", "Meridian", "Nimbus", "Orchid", "Pioneer",
];
pub(super) const LAST_WORDS: &[&str] =
    &["Traders", "Works", "Supply", "Foods", "Logistics", "Builders", "Partners", "Stores", "Motors", "Clinics"];
pub(super) const DEVICES: &[&str] = &["Tablet", "Phone", "Desktop", "Television", "Kiosk"];
pub(super) const COUNTRIES: &[&str] = &["Brasil", "Kenya", "Norge", "Portugal", "Vietnam", "Canada", "Chile", "Egypt"];
pub(super) const SOURCES: &[&str] = &["Newsletter", "Search", "Affiliates", "Direct", "Social", "Banner"];
pub(super) const RARE_SOURCES: &[&str] = &["Podcast", "Billboard", "Radio", "Leaflet", "Cinema"];
pub(super) const PROVIDERS: &[&str] = &["Paylane", "Cardio", "Swiftpay", "Monetra", "Trustly"];
pub(super) const DEPARTMENTS: &[&str] =
    &["Legal", "Finance", "Research", "Operations", "Marketing", "Procurement", "Quality", "Design", "Security"];
pub(super) const RARE_DEPARTMENTS: &[&str] = &["Archive", "Press office", "Museum", "Workshop"];
pub(super) const EXPENSES: &[&str] =
    &["Travel", "Lodging", "Training", "Meals", "Equipment", "Subscriptions", "Courier"];
pub(super) const GIVEN_NAMES: &[&str] = &[
    "Ada", "Bela", "Chiara", "Dario", "Edda", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaja", "Liam", "Mira",
    "Nils", "Oda", "Pavel", "Rosa", "Sven", "Tara", "Uwe", "Vera", "Wim",
];
pub(super) const FAMILY_NAMES: &[&str] = &[
    "Aalto", "Borg", "Castell", "Dvorak", "Eklund", "Ferrer", "Grund", "Holm", "Ito", "Jansen", "Kovac", "Lindt",
    "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Tanaka",
];
pub(super) const ISSUES: &[&str] =
    &["Login", "Invoice query", "Outage", "Delivery", "Refund", "Installation", "Upgrade"];
pub(super) const SITES: &[&str] = &["Aarhus", "Bilbao", "Cardiff", "Dresden", "Eindhoven", "Fukuoka", "Graz", "Haifa"];
pub(super) const RARE_SITES: &[&str] = &["Jersey", "Luxor", "Nassau", "Odense"];
pub(super) const TEAMS: &[&str] = &["Blue desk", "Green desk", "Red desk", "Night desk", "Second line"];

/// Draws one word.
pub(super) fn one(from: &[&str], dice: &mut Dice) -> String {
    (*dice.pick(from)).to_owned()
}

/// Draws `count` different words in a random order.
pub(super) fn some(from: &[&str], count: usize, dice: &mut Dice) -> Vec<String> {
    let mut left = from.to_vec();
    (0..count.min(left.len())).map(|_| left.swap_remove(index(left.len(), dice)).to_owned()).collect()
}

/// Draws `count` different names of two words.
pub(super) fn pairs(first: &[&str], last: &[&str], count: usize, dice: &mut Dice) -> Vec<String> {
    let all = first.iter().flat_map(|first| last.iter().map(move |last| format!("{first} {last}"))).collect::<Vec<_>>();
    some(&all.iter().map(String::as_str).collect::<Vec<_>>(), count, dice)
}
