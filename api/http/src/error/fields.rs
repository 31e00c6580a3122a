//! Failures that are about fields: which one, and what is wrong with it.

use password_auth_core::accounts::Invalid;
use password_auth_core::passwords::Weak;
use password_auth_wire::FieldError;
use password_auth_wire::rules::Violation;

use super::Failure;

impl Failure {
    /// One field, or one parameter, is wrong.
    pub(crate) fn of_field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.into(),
        }])
    }

    /// A parameter cannot be read.
    pub(crate) fn of_parameter(name: &str) -> Self {
        Self::of_field(
            name,
            "invalid",
            format!("The parameter {name} is not valid."),
        )
    }

    /// Neither of two fields was given, or both.
    pub(crate) fn not_one_of(field: &str, other: &str) -> Self {
        let message = format!("Either {field} or {other} is required.");
        Self::of_field(field, "required", message)
    }

    /// The failure, with another field name.
    pub(crate) fn in_field(self, name: &str) -> Self {
        match self {
            Self::Invalid(errors) => Self::Invalid(
                errors
                    .into_iter()
                    .map(|error| FieldError {
                        field: name.to_owned(),
                        ..error
                    })
                    .collect(),
            ),
            other => other,
        }
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        let field = |name: &str, violation: Option<Violation>| {
            violation.map(|violation| FieldError {
                field: name.to_owned(),
                code: violation.code().to_owned(),
                message: violation.message().to_owned(),
            })
        };
        let errors = [
            field("username", invalid.username),
            field("password", invalid.password),
            invalid.weak.map(|weak| FieldError {
                field: "password".to_owned(),
                code: Weak::CODE.to_owned(),
                message: weak.sentence(),
            }),
            field("email", invalid.email),
            field("full_name", invalid.full_name),
        ];
        Self::Invalid(errors.into_iter().flatten().collect())
    }
}
