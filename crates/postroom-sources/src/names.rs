//! What is asked of the name service to find a server: services, mail exchangers, addresses. The system's, or in tests a table.

use crate::dns::{Answer, Dns, Question, ServiceRecord};
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name service did not answer. That there are no records is no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name service does not answer: {0}")]
pub struct NoAnswer(pub String);

/// Answers questions about names.
pub trait Names: Send + Sync {
    /// The SRV records of a name; none is no error.
    fn services(&self, name: &str) -> impl Future<Output = Result<Vec<ServiceRecord>, NoAnswer>> + Send;

    /// The hosts that take the mail of a domain, the preferred one first.
    fn exchangers(&self, domain: &str) -> impl Future<Output = Result<Vec<String>, NoAnswer>> + Send;

    /// The addresses of a host.
    fn addresses(&self, host: &str) -> impl Future<Output = Result<Vec<IpAddr>, NoAnswer>> + Send;
}

impl Names for Dns {
    async fn services(&self, name: &str) -> Result<Vec<ServiceRecord>, NoAnswer> {
        match one(self, Question::Services(name.to_owned())).await? {
            Answer::Services(services) => Ok(services),
            _ => Ok(Vec::new()),
        }
    }

    async fn exchangers(&self, domain: &str) -> Result<Vec<String>, NoAnswer> {
        let Answer::Exchangers(mut found) = one(self, Question::Exchangers(domain.to_owned())).await? else {
            return Ok(Vec::new());
        };
        found.sort();
        Ok(found.into_iter().map(|(_, host)| host).filter(|host| !host.is_empty()).collect())
    }

    /// As every other program of this system finds them, /etc/hosts included.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NoAnswer> {
        match tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, 0))).await {
            Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
            Ok(Err(error)) => Err(NoAnswer(error.to_string())),
            Err(_) => Err(NoAnswer(format!("nothing within {} s", PATIENCE.as_secs()))),
        }
    }
}

async fn one(dns: &Dns, question: Question) -> Result<Answer, NoAnswer> {
    let answers = dns.ask(vec![question.clone()], Instant::now() + PATIENCE).await;
    match answers.get(&question) {
        Some(Answer::Unknown(why)) => Err(NoAnswer(why.clone())),
        Some(answer) => Ok(answer.clone()),
        None => Err(NoAnswer("nobody".to_owned())),
    }
}
