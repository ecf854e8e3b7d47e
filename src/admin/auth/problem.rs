//! What the pages of the sign-in say if they let nobody in.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};

use super::credentials::wait;

pub struct Problem {
    pub tone: &'static str,
    pub icon: &'static str,
    pub text: String,
}

impl Problem {
    pub fn error(text: impl Into<String>) -> Problem {
        Problem { tone: "bad", icon: "error", text: text.into() }
    }

    pub fn warning(text: impl Into<String>) -> Problem {
        Problem { tone: "warn", icon: "warning", text: text.into() }
    }

    pub fn throttled(seconds: u64) -> Problem {
        Problem::warning(wait(seconds))
    }
}

pub fn retry_after(mut response: HttpResponse, seconds: u64) -> HttpResponse {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}
