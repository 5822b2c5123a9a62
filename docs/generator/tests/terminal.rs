//! What `stop_server` does in a terminal. The tests of the package have no terminal.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::process::Command;

use sockets101_book::stage::{Server, build, example};

#[test]
fn in_a_terminal_the_end_of_the_input_stops_the_server() {
    build().unwrap();
    let rust = || Command::new(example("stop_server"));
    let python = || {
        let mut command = Command::new("python3");
        command.arg("docs/python/stop_server.py");
        command
    };
    let programs: [&dyn Fn() -> Command; 2] = [&rust, &python];
    for program in programs {
        for keys in ["\x04", "quit\n", "Quit\n\x04"] {
            let mut server = Server::start("stop_server", program(), &[]).unwrap();
            let advice = "type quit and press Enter to stop the server";
            server.terminal.wait_for(1, advice).unwrap();
            server.terminal.type_in(keys).unwrap();
            server.terminal.wait().unwrap();
            let output = server.terminal.output();
            let last = output.lines().last();
            assert_eq!(
                last,
                Some("stopped; clients served: 0, cut off: 0"),
                "{output}"
            );
        }
    }
}
