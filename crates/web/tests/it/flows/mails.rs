//! Mails over SMTP: they arrive, they wait for a server that is not there, and a server that refuses stops nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hookwright_app::MailSettings;
use hookwright_model::mail::verification;
use hookwright_store::{Change, FlowChange};
use hookwright_testkit::OrgOptions;
use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::idx::Idx;
use super::org::{FlowOrg, PASSWORD};
use crate::execute::ALLOW;

/// A mail server that keeps what it is given (RFC 5321, as much of it as a client needs).
pub(crate) struct MailServer {
    pub(crate) url: String,
    pub(crate) mails: UnboundedReceiver<String>,
    /// Whether it says that it can't take anything now.
    busy: Arc<AtomicBool>,
    /// How many mails it has put off.
    postponed: Arc<AtomicUsize>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("an ephemeral port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let (sender, mails) = unbounded_channel();
        let busy = Arc::new(AtomicBool::new(false));
        let postponed = Arc::new(AtomicUsize::new(0));
        let state = (Arc::clone(&busy), Arc::clone(&postponed));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, sender.clone(), state.clone()));
            }
        });
        Self { url, mails, busy, postponed }
    }
}

async fn converse(
    stream: TcpStream,
    mails: UnboundedSender<String>,
    (busy, postponed): (Arc<AtomicBool>, Arc<AtomicUsize>),
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read.take(1 << 20)).lines();
    write.write_all(b"220 mail.example\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let reply: &[u8] = match verb.as_str() {
            "RCPT" if line.contains("<nobody") => b"550 no such mailbox\r\n",
            "RCPT" if line.contains("<full") => {
                postponed.fetch_add(1, Ordering::AcqRel);
                b"452 mailbox full\r\n"
            }
            "MAIL" if busy.load(Ordering::Acquire) => b"451 later\r\n",
            "DATA" => {
                write.write_all(b"354 go\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.push_str(&line);
                    mail.push('\n');
                }
                let _ = mails.send(mail);
                b"250 kept\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 mail.example\r\n",
        };
        write.write_all(reply).await?;
    }
    Ok(())
}

async fn org(server: &MailServer) -> FlowOrg {
    let mut options = OrgOptions::default();
    options.settings.mail = Some(MailSettings {
        smtp_url: SecretString::from(server.url.clone()),
        from: "Org <org@org.example>".to_owned(),
    });
    let org = FlowOrg::with_options(options, |rule| rule.email_verification = true).await;
    org.answers(&[ALLOW]);
    org
}

/// Signs up until the code is asked for.
async fn at_code(org: &FlowOrg) -> Idx {
    let mut idx = org.idx().await;
    idx.sign_up(json!({"email": "rosario@okta.com", "firstName": "Rosario", "lastName": "Jones"})).await;
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    assert_eq!(idx.body["currentAuthenticator"]["value"]["key"], "okta_email", "{:#}", idx.body);
    idx
}

fn code_in(mail: &str) -> &str {
    let mut words = mail.split_whitespace();
    words.find(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit())).expect("a code")
}

#[tokio::test]
async fn a_code_comes_by_mail_and_opens_the_account() {
    let mut server = MailServer::start().await;
    let org = org(&server).await;
    let mut idx = at_code(&org).await;
    let mail = server.mails.recv().await.expect("a mail");
    assert!(mail.contains("From: \"Org\" <org@org.example>") || mail.contains("From: Org <org@org.example>"), "{mail}");
    assert!(mail.contains("To: rosario@okta.com") && mail.contains("Subject: "), "{mail}");
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": code_in(&mail)}})).await;
    assert!(!idx.code().is_empty());
}

#[tokio::test]
async fn a_mail_that_the_server_did_not_take_is_sent_later_and_once() {
    let mut server = MailServer::start().await;
    server.busy.store(true, Ordering::Release);
    let org = org(&server).await;
    let mut idx = at_code(&org).await;
    org.org.app.send_mails().await.expect("a round");
    assert!(server.mails.try_recv().is_err(), "the server took nothing");
    server.busy.store(false, Ordering::Release);
    org.org.app.send_mails().await.expect("a round");
    assert!(server.mails.try_recv().is_err(), "it rests a while");
    org.org.clock.advance(Duration::from_secs(15));
    for _ in 0..3 {
        org.org.app.send_mails().await.expect("a round");
    }
    let mail = server.mails.recv().await.expect("a mail");
    assert!(server.mails.try_recv().is_err(), "once");
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": code_in(&mail)}})).await;
    assert!(!idx.code().is_empty());
}

#[tokio::test]
async fn mails_that_the_server_does_not_take_stand_in_nobodys_way() {
    let mut server = MailServer::start().await;
    let org = org(&server).await;
    // More than are sent in one round, of addresses that somebody made up; and some that the server puts off.
    let mail = |number: u32, to: &str| {
        let now = org.org.app.now().minus(Duration::from_secs(1));
        let mail = verification(format!("m{number}"), to, "123456", 10, now);
        Change::Flow(FlowChange::InsertMail { mail, expires: now.plus(Duration::from_secs(3_600)) })
    };
    let refused = (0..60).map(|number| mail(number, &format!("nobody{number}@okta.com")));
    let postponed = (60..65).map(|number| mail(number, &format!("full{number}@okta.com")));
    let unwritable = std::iter::once(mail(65, "no address at all"));
    org.org.store.commit(refused.chain(postponed).chain(unwritable).collect()).await.expect("mails");
    let mut idx = at_code(&org).await;
    let received = tokio::time::timeout(Duration::from_secs(30), server.mails.recv()).await;
    let received = received.expect("in time").expect("a mail");
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": code_in(&received)}})).await;
    assert!(!idx.code().is_empty());
    // What was refused for good is not tried again; what was put off is, until its code is of no use.
    let waiting = async || {
        let mails = org.org.store.mails(100).await.expect("a look-up");
        mails.iter().filter(|mail| mail.sent.is_none()).count()
    };
    let attempts = || server.postponed.load(Ordering::Acquire);
    for _ in 0..3 {
        org.org.app.send_mails().await.expect("a round");
    }
    assert_eq!((waiting().await, attempts()), (5, 5));
    org.org.clock.advance(Duration::from_secs(15));
    org.org.app.send_mails().await.expect("a round");
    assert_eq!((waiting().await, attempts()), (5, 10));
    org.org.clock.advance(Duration::from_secs(600));
    org.org.app.send_mails().await.expect("a round");
    assert_eq!((waiting().await, attempts()), (5, 10));
}
