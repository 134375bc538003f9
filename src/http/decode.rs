//! Reads and decodes the responses of the generated client. `build/edits.rs` inserts the call.
//!
//! A response that can't be returned as a success is kept: its status, its headers and a body read
//! up to a limit survive whatever the body contains.

use std::{mem, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use progenitor_client::{ClientInfo, OperationInfo, ResponseValue};
use reqwest::{Response, ResponseBuilderExt};
use serde::de::DeserializeOwned;

use super::{hooks::Attempt, transport::BindingsResult};
use crate::{
    error::{BodyError, RawResponse, response},
    wire::{Operation, decode_success, generated, generated::Error, json},
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
        let Some(Attempt { operation, failed_response, .. }) = &context.attempt else {
            // Boxed, so that the futures of this crate's own calls have no room for it.
            return Box::pin(decode_for_caller(response, limit, info)).await;
        };
        let (body, body_error) = read_body(&mut response, limit).await;
        let (status, headers) = (response.status(), mem::take(response.headers_mut()));
        let mut raw = RawResponse { status, headers, body, body_error, field_error: None };
        let is_complete_success = status.is_success() && raw.body_error.is_none();
        if is_complete_success && !raw.is_error_body(*operation) {
            match json::decode(&raw.body) {
                Ok(body) => return Ok(ResponseValue::new(body, status, HeaderMap::new())),
                Err(field_error) => raw.field_error = field_error,
            }
        }
        // `conclude` reads it.
        failed_response.get_or_init(|| Box::new(raw));
        Err(Error::UnexpectedResponse(response))
    }
}

/// Decodes as the generated code would, from a body read up to the limit. A body that must not be
/// decoded or printed is dropped, and the error keeps the status and the headers.
async fn decode_for_caller<T: DeserializeOwned>(
    mut response: Response,
    limit: usize,
    info: &OperationInfo,
) -> BindingsResult<T> {
    let (body, body_error) = read_body(&mut response, limit).await;
    // Nothing of an incomplete body is decoded, which might succeed all the same.
    let is_withheld =
        body_error.is_some() || carries_secrets(info.operation_id, response.status(), &body);
    let body = if is_withheld { Bytes::new() } else { body };
    let complete = http::Response::builder().url(response.url().clone());
    let complete = complete.status(response.status()).body(body).unwrap_or_default();
    let headers = mem::take(response.headers_mut());
    response = Response::from(complete);
    *response.headers_mut() = headers;
    match response.status().as_u16() {
        _ if is_withheld => Err(Error::UnexpectedResponse(response)),
        200..=299 => ResponseValue::from_response(response).await,
        400..=599 => Err(Error::ErrorResponse(ResponseValue::from_response(response).await?)),
        _ => Err(Error::UnexpectedResponse(response)),
    }
}

/// Whether an error of the bindings would print a body that may carry secrets: that of an error, or
/// of a success that can't be decoded.
fn carries_secrets(operation_id: &str, status: StatusCode, body: &[u8]) -> bool {
    let mut operations = Operation::ALL.iter().copied();
    let operation = operations.find(|operation| operation.id() == operation_id);
    operation.is_some_and(|operation| {
        response::carries_secrets(operation)
            && !(status.is_success() && decode_success(operation, body).is_ok())
    })
}

async fn read_body(response: &mut Response, limit: usize) -> (Bytes, Option<BodyError>) {
    let interrupted =
        |error: reqwest::Error| Some(BodyError::Interrupted(Arc::new(error.without_url())));
    let body = match response.chunk().await {
        Ok(first) => first.unwrap_or_default(),
        Err(error) => return (Bytes::new(), interrupted(error)),
    };
    // Nearly every body is one chunk, which is passed on as it is.
    let mut rest = BytesMut::new();
    loop {
        if body.len() + rest.len() > limit {
            let mut body: Bytes = [body, rest.freeze()].concat().into();
            body.truncate(limit);
            return (body, Some(BodyError::TooLong(limit)));
        }
        match response.chunk().await {
            Ok(Some(chunk)) => rest.extend_from_slice(&chunk),
            Ok(None) if rest.is_empty() => return (body, None),
            Ok(None) => return ([body, rest.freeze()].concat().into(), None),
            Err(error) => return ([body, rest.freeze()].concat().into(), interrupted(error)),
        }
    }
}
