//! A mail is sent by one node, once; and by another if that one dies.

use std::time::Duration;

use hookwright_app::MailSettings;
use hookwright_model::mail::verification;
use hookwright_store::{Change, Claim, FlowChange};
use hookwright_testkit::{Org, OrgOptions};
use secrecy::SecretString;

use super::SharedDatabase;
use crate::flows::mails::MailServer;

const MAILS: usize = 40;

fn sending_to(url: &str) -> impl Fn(&mut OrgOptions) {
    let smtp_url = SecretString::from(url.to_owned());
    move |options| {
        let from = "Org <org@org.example>".to_owned();
        options.settings.mail = Some(MailSettings { smtp_url: smtp_url.clone(), from });
    }
}

async fn write_mails(org: &Org) {
    let change = |number: usize| {
        let to = format!("rosario{number}@okta.com");
        let mail = verification(format!("m{number}"), &to, "123456", 10, org.app.now());
        Change::Flow(FlowChange::InsertMail { mail, expires: org.app.now().plus(Duration::from_secs(3_600)) })
    };
    org.store.commit((0..MAILS).map(change).collect()).await.expect("mails");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_send_each_mail_once() {
    let (database, mut server) = (SharedDatabase::create().await, MailServer::start().await);
    let (one, two) = database.nodes(sending_to(&server.url)).await;
    write_mails(&one).await;
    let (sent_by_one, sent_by_two) = tokio::join!(one.app.send_mails(), two.app.send_mails());
    sent_by_one.and(sent_by_two).expect("two rounds");
    assert_eq!(database.query("SELECT count(*), sum(attempts) FROM mails WHERE sent_ms > 0"), "40|40");
    let mut recipients = Vec::new();
    while let Ok(mail) = server.mails.try_recv() {
        recipients.extend(mail.lines().find_map(|line| line.strip_prefix("To: ")).map(str::to_owned));
    }
    recipients.sort_unstable();
    let mut expected: Vec<_> = (0..MAILS).map(|number| format!("rosario{number}@okta.com")).collect();
    expected.sort_unstable();
    assert_eq!(recipients, expected);
    tokio::join!(one.stop(), two.stop());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_that_a_dead_node_had_claimed_are_sent_by_the_other_when_the_claim_ends() {
    let (database, mut server) = (SharedDatabase::create().await, MailServer::start().await);
    let (one, two) = database.nodes(sending_to(&server.url)).await;
    write_mails(&one).await;
    let claim = Claim { token: "dead".to_owned(), now: one.app.now(), lease: Duration::from_secs(120) };
    let after = one.app.now().minus(Duration::from_secs(600));
    assert_eq!(one.store.claim_mails(&claim, after, 4).await.expect("mails").len(), 4);
    one.stop().await;
    two.app.send_mails().await.expect("a round");
    let received = |server: &mut MailServer| std::iter::from_fn(|| server.mails.try_recv().ok()).count();
    assert_eq!(received(&mut server), MAILS - 4);
    two.clock.advance(Duration::from_secs(120));
    two.app.send_mails().await.expect("a round");
    assert_eq!(received(&mut server), 4);
    two.stop().await;
}
