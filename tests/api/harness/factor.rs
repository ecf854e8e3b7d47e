//! An authenticator app, and what its owner does with it.

use chrono::Utc;
use gatepost::crypto::totp::{TotpSecret, step_at};

use super::TestServer;
use super::admin::{AdminClient, PASSWORD};
use super::client::Answer;
use super::html::{between, unescape};

/// The page where users set up a second factor.
pub const PAGE: &str = "/admin/second_factor/";

/// Shows the codes of one secret.
pub struct App {
    secret: TotpSecret,
    /// As the page shows it, without blanks.
    pub base32: String,
}

impl App {
    /// Reads the link of the page, which the QR code has as well.
    #[track_caller]
    pub fn scan(html: &str) -> App {
        let uri =
            unescape(between(html, "href=\"otpauth:", "\"").first().unwrap_or_else(|| panic!("no secret: {html}")));
        let secret = between(&uri, "secret=", "&")[0].to_owned();
        App { secret: TotpSecret::from_bytes(&from_base32(&secret)).expect("20 bytes"), base32: secret }
    }

    /// The code of the present step, or of one that many steps later. The server accepts that of the next step, so two
    /// codes can be used one after the other, whenever the clock moves on.
    pub fn code(&self, later: i64) -> String {
        self.code_of(step_at(Utc::now().timestamp()) + later)
    }

    pub fn code_of(&self, step: i64) -> String {
        self.secret.code(step)
    }

    /// A code that is none of those that the server may accept.
    pub fn wrong_code(&self) -> String {
        let right: Vec<String> = (-3..=3).map(|later| self.code(later)).collect();
        (0..10).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).expect("seven of ten at most")
    }

    #[cfg(not(feature = "postgres"))]
    pub fn bytes(&self) -> &[u8] {
        self.secret.as_bytes()
    }
}

fn from_base32(text: &str) -> Vec<u8> {
    let digit = |letter: u8| u64::from(if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' });
    let chunks = text.as_bytes().chunks(8);
    let number = |chunk: &[u8]| chunk.iter().fold(0, |number, letter| number << 5 | digit(*letter));
    chunks.flat_map(|chunk| number(chunk).to_be_bytes()[3..].to_vec()).collect()
}

impl AdminClient {
    /// Asks for a secret, and puts it into an app.
    pub async fn begin_enrolment(&mut self) -> App {
        self.get(PAGE).await;
        let answer = self.post(PAGE, &[("action", "begin"), ("password", PASSWORD)]).await;
        assert_eq!(answer.redirect(), (303, "/admin/second_factor/?next=/admin/"), "{}", answer.text());
        let html = self.follow(&answer).await;
        App::scan(&html)
    }

    /// Sets a second factor up. Returns the app and the recovery codes. The code of the present step is used up.
    pub async fn enrol(&mut self) -> (App, Vec<String>) {
        let app = self.begin_enrolment().await;
        let answer = self.post(PAGE, &[("action", "confirm"), ("code", &app.code(0))]).await;
        let html = answer.text();
        assert_eq!(answer.status, 200, "{html}");
        (app, recovery_codes(&html))
    }

    /// The first page of the sign-in, which leads to the second.
    pub async fn give_password(&mut self, name: &str) {
        let answer = self.sign_in(name, PASSWORD).await;
        assert_eq!(answer.redirect(), (303, "/admin/login/code/?next=/admin/"), "{}", answer.text());
    }

    /// The second page of the sign-in.
    pub async fn give_code(&mut self, code: &str) -> Answer {
        self.get("/admin/login/code/").await;
        self.post("/admin/login/code/", &[("code", code)]).await
    }

    /// Whether the admin's first page is there.
    pub async fn is_in(&self) -> bool {
        match self.call("GET", "/admin/").send().await {
            answer if answer.status == 200 => true,
            answer => {
                assert_eq!(answer.redirect(), (302, "/admin/login/?next=/admin/"), "{}", answer.text());
                false
            }
        }
    }
}

/// The codes on the page that shows them once.
pub fn recovery_codes(html: &str) -> Vec<String> {
    let codes = between(html, "<li><code>", "</code>");
    codes.into_iter().map(str::to_owned).collect()
}

impl TestServer {
    /// Staff with a second factor: the app, the recovery codes, and the browser in which it was set up.
    pub async fn staff_with_factor(&self, name: &str) -> (App, Vec<String>, AdminClient) {
        self.staff(name, |_| {}).await;
        let mut client = self.sign_in(name).await;
        let (app, codes) = client.enrol().await;
        (app, codes, client)
    }

    /// As if much time had passed: no code counts as used.
    pub async fn forget_used_codes(&self) {
        self.sql("UPDATE second_factors SET last_step = 0").await;
    }
}
