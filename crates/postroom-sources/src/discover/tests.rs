#![allow(clippy::unwrap_used)]

use super::providers::{all, by_exchanger, read};
use super::*;
use crate::certificate::parse_der;
use crate::{Trust, https};
use expect_test::{Expect, expect};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

/// A name service that is a table. Hosts are at the address of the test's own server.
#[derive(Default, Clone)]
struct Table {
    services: BTreeMap<&'static str, Vec<(u16, u16, u16, &'static str)>>,
    exchangers: Vec<&'static str>,
    hosts: BTreeMap<String, Vec<IpAddr>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Table {
    fn note(&self, kind: &str, name: &str) {
        self.asked.lock().unwrap().push(format!("{kind} {name}"));
    }
}

impl Names for Table {
    async fn services(&self, name: &str) -> Result<Vec<ServiceRecord>, NoAnswer> {
        self.note("SRV", name);
        let service = name.split('.').next().unwrap();
        if service == "_fails" {
            return Err(NoAnswer("it is down".into()));
        }
        let records = self.services.get(service).cloned().unwrap_or_default();
        let record = |(priority, weight, port, target): (u16, u16, u16, &str)| ServiceRecord {
            priority,
            weight,
            port,
            target: target.trim_end_matches('.').to_owned(),
        };
        Ok(records.into_iter().map(record).collect())
    }

    async fn exchangers(&self, domain: &str) -> Result<Vec<String>, NoAnswer> {
        self.note("MX", domain);
        Ok(self.exchangers.iter().map(|host| (*host).to_owned()).collect())
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NoAnswer> {
        self.note("A", host);
        self.hosts.get(host).cloned().ok_or(NoAnswer("no such host".into()))
    }
}

const WHO: Who<'_> = Who { local: "pat", domain: "corp.example", may_be_told: false };

fn offline(table: &Table) -> Https<Table> {
    Https::new(table.clone(), Trust::default(), rules())
}

fn lines(found: &Found) -> String {
    let proposal = |p: &Proposal| {
        let note = p.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("{:?} {}:{} {:?} {} {:?} {:?}{note}", p.protocol, p.host, p.port, p.security, p.user, p.needs, p.from)
    };
    let asked = found.asked.iter().map(|asked| format!("{}: {}", asked.whom, asked.outcome));
    found.proposals.iter().map(proposal).chain(asked).collect::<Vec<_>>().join("\n")
}

async fn check(table: Table, expected: Expect) {
    expected.assert_eq(&lines(&discover(WHO, &offline(&table)).await));
}

#[test]
fn the_table_of_providers_is_sound() {
    let blocks: Vec<_> = include_str!("../../data/providers.txt").split("\n\n").skip(1).collect();
    for block in &blocks {
        read(block).unwrap_or_else(|line| panic!("{line:?} in {block:?}"));
    }
    assert_eq!(all().len(), blocks.len());
    let mut names = BTreeSet::new();
    let mut domains = BTreeSet::new();
    for provider in all() {
        assert!(names.insert(provider.name), "{} twice", provider.name);
        assert!(!provider.domains.is_empty() || !provider.exchangers.is_empty(), "{} is never found", provider.name);
        for domain in &provider.domains {
            assert!(domains.insert(*domain), "{domain} twice");
        }
        let hosts = provider.servers.iter().map(|server| server.host);
        for host in hosts.chain(provider.domains.iter().copied()).chain(provider.exchangers.iter().copied()) {
            assert!(is_host(host) && host == host.to_lowercase(), "{}: {host:?}", provider.name);
        }
    }
    assert!(domains.len() >= 60, "only {} domains", domains.len());
    for domain in [
        "gmail.com",
        "outlook.com",
        "hotmail.de",
        "yahoo.fr",
        "icloud.com",
        "gmx.de",
        "web.de",
        "t-online.de",
        "freenet.de",
        "online.de",
        "mailbox.org",
        "posteo.de",
        "fastmail.com",
        "zoho.com",
        "yandex.ru",
        "aol.com",
        "orange.fr",
        "laposte.net",
        "free.fr",
        "libero.it",
        "seznam.cz",
        "wp.pl",
    ] {
        assert!(domains.contains(domain), "{domain} is missing");
    }
    for (host, name) in [
        ("corp-example.mail.protection.outlook.com", "Microsoft 365"),
        ("eur.olc.protection.outlook.com", "Outlook.com"),
        ("aspmx.l.google.com", "Gmail"),
        ("mx00.kundenserver.de", "IONOS"),
        ("smtpin.rzone.de", "STRATO"),
    ] {
        assert_eq!(by_exchanger(host).map(|provider| provider.name), Some(name), "{host}");
    }
    assert_eq!(by_exchanger("notgoogle.com"), None);
}

/// A domain of the table is answered without a word to anybody.
#[tokio::test]
async fn nobody_is_asked_about_a_domain_of_the_table() {
    let table = Table::default();
    for (domain, expected) in [
        (
            "gmail.com",
            expect![[r#"
            Imap imap.gmail.com:993 Ssl pat@gmail.com AppPassword [Provider] (An app password needs 2-step verification (https://myaccount.google.com/apppasswords). The account's own password is not taken. An account of an organisation may allow OAuth only.)
            Pop3 pop.gmail.com:995 Ssl pat@gmail.com AppPassword [Provider] (An app password needs 2-step verification (https://myaccount.google.com/apppasswords). The account's own password is not taken. An account of an organisation may allow OAuth only.)"#]],
        ),
        (
            "tuta.com",
            expect![
                "the table of providers (Tuta): Tuta offers neither IMAP nor POP3, so it cannot be connected: have the mail forwarded to a mailbox elsewhere."
            ],
        ),
    ] {
        expected.assert_eq(&lines(&discover(Who { domain, ..WHO }, &offline(&table)).await));
    }
    let web_de = discover(Who { domain: "web.de", ..WHO }, &offline(&table)).await;
    assert_eq!(web_de.proposals[0].user, "pat", "this provider wants the local part");
    assert!(table.asked.lock().unwrap().is_empty());
}

/// RFC 6186 and 2782: priorities, weights, what is decidedly not offered, and what cannot be a host.
#[tokio::test]
async fn srv_records() {
    let services = BTreeMap::from([
        (
            "_imaps",
            vec![
                (20, 9, 993, "late.corp.example."),
                (10, 1, 1993, "light.corp.example."),
                (10, 5, 993, "mail.corp.example."),
            ],
        ),
        ("_imap", vec![(0, 0, 0, ".")]),
        (
            "_pop3s",
            vec![(0, 0, 995, "evil host"), (0, 0, 0, "zero.corp.example."), (1, 0, 995, "pop.elsewhere.example.")],
        ),
    ]);
    check(
        Table { services, ..Table::default() },
        expect![[r#"
            Imap mail.corp.example:993 Ssl pat@corp.example Password [Srv]
            Imap light.corp.example:1993 Ssl pat@corp.example Password [Srv]
            Imap late.corp.example:993 Ssl pat@corp.example Password [Srv]
            Pop3 pop.elsewhere.example:995 Ssl pat@corp.example Password [Srv] (pop.elsewhere.example is outside of corp.example: make sure that it is your provider's)
            https://autoconfig.corp.example/mail/config-v1.1.xml: HOST_UNKNOWN
            https://corp.example/.well-known/autoconfig/mail/config-v1.1.xml: HOST_UNKNOWN
            SRV _imaps._tcp.corp.example: 3 servers named
            SRV _imap._tcp.corp.example: decidedly not offered
            SRV _pop3s._tcp.corp.example: 1 server named
            SRV _pop3._tcp.corp.example: nothing
            MX corp.example: nothing"#]],
    )
    .await;
}

#[tokio::test]
async fn whose_servers_take_the_mail() {
    let table = Table { exchangers: vec!["mx1.unknown.example", "aspmx.l.google.com"], ..Table::default() };
    let found = discover(WHO, &offline(&table)).await;
    assert_eq!(found.proposals[0].from, [Origin::Mx]);
    assert_eq!(
        (found.proposals[0].host.as_str(), found.proposals[0].user.as_str()),
        ("imap.gmail.com", "pat@corp.example")
    );
    // Nobody was told more than the domain.
    assert!(!table.asked.lock().unwrap().iter().any(|asked| asked.contains("pat")));
    let table = Table { exchangers: vec!["w01.kasserver.com"], ..Table::default() };
    let found = discover(WHO, &offline(&table)).await;
    assert!(found.proposals.is_empty() && found.asked.last().unwrap().outcome.contains("customer area"));
}

const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
 <emailProvider id="corp.example">
  <domain>corp.example</domain>
  <incomingServer type="pop3">
   <hostname>pop.corp.example</hostname><port>995</port><socketType>SSL</socketType>
   <username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication>
  </incomingServer>
  <incomingServer type="imap">
   <hostname>MAIL.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
   <username>%EMAILADDRESS%</username><authentication>OAuth2</authentication><authentication>password-cleartext</authentication>
  </incomingServer>
  <incomingServer type="imap"><hostname>mail.corp.example</hostname><port>143</port><socketType>STARTTLS</socketType>
   <username>%REALNAME%</username><authentication>OAuth2</authentication></incomingServer>
  <incomingServer type="imap"><hostname>mail.corp.example</hostname><port>143</port><socketType>plain</socketType>
   <username>x</username></incomingServer>
  <incomingServer type="exchange"><hostname>ews.corp.example</hostname><port>443</port><socketType>SSL</socketType></incomingServer>
  <incomingServer type="imap"><hostname>-evil-;rm</hostname><port>993</port><socketType>SSL</socketType></incomingServer>
  <incomingServer type="imap"><hostname>mail.corp.example</hostname><port>0</port><socketType>SSL</socketType></incomingServer>
  <outgoingServer type="smtp"><hostname>smtp.corp.example</hostname><port>587</port><socketType>STARTTLS</socketType></outgoingServer>
 </emailProvider>
</clientConfig>"#;

#[test]
fn settings_documents() {
    let check = |text: &str, expected: Expect| {
        let (proposals, outcome) = autoconfig::read(text, WHO);
        let asked = vec![Asked { whom: "it".into(), outcome }];
        expected.assert_eq(&lines(&Found { proposals, asked }));
    };
    check(
        DOCUMENT,
        expect![[r#"
            Pop3 pop.corp.example:995 Ssl pat Password [Autoconfig]
            Imap mail.corp.example:993 Ssl pat@corp.example Password [Autoconfig]
            Imap mail.corp.example:143 Starttls pat@corp.example Oauth [Autoconfig]
            it: a settings document, 3 usable; 1 in clear, which is not proposed"#]],
    );
    let bomb = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE c [<!ENTITY a \"{}\">]><clientConfig>&a;</clientConfig>",
        "x".repeat(1000)
    );
    let outside = r#"<!DOCTYPE c [<!ENTITY a SYSTEM "file:///etc/passwd">]><clientConfig>&a;</clientConfig>"#;
    let many = format!("<clientConfig>{}</clientConfig>", "<a/>".repeat(6000));
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    for text in [&bomb, outside, &many, &deep, "", "hello", "<clientConfig>"] {
        check(text, expect!["it: a document that is no XML, or too large"]);
    }
    for text in ["<html/>", "<clientConfig/>", "<x><emailProvider/></x>"] {
        check(text, expect!["it: a document of another kind"]);
    }
}

/// A web server on a free port of 127.0.0.1 that answers each request by its target, and what it was asked.
struct Web {
    port: u16,
    certificate: Certificate,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Web {
    async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
        let acceptor = acceptor(&certificate);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
                let head = read_head(&mut stream).await;
                let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                seen.lock().unwrap().push(head);
                let _gone = tokio::io::AsyncWriteExt::write_all(&mut stream, &answer(&target)).await;
                let _gone = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
            }
        });
        Self { port, certificate, asked, task }
    }

    /// A client for which every host of the test is this server.
    fn client(&self, rules: Rules) -> Https<Table> {
        let hosts = ["corp.example", "autoconfig.corp.example", "other.example"];
        let here = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let hosts = hosts.into_iter().map(|host| (host.to_owned(), here.clone())).collect();
        let names = Table { hosts, ..Table::default() };
        Https::new(names, Trust::new(vec![self.certificate.der.clone()]), rules)
    }

    fn url(&self, path: &str) -> String {
        format!("https://corp.example:{}{path}", self.port)
    }
}

async fn read_head(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 10_000 {
        match tokio::io::AsyncReadExt::read_u8(stream).await {
            Ok(octet) => head.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn acceptor(certificate: &Certificate) -> tokio_rustls::TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certificate.key_der.clone());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der.clone().into()], key.into())
        .unwrap();
    Arc::new(config).into()
}

/// Rules under which the test's own server may be asked.
fn here() -> Rules {
    Rules { allow_private: true, any_port: true, redirects: 3, body: 1000, ..Rules::default() }
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn https_keeps_to_its_rules() {
    let web = Web::start(|target| match target {
        "/ok" => ok("hello"),
        "/to-ok" => redirect("/ok"),
        "/to-clear" => redirect("http://corp.example/ok"),
        "/to-metadata" => redirect("https://169.254.169.254/ok"),
        "/round" => redirect("/round"),
        "/large" => ok(&"x".repeat(1001)),
        "/endless" => {
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), b"400\r\n".to_vec(), vec![b'x'; 5000]]
                .concat()
        }
        "/short" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello".to_vec(),
        "/missing" => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        _ => b"220 no HTTP\r\n".to_vec(),
    })
    .await;
    let client = web.client(here());
    let outcome = async |client: &Https<Table>, url: &str| match client.get(url).await {
        Ok(answer) => format!("{} {}", answer.status.as_u16(), String::from_utf8_lossy(&answer.body)),
        Err(error) => error.to_string(),
    };
    for (path, expected) in [
        ("/ok", "200 hello"),
        ("/to-ok", "200 hello"),
        ("/missing", "404 "),
        ("/to-clear", "the address is no https URL"),
        ("/round", "the server redirects too often"),
        ("/large", "the answer is too long"),
        ("/endless", "the answer is too long"),
        ("/short", "the answer is broken off or no HTTP"),
        ("/nonsense", "the answer is broken off or no HTTP"),
    ] {
        assert_eq!(outcome(&client, &web.url(path)).await, expected, "{path}");
    }
    // J2, J3: the address is checked at each step, whatever the name; private ones, other ports and other hosts are not asked.
    let strict = web.client(Rules { allow_private: false, ..here() });
    assert!(outcome(&strict, &web.url("/ok")).await.contains("in a private network"));
    let no_ports = web.client(Rules { any_port: false, ..here() });
    assert_eq!(outcome(&no_ports, &web.url("/ok")).await, format!("port {} may not be asked", web.port));
    let one_host = web.client(Rules { hosts: Some(vec!["other.example".into()]), ..here() });
    assert_eq!(outcome(&one_host, &web.url("/ok")).await, "the host corp.example is not one that may be asked");
    for url in
        ["http://corp.example/", "ftp://corp.example/", "corp.example", "https://u:p@corp.example/", "https:///x", ""]
    {
        assert_eq!(outcome(&client, url).await, "the address is no https URL", "{url}");
    }
    let nobody = Https::new(client.names().clone(), Trust::default(), here());
    let untrusted = nobody.get(&web.url("/ok")).await.err().unwrap();
    assert!(matches!(untrusted, https::HttpsError::Connection(ref error) if error.code() == "CERT_UNTRUSTED"));
    let asked = web.asked.lock().unwrap();
    assert!(
        asked[0].starts_with("GET /ok HTTP/1.1\r\n") && asked[0].contains(&format!("host: corp.example:{}", web.port))
    );
    assert!(parse_der(&web.certificate.der).is_ok());
}

/// J2: every way to write a private address, in a URL or as the answer of the name service, is refused without a connection.
#[tokio::test]
async fn j2_no_form_of_a_private_address_is_asked() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut forms: Vec<String> = [
        "127.0.0.1",
        "127.1.2.3",
        "10.0.0.1",
        "172.16.5.5",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[fe80::1]",
        "[fc00::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
    ]
    .map(str::to_owned)
    .into();
    // Forms that only the system's resolver reads as addresses.
    forms.extend(["localhost", "localhost.", "2130706433", "0x7f000001", "127.1", "0177.0.0.1"].map(str::to_owned));
    let rules = Rules { any_port: true, ..Rules::default() };
    let client = Https::new(crate::Dns::of_system(), Trust::default(), rules.clone());
    for form in &forms {
        let refused = client.get(&format!("https://{form}:{port}/")).await;
        assert!(
            matches!(refused, Err(https::HttpsError::Connection(_) | https::HttpsError::NotHttps)),
            "{form}: {refused:?}"
        );
    }
    // J3: a name that leads here at last.
    let names = Table {
        hosts: BTreeMap::from([("rebind.example".into(), vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])]),
        ..Table::default()
    };
    let client = Https::new(names, Trust::default(), rules);
    assert!(client.get(&format!("https://rebind.example:{port}/")).await.is_err());
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
    assert!(waiting.is_err(), "somebody connected");
}

/// The document is found at either place, told nothing but the domain, and its servers join those of the name service.
#[tokio::test]
async fn the_whole_way() {
    for (place, told) in [
        ("/mail/config-v1.1.xml", None),
        ("/.well-known/autoconfig/mail/config-v1.1.xml", None),
        ("/mail/config-v1.1.xml?emailaddress=postmaster%40corp.example", None),
        ("/mail/config-v1.1.xml?emailaddress=pat%2Bx%40corp.example", Some(true)),
        ("/nowhere", Some(true)),
    ] {
        let web = Web::start(move |target| {
            if target == place { ok(DOCUMENT) } else { b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec() }
        })
        .await;
        let client = web.client(Rules { allow_private: true, port: web.port, ..rules() });
        let who = Who { local: "pat+x", may_be_told: told.is_some(), ..WHO };
        let found = discover(who, &client).await;
        let is_there = place != "/nowhere";
        assert_eq!(
            found.proposals.iter().any(|p| p.from.contains(&Origin::Autoconfig)),
            is_there,
            "{place}: {found:?}"
        );
        let heads = web.asked.lock().unwrap().join("");
        assert_eq!(heads.contains("pat"), told.is_some(), "{place}: the address is told only if that is allowed");
    }
}
