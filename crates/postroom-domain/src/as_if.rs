//! Settings as they might be: one value changed by its name, so that any setting can be tried before it is saved.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A setting that cannot be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotASetting {
    /// There is no such setting.
    #[error("there is no setting `{name}`; there are {known}")]
    Unknown {
        /// As written.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The value means nothing for it.
    #[error("`{value}` is no value of {name}: {why}")]
    Value {
        /// Which setting.
        name: String,
        /// As written.
        value: String,
        /// Why not.
        why: String,
    },
}

/// The settings with one of them changed. A name is that of the setting, with dots between the levels; it may be written
/// with `-` or `_`. A list is written as its one value, or as a JSON array.
///
/// # Errors
/// When there is no such setting, or the value is none of it.
pub fn with<T: Serialize + DeserializeOwned>(settings: &T, name: &str, value: &str) -> Result<T, NotASetting> {
    let wrong = |why: String| NotASetting::Value { name: name.to_owned(), value: value.to_owned(), why };
    let mut json = serde_json::to_value(settings).map_err(|error| wrong(error.to_string()))?;
    let place = place(&mut json, &name.replace('-', "_"))
        .map_err(|known| NotASetting::Unknown { name: name.to_owned(), known: known.join(", ") })?;
    *place = written(place, value);
    serde_json::from_value(json).map_err(|error| wrong(error.to_string()))
}

/// Where a setting stands, or the names of those that are there.
fn place<'v>(json: &'v mut Value, name: &str) -> Result<&'v mut Value, Vec<String>> {
    let mut here = json;
    for level in name.split('.') {
        let names = names(here);
        here = here.as_object_mut().and_then(|object| object.get_mut(level)).ok_or(names)?;
    }
    Ok(here)
}

fn names(json: &Value) -> Vec<String> {
    json.as_object().map(Map::keys).into_iter().flatten().map(|name| name.replace('_', "-")).collect()
}

/// A value as it is written, in the form that the present one has.
fn written(now: &Value, text: &str) -> Value {
    let json = || serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    match (now, text) {
        (Value::Bool(_), "on" | "yes" | "true") => Value::Bool(true),
        (Value::Bool(_), "off" | "no" | "false") => Value::Bool(false),
        (Value::Array(_), "") => Value::Array(Vec::new()),
        (Value::Array(_), _) => match json() {
            Value::Array(all) => Value::Array(all),
            _ => Value::Array(vec![Value::from(text)]),
        },
        (Value::String(_), _) => Value::from(text),
        _ => json(),
    }
}

#[cfg(test)]
mod tests;
