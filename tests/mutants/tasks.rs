//! A bug of a server with tasks: a call that blocks the thread blocks all tasks.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use sockets101::{Decoder, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use crate::upper;

/// Sleeps before each reply. The sleep blocks the thread of all tasks.
pub fn serve(listener: TcpListener, delay: Duration) -> Result<(), Failure> {
    listener.set_nonblocking(true)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (client, _) = listener.accept().await?;
            tokio::spawn(converse(client, delay));
        }
    })
}

async fn converse(mut client: TcpStream, delay: Duration) {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = client.read(&mut buffer).await {
        thread::sleep(delay);
        let (text, is_valid) = decoder.decode(&buffer[..length]);
        let is_sent = client.write_all(&upper(&text)).await.is_ok();
        if !is_sent || !is_valid {
            break;
        }
    }
    // The client must not lose its last reply.
    let _ = client.shutdown().await;
    while client.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}
