//! Random documents from the allow-list: the generator makes Rust of each.
//!
//! The forms, keys and formats come from `allowed.rs`, so that what is added there is tried here.

use proptest::{collection::vec, prelude::any, test_runner::Config};
use serde_json::{Map, Value as Json, json};

use super::{
    allowed::{At, FORMS, Form},
    blame, rules,
};
use crate::{document::Document, yaml::Node};

proptest::proptest! {
    #![proptest_config(Config { cases: 96, max_shrink_iters: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_random_document_from_the_allow_list_becomes_rust(choices in vec(any::<u8>(), 0..600)) {
        let document = Random { choices: choices.into_iter() }.document();
        let findings = rules(&Document::new(Node::from_json(document.clone())));
        let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}\n{document:#}", findings.join("\n"));
        // Generates all code, parses it and looks for duplicates.
        let generated = blame::generate(&document);
        assert!(generated.is_ok(), "{generated:?}\n{document:#}");
    }
}

/// One document with all forms, for a look at what the compiler makes of it:
/// `cargo test -p xtask random -- --nocapture` with `BIG_DOCUMENT` naming a file to write.
#[test]
fn a_big_document_has_all_forms() {
    let mix = |n: u64| n.pow(3).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[2];
    let choices: Vec<u8> = [11].into_iter().chain((0..20_000).map(mix)).collect();
    let document = Random { choices: choices.into_iter() }.document();
    let text = document.to_string();
    for form in FORMS {
        let kind = form.kind.map(|kind| format!("\"type\":\"{kind}\""));
        assert!(kind.is_none_or(|kind| text.contains(&kind)), "{:?}", form.kind);
        let mut words = form.must.iter().chain(form.may).chain(form.formats);
        assert!(words.all(|word| text.contains(&format!("\"{word}\""))), "{:?}", form.may);
    }
    if let Some(path) = std::env::var_os("BIG_DOCUMENT") {
        std::fs::write(path, format!("{document:#}")).unwrap();
    }
}

/// Makes choices from bytes; when they run out, the simplest one.
struct Random {
    choices: std::vec::IntoIter<u8>,
}

const WORDS: [&str; 16] = [
    "type",
    "connection",
    "id",
    "role",
    "group",
    "fn",
    "match",
    "status",
    "self",
    "async",
    "name",
    "value",
    "request",
    "response",
    "url",
    "result",
];

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.choices.next().unwrap_or_default()) % bound
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// A name in `snake_case` that no other `index` has.
    fn name(&mut self, index: usize) -> String {
        let number = if index == 0 { String::new() } else { index.to_string() };
        match self.below(3) {
            0 => format!("{}{number}", WORDS[self.below(WORDS.len())]),
            1 => format!("{}_{}{number}x", WORDS[self.below(16)], WORDS[self.below(16)]),
            _ => format!("a{number}_{}", WORDS[self.below(16)]),
        }
    }

    fn document(&mut self) -> Json {
        let mut schemas = Map::new();
        schemas.insert("Credential".to_owned(), json!({"type": "string", "description": "A."}));
        schemas.insert("Error".to_owned(), error());
        // Each schema may use those before it.
        let (mut requests, mut responses) = (Vec::new(), Vec::new());
        for index in 0..=self.below(12) {
            let of_response = self.coin();
            let names = if of_response { &mut responses } else { &mut requests };
            let schema = self.object(names, of_response);
            let name = ["Thing", "List", "Default", "Type"][self.below(4)];
            let name = format!("{}{name}{index}", if of_response { "Rs" } else { "Rq" });
            schemas.insert(name.clone(), schema);
            names.push(name);
        }
        // Something uses each.
        let last = self.object(&responses, true);
        schemas.insert("Last".to_owned(), with_all(last, &responses));
        let changes = self.object(&requests, false);
        requests.push("Credential".to_owned());
        schemas.insert("Changes".to_owned(), with_all(changes, &requests));
        json!({
            "openapi": "3.0.3",
            "info": {"title": "Random", "version": "1.0.0"},
            "security": [{"project": []}],
            "tags": [{"name": "tag", "description": "A tag."}],
            "paths": self.paths(),
            "components": {
                "securitySchemes": {"project": {"type": "http", "scheme": "basic"}},
                "responses": {"Error": {"description": "An error.", "content": body("Error")}},
                "schemas": schemas,
            },
        })
    }

    fn object(&mut self, names: &[String], of_response: bool) -> Json {
        let forms = forms(At::Property);
        let (mut properties, mut required) = (Map::new(), vec![]);
        for index in 0..=self.below(6) {
            let form = forms[self.below(forms.len())];
            if form.must.contains(&"allOf") && names.is_empty() {
                continue;
            }
            let name = self.name(index);
            let is_required = self.coin();
            properties.insert(name.clone(), self.property(form, names, is_required, of_response));
            required.extend(is_required.then_some(name));
        }
        properties.insert("always".to_owned(), json!({"description": "A.", "type": "string"}));
        required.push("always".to_owned());
        let mut object = json!({
            "description": DOCS,
            "type": "object",
            "required": required,
            "properties": properties,
            "x-required-because": "A reason.",
            "x-reject-error-bodies": "A reason.",
            "x-stytch-upstream": ["Name"],
        });
        if !of_response {
            object["additionalProperties"] = json!(false);
        }
        object
    }

    fn property(&mut self, form: &Form, names: &[String], required: bool, response: bool) -> Json {
        let mut schema = Map::new();
        schema.insert("description".to_owned(), json!("A property."));
        self.insert_kind(&mut schema, form);
        let is_array = form.kind == Some("array");
        let may_be_null = !required || response;
        let is_nullable = may_be_null && (self.coin() || is_array && !required);
        let has_default = response && !required && !is_nullable && self.coin();
        for key in form.must.iter().chain(form.may) {
            let value = match *key {
                "items" => self.items(names),
                "allOf" => json!([{"$ref": pointer(&names[self.below(names.len())])}]),
                "nullable" if is_nullable => json!(true),
                "default" if has_default => match form.kind {
                    Some("string") => json!(""),
                    Some("boolean") => json!(false),
                    _ => json!(0),
                },
                "example" => json!("An example"),
                "x-required-because" => json!("A reason."),
                "nullable" | "default" | "description" => continue,
                key => panic!("no random value for {key}"),
            };
            schema.insert((*key).to_owned(), value);
        }
        Json::Object(schema)
    }

    fn insert_kind(&mut self, schema: &mut Map<String, Json>, form: &Form) {
        if let Some(kind) = form.kind {
            schema.insert("type".to_owned(), json!(kind));
        }
        if !form.formats.is_empty() && self.coin() {
            let format = form.formats[self.below(form.formats.len())];
            schema.insert("format".to_owned(), json!(format));
        }
    }

    fn items(&mut self, names: &[String]) -> Json {
        let forms = forms(At::Items);
        let form = forms[self.below(forms.len())];
        if form.kind.is_none() && !names.is_empty() {
            return json!({"$ref": pointer(&names[self.below(names.len())])});
        }
        self.scalar(form.kind.map_or(forms[1], |_| form))
    }

    fn scalar(&mut self, form: &Form) -> Json {
        let mut schema = Map::new();
        self.insert_kind(&mut schema, form);
        schema.into()
    }

    fn paths(&mut self) -> Json {
        let mut paths = Map::new();
        for index in 0..=self.below(5) {
            let id = format!("do_{}", self.name(index + 1));
            let parameter = self.name(0);
            let has_parameter = self.coin() && !RESERVED.contains(&&*parameter);
            let path = if has_parameter {
                format!("/{{{parameter}}}/a-{index}")
            } else {
                format!("/v1/a_{index}")
            };
            let method =
                if index == 0 { "put" } else { ["get", "post", "delete", "patch"][self.below(4)] };
            let mut operation = json!({
                "operationId": id,
                "tags": ["tag"],
                "summary": "Does it",
                "description": DOCS,
                "parameters": self.parameters(has_parameter.then_some(&*parameter)),
                "responses": responses(),
            });
            if index == 0 || method != "get" && self.coin() {
                operation["requestBody"] = json!({
                    "description": "The changes.", "required": true, "content": body("Changes"),
                });
            }
            paths.insert(path, json!({ method: operation }));
        }
        Json::Object(paths)
    }

    fn parameters(&mut self, in_path: Option<&str>) -> Json {
        let mut parameters = Vec::new();
        let parameter = |name: String, kind: &str, required: bool, schema: Json| {
            json!({
                "name": name, "in": kind, "required": required, "description": "A.",
                "schema": schema, "example": "An example",
            })
        };
        if let Some(name) = in_path {
            let schema = json!({"type": "string"});
            parameters.push(parameter(name.to_owned(), "path", true, schema));
        }
        let forms = forms(At::Parameter);
        for index in 1..=self.below(4) {
            let (name, required) = (self.name(index), self.coin());
            if self.coin() {
                let schema = json!({"type": "string"});
                let name = format!("X-{}", name.replace('_', "-"));
                parameters.push(parameter(name, "header", required, schema));
            } else {
                let form = forms[self.below(forms.len())];
                let schema = self.scalar(form);
                parameters.push(parameter(name, "query", required, schema));
            }
        }
        Json::Array(parameters)
    }
}

/// Rejected as parameters.
const RESERVED: [&str; 6] = ["type", "fn", "match", "self", "async", "value"];
const DOCS: &str = "Docs. See https://stytch.com/docs/random.";

fn forms(at: At) -> Vec<&'static Form> {
    FORMS.iter().filter(|form| form.at == at).collect()
}

fn pointer(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

fn body(name: &str) -> Json {
    json!({"application/json": {"schema": {"$ref": pointer(name)}}})
}

fn responses() -> Json {
    let error = json!({"$ref": "#/components/responses/Error"});
    let success = json!({"description": "Done.", "content": body("Last")});
    json!({"2XX": success, "4XX": error, "5XX": error})
}

/// Adds an optional property for each name.
fn with_all(mut object: Json, names: &[String]) -> Json {
    for name in names {
        object["properties"][format!("of_{}", name.to_lowercase())] =
            json!({"description": "A.", "allOf": [{"$ref": pointer(name)}]});
    }
    object
}

fn error() -> Json {
    let kind = json!({"description": "The kind.", "type": "string", "nullable": true});
    let properties = json!({"error_type": kind, "error_details": {"description": "Any JSON."}});
    json!({"description": DOCS, "type": "object", "properties": properties})
}
