//! Where the server listens: at an IP address and port, at a Unix socket, or at the socket that systemd passes.

use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use listenfd::ListenFd;
use socket2::{Domain, SockAddr, Socket, Type};

/// How many clients may wait until they are accepted.
const BACKLOG: i32 = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// Port 0 lets the system choose.
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl FromStr for ListenAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<ListenAddress, &'static str> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(ListenAddress::Unix(path.into())),
            Some(_) => Err("has no absolute path, such as `unix:/run/gatepost/gatepost.sock`"),
            None => text.parse().map(ListenAddress::Tcp).map_err(
                |_| "is not an IP address and port, such as `0.0.0.0:8000` or `[::]:8000`, and not `unix:` with a path",
            ),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Tcp(address) => address.fmt(f),
            ListenAddress::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl ListenAddress {
    /// `None` for a Unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            ListenAddress::Tcp(address) => Some(*address),
            ListenAddress::Unix(_) => None,
        }
    }

    /// Where a client on this machine connects. `None` for a Unix socket.
    pub fn reachable(&self) -> Option<SocketAddr> {
        let mut address = self.address()?;
        // The server listens on all addresses.
        match address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Some(address)
    }

    /// Whether it has an IP address at which only this machine can connect.
    pub fn is_loopback(&self) -> bool {
        self.address().is_some_and(|address| address.ip().is_loopback())
    }
}

/// A socket that nobody else can take. An IP address is not listened at yet.
pub enum Reserved {
    Own(Socket, ListenAddress),
    /// systemd has opened it, and keeps it.
    Passed(Listener),
}

pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Reserved {
    /// The socket that systemd passes, or one of our own.
    pub fn passed_or_at(bind: &ListenAddress) -> Result<Reserved> {
        match passed()? {
            Some(listener) => Ok(Reserved::Passed(listener)),
            None => Reserved::at(bind),
        }
    }

    pub fn is_unix(&self) -> bool {
        matches!(self, Reserved::Own(_, ListenAddress::Unix(_)) | Reserved::Passed(Listener::Unix(_)))
    }

    pub fn at(bind: &ListenAddress) -> Result<Reserved> {
        let socket = match bind {
            ListenAddress::Tcp(address) => {
                let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
                // Connections of a former process may still be closing.
                socket.set_reuse_address(true)?;
                socket.bind(&(*address).into())?;
                socket
            }
            ListenAddress::Unix(path) => {
                remove_stale(path)?;
                let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                socket.bind(&SockAddr::unix(path)?)?;
                // Nobody can connect yet. The group is for the proxy.
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
                // Otherwise a second start would take it for one that is left behind. Clients wait.
                socket.listen(BACKLOG)?;
                socket
            }
        };
        Ok(Reserved::Own(socket, bind.clone()))
    }

    pub fn listen(self) -> Result<Listener> {
        match self {
            Reserved::Passed(listener) => Ok(listener),
            Reserved::Own(socket, bind) => {
                socket.listen(BACKLOG)?;
                Ok(match bind {
                    ListenAddress::Tcp(_) => Listener::Tcp(socket.into()),
                    ListenAddress::Unix(_) => Listener::Unix(socket.into()),
                })
            }
        }
    }
}

impl Listener {
    /// With the actual port.
    pub fn bind(&self) -> Result<ListenAddress> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Listener::Unix(listener) => {
                let address = listener.local_addr()?;
                Ok(ListenAddress::Unix(address.as_pathname().unwrap_or(Path::new("")).to_owned()))
            }
        }
    }
}

/// The socket of systemd's socket activation, if there is one.
fn passed() -> Result<Option<Listener>> {
    let mut sockets = ListenFd::from_env();
    match sockets.len() {
        0 => return Ok(None),
        1 => {}
        count => return Err(Error::other(format!("systemd passes {count} sockets, and there can be only one"))),
    }
    if let Ok(Some(listener)) = sockets.take_tcp_listener(0) {
        return Ok(Some(Listener::Tcp(listener)));
    }
    Ok(sockets.take_unix_listener(0)?.map(Listener::Unix))
}

/// A process that ended leaves its socket behind.
fn remove_stale(path: &Path) -> Result<()> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(Error::new(ErrorKind::AddrInUse, "Address already in use")),
    }
}
