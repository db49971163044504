//! Finding the master of a group that sentinels watch.

use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisResult, cmd,
};
use tokio::task::JoinSet;

use crate::address::at;

/// Sentinels, and the name under which they know a master.
pub(crate) struct Sentinels {
    clients: Vec<Client>,
    name: String,
    /// How to sign in to the master, and which of its databases to use.
    server: ConnectionInfo,
}

impl Sentinels {
    /// The URLs have the sentinels' addresses, and what is asked for at the master.
    pub(crate) fn new<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        name: &str,
        prepare: impl Fn(ConnectionInfo) -> RedisResult<ConnectionInfo>,
        login: Option<&(String, String)>,
    ) -> RedisResult<Self> {
        let mut server = None;
        let mut clients = Vec::new();
        for url in urls {
            let info = prepare(url.into_connection_info()?)?;
            let mut settings = redis::RedisConnectionInfo::default()
                .set_protocol(info.redis_settings().protocol());
            if let Some((user, password)) = login {
                settings = settings.set_username(user).set_password(password);
            }
            clients.push(Client::open(info.clone().set_redis_settings(settings))?);
            server.get_or_insert(info);
        }
        let server = server.ok_or((ErrorKind::InvalidClientConfig, "no sentinel is named"))?;
        Ok(Self { clients, name: name.to_owned(), server })
    }

    pub(crate) const fn server(&self) -> &ConnectionInfo {
        &self.server
    }

    /// The master, as the first sentinel has it that answers.
    pub(crate) async fn master(&self, config: &AsyncConnectionConfig) -> RedisResult<Client> {
        let mut asking = JoinSet::new();
        for client in &self.clients {
            asking.spawn(ask(client.clone(), config.clone(), self.name.clone()));
        }
        let mut fault = (ErrorKind::MasterNameNotFoundBySentinel, "no sentinel answers").into();
        while let Some(answer) = asking.join_next().await {
            match answer {
                Ok(Ok((host, port))) => return Client::open(at(&self.server, host, port)),
                Ok(Err(other)) => fault = other,
                // The runtime ends.
                Err(_) => {}
            }
        }
        Err(fault)
    }
}

async fn ask(
    sentinel: Client,
    config: AsyncConnectionConfig,
    name: String,
) -> RedisResult<(String, u16)> {
    let mut connection = sentinel.get_multiplexed_async_connection_with_config(&config).await?;
    let mut question = cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let answer: Option<(String, u16)> = question.query_async(&mut connection).await?;
    let unknown = (ErrorKind::MasterNameNotFoundBySentinel, "the sentinels know no such master");
    answer.ok_or_else(|| unknown.into())
}
