//! Bugs of a server with tasks.

use std::io;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use sockets101::{Decoder, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use crate::upper;

pub fn serve(
    bug: &str,
    listener: TcpListener,
    delay: Duration,
    idle: Duration,
) -> Result<(), Failure> {
    listener.set_nonblocking(true)?;
    let blocks = bug == "sleeps_in_a_task";
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (client, _) = listener.accept().await?;
            if blocks {
                tokio::spawn(blocking(client, delay));
            } else {
                tokio::spawn(impatient(client, delay, idle));
            }
        }
    })
}

/// Sleeps before each reply. The sleep blocks the thread of all tasks.
async fn blocking(mut client: TcpStream, delay: Duration) {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = client.read(&mut buffer).await {
        thread::sleep(delay);
        if !reply(&mut client, &mut decoder, &buffer[..length]).await {
            break;
        }
    }
    close(client).await;
}

/// Counts its own sleep as silence of the client.
async fn impatient(mut client: TcpStream, delay: Duration, idle: Duration) {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 4096];
    loop {
        let request = async {
            let length = client.read(&mut buffer).await?;
            sleep(delay).await;
            io::Result::Ok(length)
        };
        let Ok(Ok(length @ 1..)) = timeout(idle, request).await else { break };
        if !reply(&mut client, &mut decoder, &buffer[..length]).await {
            break;
        }
    }
    close(client).await;
}

/// Returns true if the connection can continue.
async fn reply(client: &mut TcpStream, decoder: &mut Decoder, bytes: &[u8]) -> bool {
    let (text, is_valid) = decoder.decode(bytes);
    client.write_all(&upper(&text)).await.is_ok() && is_valid
}

/// Closes the connection so that the client does not lose its last reply.
async fn close(mut client: TcpStream) {
    let _ = client.shutdown().await;
    let mut buffer = [0; 4096];
    while client.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}
