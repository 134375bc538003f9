//! The example service as a process, called over HTTP.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use reqwest::{RequestBuilder, header::HeaderMap};

use super::{prelude::*, process::Program};

/// The example service, running until this is dropped.
pub(crate) struct Service {
    pub(crate) program: Program,
    /// Its URL, without a slash at the end.
    pub(crate) url: String,
}

impl Service {
    /// Starts it without a Stytch account, so that it uses its own fake.
    pub(crate) fn on_its_own_fake() -> Self {
        Self::start(child::example("axum_service").env_remove("STYTCH_PROJECT_ID"))
    }

    /// Starts it as with a Stytch account, with the test's fake as Stytch.
    pub(crate) fn against(stytch: &Stytch) -> Self {
        Self::start(&mut child::example_of("axum_service", stytch))
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.args(["--listen", "127.0.0.1:0"]).env_remove("RUST_LOG");
        let (program, url) = Program::start(command, "Listening on ", 1);
        Self { program, url }
    }

    /// Returns a request with a cookie and a JSON body, as a script or curl sends it.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        cookie: &str,
        body: &str,
    ) -> RequestBuilder {
        crate::fake::http()
            .request(method, format!("{}{path}", self.url))
            .header("cookie", cookie)
            .header("content-type", "application/json")
            .body(body.to_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> ServiceResponse {
        ServiceResponse::to(self.request(Method::GET, path, "", "")).await
    }

    /// Sends a request whose path no URL parser has normalized. Returns the response as text.
    pub(crate) fn put_raw(&self, path: &str, cookie: &str) -> String {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let body = r#"{"display_name":"Renamed"}"#;
        write!(
            stream,
            "PUT {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncookie: {cookie}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    /// Waits until the log contains `part` and returns it. A line is written before the
    /// response is sent, but may be read here later.
    pub(crate) async fn logged_with(&self, part: &str) -> String {
        let logged = async || Some(self.program.logged()).filter(|logged| logged.contains(part));
        wait::some(format!("{part} isn't in the log"), logged).await
    }

    /// Sends SIGTERM, as a process supervisor does.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        let id = self.program.child.id().to_string();
        // A builtin of the shell: the program `kill` is not on every system.
        let mut kill = Command::new("sh");
        assert!(kill.args(["-c", "kill -TERM \"$0\"", &id]).status().unwrap().success());
    }
}

/// A complete response of the service.
pub(crate) struct ServiceResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl ServiceResponse {
    /// Sends a request.
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that the request was successful, and returns the JSON of the response.
    #[track_caller]
    pub(crate) fn successful(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// Returns the problem details of a response with this status; panics if it has none.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(!self.header("x-request-id").is_empty());
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }
}
