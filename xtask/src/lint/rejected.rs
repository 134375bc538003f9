//! Why the allow-list lacks a key: what the generator makes of it, and what to write instead.

/// What is wrong with a key, and what to write instead.
pub(super) struct Reason {
    pub(super) why: &'static str,
    pub(super) instead: &'static str,
}

/// Why a key isn't allowed outside schemas; none for a key that is merely unknown.
pub(super) fn in_document(key: &str) -> Option<Reason> {
    let (_, why, instead) = DOCUMENT.iter().find(|(keys, ..)| keys.contains(&key))?;
    Some(Reason { why, instead })
}

/// Why a keyword isn't allowed in a schema; none for a keyword that is merely unknown.
pub(super) fn in_schema(keyword: &str, in_response: bool) -> Option<Reason> {
    let rejected = SCHEMA.iter().find(|(keywords, ..)| keywords.contains(&keyword))?;
    let (_, in_responses, in_requests, instead) = rejected;
    Some(Reason { why: if in_response { in_responses } else { in_requests }, instead })
}

/// Why a value of `format` isn't allowed.
pub(super) fn format(in_response: bool) -> Reason {
    let why = if in_response {
        "the generator ignores this format, or makes a type of it that rejects every other form: \
         one such value fails the whole response"
    } else {
        "the generator ignores this format, or makes a type of it from a crate that this one \
         doesn't depend on"
    };
    Reason { why, instead: "remove `format`, and describe the format in the `description`" }
}

/// Keys, why they aren't allowed, and what to write instead.
const DOCUMENT: &[(&[&str], &str, &str)] = &[
    (
        &["200", "201", "202", "203", "204", "205", "206"],
        "the generator makes any other success an unexpected response, although Stytch applied \
         the request",
        "write one response `2XX`",
    ),
    (
        &["400", "401", "403", "404", "409", "422", "429", "500", "502", "503", "504"],
        "the generator panics if two errors of an operation have different types",
        "remove it: `4XX` and `5XX` with the one `Error` cover it",
    ),
    (
        &["default", "1XX", "3XX"],
        "the generator decodes such a response as the one type of success or of error",
        "write `2XX`, `4XX` and `5XX`",
    ),
    (
        &["head", "options", "trace"],
        "the client has no such method",
        "use get, put, post, patch or delete",
    ),
    (
        &["security"],
        "the generator ignores it: the client sends the project's credentials with every request",
        "remove it; the document's `security` covers all operations",
    ),
    (
        &["servers"],
        "the generator ignores it: the client has one base URL",
        "remove it; the document's `servers` cover all operations",
    ),
    (
        &["parameters"],
        "parameters of a path are merged into those of each operation, where a reader misses them",
        "list them in the operation, by `$ref` if several share them",
    ),
    (
        &["deprecated", "externalDocs", "callbacks", "links", "headers", "webhooks"],
        "the generator ignores it",
        "remove it, or write it into the `description`",
    ),
    (
        &["style", "explode", "allowReserved", "allowEmptyValue", "examples", "encoding"],
        "the generator ignores it or fails on it",
        "remove it",
    ),
    (
        &[
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/octet-stream",
            "text/plain",
            "text/html",
            "*/*",
        ],
        "the generator passes such a body through undecoded, or fails on it",
        "use `application/json` with a schema",
    ),
];

/// Keywords, why a response and a request may not use them, and what to write instead.
const SCHEMA: &[(&[&str], &str, &str, &str)] = &[
    (
        &["maxLength", "minLength", "pattern"],
        "the generator makes a type that rejects every other string: one such value fails the \
         whole response, although Stytch may have applied the request",
        "the generator makes a type that callers can't write as a string",
        "remove it, and describe the limit in the `description`",
    ),
    (
        &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
        "the generator makes a narrower type, or one that rejects every other number: one such \
         value fails the whole response",
        "the generator makes a narrower type of it, or ignores it",
        "remove it, and describe the limit in the `description`",
    ),
    (
        &["minItems", "maxItems", "uniqueItems"],
        "the generator makes a set or a fixed-size array, which reject other lists, or ignores it",
        "the generator makes a set or a fixed-size array of it, or ignores it",
        "remove it, and describe the limit in the `description`",
    ),
    (
        &["enum", "const"],
        "the generator makes a closed enum: one value that it lacks fails the whole response",
        "the generator makes an enum whose variants have no docs, which the build denies",
        "remove it, and list the values in the `description`",
    ),
    (
        &["oneOf", "anyOf", "not", "discriminator"],
        "the generator makes an untagged enum whose variants have no docs, or panics",
        "the generator makes an untagged enum whose variants have no docs, or panics",
        "describe one schema, with all properties that may be missing left optional",
    ),
    (
        &["additionalProperties"],
        "the generator rejects unknown fields if it is false, so one new field fails the whole \
         response; else it makes a map",
        "the generator makes a struct that rejects unknown fields, or a map",
        "remove it: fields that the document doesn't describe are ignored",
    ),
    (
        &["minProperties", "maxProperties", "patternProperties", "propertyNames"],
        "the generator ignores it or panics",
        "the generator ignores it or panics",
        "remove it",
    ),
    (
        &["title", "readOnly", "writeOnly", "deprecated", "externalDocs", "xml", "examples"],
        "the generator ignores it, or names the type after it",
        "the generator ignores it, or names the type after it",
        "remove it, or write it into the `description`",
    ),
    (
        &["nullable"],
        "the generator wraps the type in a second one, or ignores it",
        "the generator wraps the type in a second one, or ignores it",
        "make the property that uses it nullable",
    ),
    (
        &["default"],
        "the generator ignores it, or generates a function for it",
        "the generator ignores it, or generates a function for it",
        "only a string, an integer or a boolean property of a response may have a default",
    ),
    (
        &["allOf"],
        "the generator merges the parts into a new type",
        "the generator merges the parts into a new type",
        "write one schema, or a `$ref` alone",
    ),
    (
        &["properties", "items", "required"],
        "a `type` that doesn't fit: the generator ignores it or panics",
        "a `type` that doesn't fit: the generator ignores it or panics",
        "`properties` and `required` belong to an object, `items` to an array",
    ),
];
