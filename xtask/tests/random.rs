//! Random documents that keep the rules: the generator makes Rust of each.

// clippy.toml allows these in tests, but not in what tests call.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use fastrand::Rng;
use serde_json::{Value, json};
use xtask::{document::Document, spec::Rules};

#[path = "../../build/codegen.rs"]
mod codegen;

const DOCUMENTS: u64 = 100;

#[test]
fn random_documents_become_rust() {
    let rules = Rules::new().unwrap();
    let mut all = String::new();
    for seed in 0..DOCUMENTS {
        let document = Random(Rng::with_seed(seed)).document();
        // Shown if something fails.
        eprintln!("seed {seed}\n{document:#}");
        assert_eq!(rules.check(&document), BTreeSet::new());
        let json = document.to_string();
        let generated = codegen::generate(&json).unwrap();
        for code in [&generated.bindings, &generated.operations, &generated.mocks] {
            syn::parse_file(code).unwrap();
            assert_eq!(twice(code), None);
        }
        all.push_str(&json);
    }
    // What subset.yaml allows is tried.
    let definitions = &rules.subset["$defs"];
    for kind in ["schema", "property", "operation"] {
        for key in definitions[kind]["properties"].as_object().unwrap().keys() {
            assert!(all.contains(&format!("\"{key}\":")), "no random document has `{key}`");
        }
    }
    for kind in definitions["property"]["properties"]["type"]["enum"].as_array().unwrap() {
        assert!(all.contains(&format!("\"type\":{kind}")), "no random document has {kind}");
    }
}

#[test]
fn replaced_schemas_are_those_that_the_build_replaces() {
    let rules = Rules::new().unwrap();
    let replaced: BTreeSet<_> = rules.replaced().collect();
    assert_eq!(replaced, codegen::REPLACED.iter().map(|(name, _)| *name).collect());
}

/// A public name that stands twice in a block of formatted code: a type, field, or method.
fn twice(code: &str) -> Option<&str> {
    let mut blocks: Vec<BTreeSet<&str>> = Vec::new();
    for line in code.lines() {
        let text = line.trim_start();
        blocks.resize((line.len() - text.len()) / 4 + 1, BTreeSet::new());
        let name = text.starts_with("pub ").then(|| text.split(['(', ':', '<', '{', ';']).next());
        if let Some(name) = name.flatten()
            && !blocks.last_mut().unwrap().insert(name)
        {
            return Some(name);
        }
    }
    None
}

struct Random(Rng);

/// The first three are allowed as the name of a parameter.
const WORDS: [&str; 9] =
    ["connection", "id", "result", "type", "fn", "match", "self", "async", "value"];
/// Types and formats. The first is allowed for a path or header, the first five for a query.
const SCALARS: [&str; 8] = [
    "string",
    "integer",
    "integer int32",
    "integer int64",
    "boolean",
    "number",
    "number float",
    "number double",
];
const DOCS: &str = "Docs. See https://stytch.com/docs/random.";

impl Random {
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.0.usize(..of.len())].clone()
    }

    /// A name that no other `index` has.
    fn name(&mut self, index: usize) -> String {
        let number = if index == 0 { String::new() } else { index.to_string() };
        match self.0.u8(..3) {
            0 => format!("{}{number}", self.one(&WORDS)),
            1 => format!("{}_{}{number}x", self.one(&WORDS), self.one(&WORDS)),
            _ => format!("a{number}_{}", self.one(&WORDS)),
        }
    }

    /// valid.yaml with more operations and schemas.
    fn document(&mut self) -> Value {
        let mut document = Document::parse(include_str!("cases/valid.yaml")).unwrap().json;
        let connection = document["paths"]["/connections/{connection_id}"].take();
        let (mut requests, mut responses) = (vec!["Credential".to_owned()], Vec::new());
        for index in 0..self.0.usize(1..7) {
            let mut operation = connection["get"].clone();
            operation["operationId"] = json!(format!("do_{}", self.name(index + 1)));
            operation["parameters"] = self.parameters();
            let schemas = &mut document["components"]["schemas"];
            let kind = self.one(&["Thing", "List", "Default", "Type"]);
            let response = format!("Rs{kind}{index}");
            operation["responses"]["2XX"] = body(&response);
            schemas[&response] = self.object(&responses, true);
            responses.push(response);
            let method = self.one(&["put", "get", "post", "delete", "patch"]);
            if method.starts_with('p') {
                let request = format!("Rq{kind}{index}");
                operation["requestBody"] = body(&request);
                operation["requestBody"]["required"] = json!(true);
                schemas[&request] = self.object(&requests, false);
                schemas[&request]["additionalProperties"] = json!(false);
                requests.push(request);
            }
            let parameter = &operation["parameters"][0];
            let in_path = parameter["name"].as_str().filter(|_| parameter["in"] == "path");
            let path = in_path.map_or("v1".to_owned(), |name| format!("{{{name}}}"));
            document["paths"][format!("/{path}/a-{index}")] = json!({ method: operation });
        }
        document["paths"]["/connections/{connection_id}"] = connection;
        document
    }

    fn parameters(&mut self) -> Value {
        let mut names = Vec::new();
        if self.0.bool() {
            names.push((self.one(&WORDS[..3]).to_owned(), "path"));
        }
        for index in 1..self.0.usize(1..6) {
            let name = self.name(index);
            let header = format!("X-{}", name.replace('_', "-"));
            names.push(if self.0.bool() { (name, "query") } else { (header, "header") });
        }
        let parameter = |(name, place)| {
            let kinds = if place == "query" { &SCALARS[..5] } else { &SCALARS[..1] };
            json!({
                "name": name, "in": place, "required": place == "path" || self.0.bool(),
                "schema": scalar(self.one(kinds)), "description": "A.", "example": "An example",
            })
        };
        names.into_iter().map(parameter).collect()
    }

    fn object(&mut self, names: &[String], in_response: bool) -> Value {
        let mut properties = json!({"always": {"description": "A.", "type": "string"}});
        let mut required = vec!["always".to_owned()];
        for index in 0..self.0.usize(1..8) {
            let (name, is_required) = (self.name(index), self.0.bool());
            properties[&name] = self.property(names, is_required, in_response);
            required.extend(is_required.then_some(name));
        }
        json!({
            "description": DOCS, "type": "object", "required": required, "properties": properties,
            "x-required-because": "A reason.", "x-reject-error-bodies": "A reason.",
            "x-stytch-upstream": ["Name"],
        })
    }

    fn property(&mut self, names: &[String], is_required: bool, in_response: bool) -> Value {
        let scalar = scalar(self.one(&SCALARS));
        let mut property = match self.0.u8(..5) {
            0 if !names.is_empty() => json!({"allOf": [reference(&self.one(names))]}),
            1 if !names.is_empty() => {
                json!({"type": "array", "items": reference(&self.one(names))})
            }
            2 => json!({"type": "array", "items": scalar}),
            _ => scalar,
        };
        property["description"] = json!("A property.");
        property["example"] = json!("An example");
        property["x-required-because"] = json!("A reason.");
        let is_array = property["type"] == "array";
        if (in_response || !is_required) && (self.0.bool() || is_array && !is_required) {
            property["nullable"] = json!(true);
        } else if in_response && !is_required {
            match property["type"].as_str() {
                Some("string") => property["default"] = json!(""),
                Some("integer") => property["default"] = json!(0),
                Some("boolean") => property["default"] = json!(false),
                _ => {}
            }
        }
        property
    }
}

fn scalar(kind: &str) -> Value {
    let (kind, format) = kind.split_once(' ').unwrap_or((kind, ""));
    if format.is_empty() { json!({"type": kind}) } else { json!({"type": kind, "format": format}) }
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn body(schema: &str) -> Value {
    json!({"description": "A.", "content": {"application/json": {"schema": reference(schema)}}})
}
