//! [`PoolError`]: why a call of the pool's API failed, as a sentence for the staff.

use crate::aws::AwsError;

#[derive(Debug)]
pub struct PoolError {
    /// The action of the API, which is also the right in IAM.
    pub call: &'static str,
    pub error: AwsError,
}

impl From<PoolError> for String {
    fn from(error: PoolError) -> String {
        error.sentence()
    }
}

impl PoolError {
    fn code(&self) -> &str {
        match &self.error {
            AwsError::Refused(code, _) => code,
            _ => "",
        }
    }

    pub fn is_user_missing(&self) -> bool {
        self.code() == "UserNotFoundException"
    }

    /// Another user of the pool has the username, or the e-mail as an alias.
    pub fn is_user_there(&self) -> bool {
        matches!(self.code(), "UsernameExistsException" | "AliasExistsException")
    }

    /// The pool's usernames are e-mails. It says `Username should be an email.` or `... either an email or a phone number.`
    pub fn wants_email_as_username(&self) -> bool {
        matches!(&self.error, AwsError::Refused(code, message) if code == "InvalidParameterException" && message.starts_with("Username should be") && message.contains("email"))
    }

    pub fn sentence(&self) -> String {
        let AwsError::Refused(code, message) = &self.error else { return self.sentence_about_aws() };
        match code.as_str() {
            "AccessDeniedException" => {
                format!("The AWS credentials of Gatepost lack the right cognito-idp:{}.", self.call)
            }
            "UnrecognizedClientException" | "InvalidSignatureException" | "InvalidClientTokenId" => {
                "AWS does not accept the credentials of Gatepost.".to_owned()
            }
            "UserNotFoundException" => "The user pool does not have this user.".to_owned(),
            "ResourceNotFoundException" => "AWS does not know this user pool.".to_owned(),
            "LimitExceededException" => "Cognito’s limit for this user or pool is reached. Try again later.".to_owned(),
            "CodeDeliveryFailureException" => "Cognito could not send the e-mail.".to_owned(),
            "InvalidParameterException" if message.contains("no registered/verified") => {
                "Cognito has no verified e-mail or phone number of the user to send a code to.".to_owned()
            }
            _ => format!("Cognito refused {}: {code}: {message}", self.call),
        }
    }

    fn sentence_about_aws(&self) -> String {
        match &self.error {
            AwsError::Throttled(_) => "Cognito has too many requests at the moment. Try again in a minute.".to_owned(),
            AwsError::Unreachable(_) => {
                "Cognito did not answer. It may have done it all the same: look again, then try again.".to_owned()
            }
            AwsError::Unavailable(_) => "Cognito has a problem at the moment. Try again later.".to_owned(),
            AwsError::Credentials(_) | AwsError::CredentialsExpired(_) => {
                "Gatepost has no valid AWS credentials. The log says more.".to_owned()
            }
            AwsError::ClockSkew(_) => "The clock of Gatepost’s machine is wrong, so AWS refuses its calls.".to_owned(),
            AwsError::Settings(_) | AwsError::Unusable(_) | AwsError::Refused(..) => {
                "The answer of Cognito cannot be used. The log says more.".to_owned()
            }
        }
    }
}
