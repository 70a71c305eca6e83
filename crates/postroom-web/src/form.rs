//! Forms: what was sent, read one field after the other, and every problem beside its field.
//!
//! A handler reads the fields, notes what is wrong, and either does the work and redirects, or answers with the same page: the
//! values are kept, each problem is described at its field, and the focus is on the first. All of it works without scripts.

use crate::failure::{Failure, SaysItself};
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// What was sent, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Form {
    sent: Vec<(String, String)>,
    problems: Vec<(&'static str, String)>,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match axum::Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(axum::Form(sent)) => Ok(Self { sent, problems: Vec::new() }),
            Err(FormRejection::BytesRejection(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Failure::TooLarge)
            }
            Err(_) => Err(Failure::BadRequest(crate::words::Language::not_understood)),
        }
    }
}

impl Form {
    /// A form that was not sent yet, with these values in it.
    pub(crate) fn with(values: &[(&str, &str)]) -> Self {
        let sent = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { sent, problems: Vec::new() }
    }

    /// The value of a field as it was sent; empty where there is none.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.sent.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The value of a field without blanks around it.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// All values of a field that can be sent more than once.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.sent.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Notes what is wrong with a field; the first problem of a field counts.
    pub(crate) fn problem(&mut self, name: &'static str, problem: impl Into<String>) {
        if self.problem_of(name).is_empty() {
            self.problems.push((name, problem.into()));
        }
    }

    /// The values of this form, with those of a part of the page that was sent instead and has problems.
    pub(crate) fn with_problems_of(self, part: Self) -> Self {
        Self { sent: part.sent.into_iter().chain(self.sent).collect(), problems: part.problems }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_fine(&self) -> bool {
        self.problems.is_empty()
    }

    /// What is wrong with a field; empty for nothing.
    pub(crate) fn problem_of(&self, name: &str) -> &str {
        self.problems.iter().find(|(known, _)| *known == name).map_or("", |(_, problem)| problem)
    }

    /// The field of this name, ready to be shown: with its value, unless it is a password, and what is wrong with it.
    pub(crate) fn field(&self, name: &'static str, label: &'static str, kind: &'static str) -> Field {
        let value = if kind == "password" { "" } else { self.raw(name) };
        Field {
            name,
            label,
            kind,
            value: value.to_owned(),
            problem: self.problem_of(name).to_owned(),
            focus: self.problems.first().is_some_and(|(first, _)| *first == name),
            hint: "",
            autocomplete: "off",
            required: true,
            choices: Vec::new(),
        }
    }

    /// The page that shows the form: as an answer to one that was sent it says with its status that nothing was done.
    pub(crate) fn answer(&self, page: impl IntoResponse) -> Response {
        let mut response = page.into_response();
        if !self.is_fine() {
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response.extensions_mut().insert(SaysItself);
        }
        response
    }
}

/// A field, as `parts/field.html` shows it.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// The `type` of an input, or `select` or `textarea`.
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) problem: String,
    /// Whether the focus is on it when the page opens.
    pub(crate) focus: bool,
    pub(crate) hint: &'static str,
    pub(crate) autocomplete: &'static str,
    pub(crate) required: bool,
    /// Value and label of what can be selected.
    pub(crate) choices: Vec<(String, String)>,
}

impl Field {
    /// The same field with a word on what belongs into it.
    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// The same field, which browsers may fill in with this kind of value.
    pub(crate) fn autocomplete(mut self, kind: &'static str) -> Self {
        self.autocomplete = kind;
        self
    }

    /// The same field, which may stay empty.
    pub(crate) fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// The same field, with the focus on it when the page opens, unless something else is wrong.
    pub(crate) fn first(mut self, form: &Form) -> Self {
        self.focus |= form.is_fine();
        self
    }

    /// The same field as a choice of these values and labels.
    pub(crate) fn choices(mut self, choices: Vec<(String, String)>) -> Self {
        self.choices = choices;
        self
    }

    /// The value of `aria-describedby`: where the problem and the hint stand.
    pub(crate) fn described_by(&self) -> String {
        let problem = (!self.problem.is_empty()).then(|| format!("{}-problem", self.name));
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        problem.into_iter().chain(hint).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_beside_its_field_and_passwords_are_not_sent_back() {
        let mut form = Form::with(&[("address", " ann "), ("password", "secret")]);
        assert_eq!((form.text("address"), form.raw("address"), form.text("nothing")), ("ann", " ann ", ""));
        assert!(form.is_fine() && form.field("address", "Address", "email").first(&form).focus);
        form.problem("password", "too short");
        form.problem("password", "said later");
        form.problem("name", "missing");
        let field = form.field("password", "Password", "password").hint("ten letters").autocomplete("new-password");
        assert_eq!((field.value.as_str(), field.problem.as_str(), field.focus), ("", "too short", true));
        assert_eq!(field.described_by(), "password-problem password-hint");
        let other = form.field("name", "Name", "text").first(&form);
        assert!(!other.focus && other.described_by() == "name-problem");
        assert_eq!(form.answer("page").status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(Form::default().answer("page").status(), StatusCode::OK);
    }
}
