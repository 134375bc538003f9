//! Reads and decodes the responses of the generated client. `build/edits.rs` inserts the call.
//!
//! A response that can't be returned as a success is kept: its status, its headers and a body read
//! up to a limit survive whatever the body contains.

use std::{mem, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use progenitor_client::{ClientInfo, OperationInfo, ResponseValue};
use reqwest::Response;
use serde::de::DeserializeOwned;

use super::{hooks::Attempt, transport::BindingsResult};
use crate::{
    error::{BodyError, RawResponse, response},
    wire::{Operation, generated, generated::Error, json},
};

impl generated::Client {
    /// Reads and decodes a response.
    pub(crate) async fn decode<T: DeserializeOwned>(
        &self,
        mut response: Response,
        info: &OperationInfo,
    ) -> BindingsResult<T> {
        let context = self.inner();
        let limit = context.config.max_response_bytes;
        let Some(Attempt { operation, failure, .. }) = &context.attempt else {
            // Boxed, so that the futures of this crate's own calls have no room for it.
            return Box::pin(decode_for_caller(response, limit, info)).await;
        };
        let (body, body_error) = read_body(&mut response, limit).await;
        let (status, headers) = (response.status(), mem::take(response.headers_mut()));
        let raw = RawResponse { status, headers, body, body_error };
        match raw.into_result(*operation, || context.config.clock.now(), json::decode) {
            Ok(body) => Ok(ResponseValue::new(body, status, HeaderMap::new())),
            Err(error) => {
                // `conclude` reads it.
                failure.get_or_init(|| error);
                Err(Error::UnexpectedResponse(response))
            }
        }
    }
}

/// Decodes as the generated code would, from a body read up to the limit. A body that is incomplete,
/// or may carry secrets, is not part of an error, which keeps the status and the headers.
async fn decode_for_caller<T: DeserializeOwned>(
    mut response: Response,
    limit: usize,
    info: &OperationInfo,
) -> BindingsResult<T> {
    let (body, body_error) = read_body(&mut response, limit).await;
    let status = response.status();
    let headers = || response.headers().clone();
    let operation = Operation::ALL.iter().copied().find(|it| it.id() == info.operation_id);
    let shows_body = !operation.is_some_and(response::carries_secrets);
    let reports_error = operation.is_some_and(|it| response::is_error_body(it, &body));
    // Nothing of an incomplete body is decoded, which might succeed all the same.
    let (is_complete, is_error) = (body_error.is_none(), (400..=599).contains(&status.as_u16()));
    if is_complete && status.is_success() && !reports_error {
        match serde_json::from_slice(&body) {
            Ok(decoded) => return Ok(ResponseValue::new(decoded, status, headers())),
            Err(error) if shows_body => return Err(Error::InvalidResponsePayload(body, error)),
            Err(_) => {}
        }
    } else if is_complete && is_error && shows_body {
        return Err(match serde_json::from_slice(&body) {
            Ok(decoded) => Error::ErrorResponse(ResponseValue::new(decoded, status, headers())),
            Err(error) => Error::InvalidResponsePayload(body, error),
        });
    }
    Err(Error::UnexpectedResponse(response))
}

async fn read_body(response: &mut Response, limit: usize) -> (Bytes, Option<BodyError>) {
    // Nearly every body is one chunk, which is passed on as it is.
    let (mut body, mut rest) = (Bytes::new(), BytesMut::new());
    let body_error = loop {
        match response.chunk().await {
            Ok(Some(first)) if body.is_empty() => body = first,
            Ok(Some(chunk)) => rest.extend_from_slice(&chunk),
            Ok(None) => break None,
            Err(error) => {
                let (reason, source) = ("the body was interrupted".into(), error.without_url());
                break Some(BodyError { reason, source: Some(Arc::new(source)) });
            }
        }
        if body.len() + rest.len() > limit {
            let reason = format!("the body is longer than {limit} bytes (max_response_bytes)");
            break Some(BodyError { reason: reason.into(), source: None });
        }
    };
    if !rest.is_empty() {
        body = [body, rest.freeze()].concat().into();
    }
    body.truncate(limit);
    (body, body_error)
}
