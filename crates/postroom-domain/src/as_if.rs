//! Settings as they might be: one value changed by its name, so that any setting can be tried before it is saved.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
/// with `-` or `_`. A list is written with blanks between its values, or as a JSON array.
///
/// # Errors
/// When there is no such setting, or the value is none of it.
pub fn with<T: Serialize + DeserializeOwned>(settings: &T, name: &str, value: &str) -> Result<T, NotASetting> {
    let wrong = |error: serde_json::Error| {
        let (name, why) = (last(name).to_owned(), expected(&error.to_string()));
        NotASetting::Value { name, value: value.to_owned(), why }
    };
    let mut json = serde_json::to_value(settings).map_err(wrong)?;
    let known = names(&json).join(", ");
    let place = place(&mut json, &name.replace('-', "_"))
        .ok_or_else(|| NotASetting::Unknown { name: last(name).to_owned(), known })?;
    *place = written(place, value);
    serde_json::from_value(json).map_err(wrong)
}

/// The name of a setting without the levels above it, as it is known to people.
fn last(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((above, "checks")) => above,
        Some((_, last)) => last,
        None => name,
    }
}

/// Where a setting stands.
fn place<'v>(json: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    name.split('.').try_fold(json, |here, level| here.as_object_mut()?.get_mut(level))
}

/// The names of all settings, as people know them.
fn names(json: &Value) -> Vec<String> {
    let below = |(name, value): (&String, &Value)| match value.as_object() {
        Some(levels) => levels.keys().map(|level| last(&format!("{name}.{level}")).replace('_', "-")).collect(),
        None => vec![name.replace('_', "-")],
    };
    let mut names: Vec<String> = json.as_object().into_iter().flatten().flat_map(below).collect();
    names.sort();
    names
}

/// What a value should have been, out of the words of the parser.
fn expected(error: &str) -> String {
    let what = error.rsplit_once("expected ").map_or(error, |(_, what)| what);
    match what.trim_start_matches("one of ") {
        "u32" | "u64" => "it must be a whole number, 0 or more".to_owned(),
        "a boolean" => "it must be on or off".to_owned(),
        what => format!("it must be {}", what.replace('`', "")),
    }
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
            _ => text.split_whitespace().map(Value::from).collect(),
        },
        (Value::String(_), _) => Value::from(text),
        _ => json(),
    }
}

#[cfg(test)]
mod tests;
