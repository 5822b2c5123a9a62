use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address: SocketAddr = "127.0.0.1:1235".parse()?;
    let socket =
        Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(!cfg!(windows))?;
    socket.bind(&address.into())?;
    socket.listen(1)?;
    let listener = TcpListener::from(socket);
    println!("server ready on {}", listener.local_addr()?);

    let (_client, peer) = listener.accept()?;
    println!("{peer} connected");
    Ok(())
}
