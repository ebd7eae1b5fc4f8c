//! Stands in for the server in the archives: answers on its monitoring port with the arguments and the version it was given.

use std::env;
use std::io::{Read, Write};
use std::net::TcpListener;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [option, port] = arguments.as_slice() else { panic!("wanted -m PORT, found {arguments:?}") };
    assert_eq!(option, "-m");
    let body = format!("{} {}\n", env::var("NATS_STREAMING_SERVER").expect("the version"), arguments.join(" "));
    let listener = TcpListener::bind(format!("0.0.0.0:{port}")).expect("the port is free");
    for mut stream in listener.incoming().flatten() {
        let _ = stream.read(&mut [0; 4096]);
        let _ = write!(stream, "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    }
}
