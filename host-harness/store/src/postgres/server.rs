//! Which server, and how it is spoken to.

use std::fmt;
use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket};

use crate::error::Error;
use crate::postgres::tls::Tls;

/// A server that does not answer a new connection in so long is not there.
const CONNECTING: Duration = Duration::from_secs(5);

/// A peer that is gone without a word is noticed after about so long.
const SILENCE: Duration = Duration::from_secs(15);

/// A server and a database on it. Shown, it has no password.
#[derive(Clone)]
pub struct Server {
    config: Config,
    tls: Option<Tls>,
}

impl Server {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the usual parameters.
    ///
    /// `sslmode` is `disable`, `require` or `verify-full`; the last two are one, since a certificate that nobody checks protects from
    /// nobody. Without it, another machine is spoken to by TLS, and this one in plain. `sslrootcert` names a file of the authorities to
    /// trust instead of the public ones.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`], which does not repeat what was written: a password may be in it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let denied = |said: String| Err(Error::Denied(said));
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(value),
                _ => others.push(pair),
            }
        }
        let Ok(mut config) = format!("{base}?{}", others.join("&")).parse::<Config>() else {
            return denied("the address of the PostgreSQL server cannot be read: postgres://USER:PASSWORD@HOST/DATABASE, with what is no \
                           letter or digit in the password written as %40".to_owned());
        };
        let nearby = config.get_hosts().iter().all(|host| match host {
            Host::Tcp(host) => matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]"),
            #[cfg(unix)]
            Host::Unix(_) => true,
        });
        let encrypted = match mode {
            None => !nearby,
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            Some(_) => {
                return denied(
                    "sslmode is disable, require or verify-full: the others would let anybody listen in".to_owned(),
                );
            }
        };
        config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("harness");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECTING);
        }
        config.keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        let tls = encrypted.then(|| Tls::trusting(roots)).transpose()?;
        Ok(Self { config, tls })
    }

    /// Connects. What is told without having been asked for, such as a notification, is reported by a call of `told`; the other value ends
    /// with the connection.
    pub(crate) async fn connect(&self, told: impl Fn() + Send + 'static) -> Result<(Client, JoinHandle<()>), Error> {
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                Ok((client, tokio::spawn(drive(connection, told))))
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                Ok((client, tokio::spawn(drive(connection, told))))
            }
        }
    }
}

/// Moves what is sent and received until the connection ends.
async fn drive<T>(mut connection: Connection<Socket, T>, told: impl Fn() + Send)
where
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            told();
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match host {
                Host::Tcp(host) => write!(f, "{comma}{host}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            if let Some(port) = self.config.get_ports().get(index).or(self.config.get_ports().first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_password() {
        let server = Server::parse("postgres://shop:hunter2%40@db.example.com:6543/events").unwrap();
        for shown in [server.to_string(), format!("{server:?}")] {
            assert_eq!(shown, "postgres://shop@db.example.com:6543/events");
        }
    }

    #[test]
    fn refuses_what_cannot_be_read_without_repeating_it() {
        for text in
            ["postgres://shop:hunter2@db/x?port=hunter2", "postgres://shop:hunt/er2@db:x/y", "postgres://a/b?hunter2=1"]
        {
            let error = Server::parse(text).unwrap_err();
            assert!(matches!(error, Error::Denied(_)), "{text}");
            assert!(!error.to_string().contains("hunt"), "{error}");
        }
    }

    #[test]
    fn speaks_by_tls_to_other_machines_unless_told_otherwise() {
        let by_tls = |text: &str| Server::parse(text).unwrap().tls.is_some();
        assert!(by_tls("postgres://shop@db.example.com/events"));
        assert!(by_tls("postgres://shop@localhost/events?sslmode=require"));
        assert!(by_tls("postgres://shop@localhost/events?sslmode=verify-full"));
        assert!(!by_tls("postgres://shop@localhost/events"));
        assert!(!by_tls("postgres://shop@%2Fvar%2Frun%2Fpostgresql/events"));
        assert!(!by_tls("postgres://shop@db.example.com/events?sslmode=disable"));
        assert!(Server::parse("postgres://shop@localhost/events?sslmode=prefer").is_err());
    }
}
