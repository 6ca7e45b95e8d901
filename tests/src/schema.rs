//! Judges a JSON value by a JSON schema: the few keywords that ours use. A keyword that it does not know is a failure, so
//! that no rule is passed over.

use serde_json::Value;

/// What is wrong with the value, each with its place; nothing when it fits.
///
/// # Panics
/// For a schema with a keyword that is not known here.
#[must_use]
pub fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, "$", &mut found);
    found
}

fn check(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let rules = schema.as_object().expect("a schema is an object");
    for (keyword, rule) in rules {
        let mut complain = |what: String| found.push(format!("{place}: {what}"));
        match keyword.as_str() {
            "$schema" | "title" | "description" | "required" | "additionalProperties" => {}
            "type" => {
                let wanted: Vec<&Value> = rule.as_array().map_or_else(|| vec![rule], |all| all.iter().collect());
                if !wanted
                    .iter()
                    .any(|kind| is_of(value, kind.as_str().unwrap_or_default()))
                {
                    complain(format!("{value} is not of type {rule}"));
                }
            }
            "const" if value != rule => complain(format!("{value} is not {rule}")),
            "enum" if !rule.as_array().is_some_and(|all| all.contains(value)) => {
                complain(format!("{value} is none of {rule}"));
            }
            "minimum" if value.is_number() && value.as_f64() < rule.as_f64() => {
                complain(format!("{value} is below {rule}"))
            }
            "maximum" if value.is_number() && value.as_f64() > rule.as_f64() => {
                complain(format!("{value} is above {rule}"))
            }
            "const" | "enum" | "minimum" | "maximum" => {}
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, item, &format!("{place}[{at}]"), found);
                }
            }
            "properties" => properties(rules, value, place, found),
            other => panic!("{place}: the keyword {other} is not known here"),
        }
    }
    if !rules.contains_key("properties") && rules.get("additionalProperties").is_some() {
        properties(rules, value, place, found);
    }
}

fn properties(rules: &serde_json::Map<String, Value>, value: &Value, place: &str, found: &mut Vec<String>) {
    let Some(object) = value.as_object() else { return };
    for name in rules.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap_or_default()) {
            found.push(format!("{place}: {name} is missing"));
        }
    }
    for (name, field) in object {
        let inner = format!("{place}.{name}");
        let known = rules.get("properties").and_then(|known| known.get(name));
        match (known, rules.get("additionalProperties")) {
            (Some(rule), _) => check(rule, field, &inner, found),
            (None, Some(Value::Bool(false))) => found.push(format!("{inner}: not in the schema")),
            (None, Some(rule)) if rule.is_object() => check(rule, field, &inner, found),
            _ => {}
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the type {other} is not known here"),
    }
}
