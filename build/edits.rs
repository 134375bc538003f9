//! Edits of the generated code that no setting of the generator can make.
//!
//! Each replaces a pattern of the formatted code as often as the document calls for it. Another
//! number fails the build, so that a generator that writes other code can't change what goes over
//! the wire.

use openapiv3::OpenAPI;
use regex::Regex;

/// Edits the client.
pub(crate) fn bindings(file: &syn::File, document: &OpenAPI) -> Result<String, String> {
    let operations = document.operations().count();
    let mut edits = Edits(prettyplease::unparse(file));
    // `operation_url` in src/http/destination.rs checks the ids, and appends them to a URL that is
    // parsed already: half of the instructions of parsing the whole one for each request.
    edits.replace(
        "ids in URLs",
        ids(document, |count| count),
        r"encode_path\( & (\w+) \.to_string\(\) ,? \)",
        "$1",
    )?;
    edits.replace(
        "URLs of an operation",
        operations,
        r#"format!\( "\{\}(/[^"]*)" , self \.baseurl , ([\w,\s]*)\)"#,
        r#"self.operation_url("$1", &[$2]).map_err(Error::InvalidRequest)?"#,
    )?;
    // `decode` in src/http/result.rs reads no more than the limit, and keeps the status and the
    // headers of a response that can't be decoded.
    edits.replace(
        "decoded responses",
        operations,
        r"(?s)match (\w+) \.status\(\) \.as_u16\(\) \{.*?_ => Err\( Error::UnexpectedResponse\( \w+ \) \) , \}",
        "self.decode($1, &info).await",
    )?;
    edits.format()
}

/// Edits the helpers for httpmock.
pub(crate) fn mocks(file: &syn::File, document: &OpenAPI) -> Result<String, String> {
    let mut edits = Edits(prettyplease::unparse(file));
    // The pattern of an operation lets an id be empty.
    edits.replace("ids of an operation", ids(document, |count| count), r"/\[\^/\]\*", "/[^/]+")?;
    // The pattern of one id lets the others contain slashes, and has this one unescaped. It is
    // encoded as the client does it: httpmock matches the path before decoding.
    edits.replace("other ids", ids(document, |count| count * (count - 1)), r"/\.\*", "/[^/]+")?;
    edits.replace(
        "ids of a helper",
        ids(document, |count| count),
        r#"(format!\( "\^/[^"]*") , value \.to_string\(\)"#,
        "$1, regex::escape(&progenitor_client::encode_path(value))",
    )?;
    edits.format()
}

/// The sum over all operations of a number that depends on how many ids their path has.
fn ids(document: &OpenAPI, of: impl Fn(usize) -> usize) -> usize {
    let counts = document.operations().map(|(path, ..)| path.matches('{').count());
    counts.filter(|count| *count > 0).map(of).sum()
}

/// Formatted code.
struct Edits(String);

impl Edits {
    /// Replaces a pattern, where a space stands for any white space or none.
    fn replace(
        &mut self,
        what: &str,
        expected: usize,
        pattern: &str,
        by: &str,
    ) -> Result<(), String> {
        let pattern =
            Regex::new(&pattern.replace(' ', r"\s*")).map_err(|error| error.to_string())?;
        let found = pattern.find_iter(&self.0).count();
        if found != expected {
            return Err(format!(
                "build/edits.rs: found {found} {what}, expected {expected}: this version of the \
                 generator's output has changed: update this edit"
            ));
        }
        self.0 = pattern.replace_all(&self.0, by).into_owned();
        Ok(())
    }

    fn format(&self) -> Result<String, String> {
        let file = syn::parse_file(&self.0);
        file.map(|file| prettyplease::unparse(&file))
            .map_err(|error| format!("the edited code does not parse: {error}"))
    }
}
