//! The guard: a second process of the same program, which runs a server and stops it.
//!
//! A program that is killed cannot stop the servers that it has started. Therefore each server is
//! the child of a guard. The guard's standard input is a pipe from the program. The kernel closes
//! the pipe when the program ends, whatever ends it. The guard then ends the server, and every
//! program that the server has started. The guard passes all bytes of the pipe on to the server,
//! up to the byte [`END_OF_INPUT`].

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::{env, thread};

/// The first argument of a guard.
const GUARD: &str = "--guard";

/// The name of a guard in a list of processes.
#[cfg(unix)]
const NAME: &str = "server-guard";

/// The second argument if the third one is a command line for the shell.
const SHELL: &str = "--shell";

/// The exit status of a guard that cannot start the server, as in a shell.
const CANNOT_START: i32 = 127;

/// The byte after which the guard closes the standard input of the server. Ctrl-D in a terminal
/// sends the same byte.
pub const END_OF_INPUT: u8 = 4;

/// Held while the guard ends the server, or after the server has exited.
static ENDING: Mutex<()> = Mutex::new(());

/// Returns the command that starts a guard for this program and its arguments.
pub fn guard(program: &OsString, args: &[String]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    // `pkill -f` of the program's name must not end the guard, too.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, NAME);
    command.arg(GUARD).arg(program).args(args);
    set_apart(&mut command);
    Ok(command)
}

/// Returns the command that starts a guard for a command line of the shell.
pub fn shell_guard(line: &str) -> io::Result<Command> {
    guard(&SHELL.into(), &[line.to_owned()])
}

/// Does the work of a guard if this process was started as a guard, and then exits. Call this
/// first in `main`.
pub fn guard_if_asked() {
    let mut args = env::args_os().skip(1);
    if args.next().is_none_or(|first| first != GUARD) {
        return;
    }
    let args: Vec<OsString> = args.collect();
    let code = match args.split_first() {
        Some((program, args)) => run(program, args),
        None => CANNOT_START,
    };
    process::exit(code);
}

/// Runs the server until it exits, or until the standard input ends. Returns the exit status for
/// this process.
fn run(program: &OsString, args: &[OsString]) -> i32 {
    #[cfg(target_os = "linux")]
    adopt_orphans();
    let result = if program == SHELL {
        start_shell(&args[0].to_string_lossy())
    } else {
        start(Command::new(program).args(args))
    };
    let mut server = match result {
        Ok(server) => server,
        Err(err) => {
            eprintln!("{}: {err}", program.to_string_lossy());
            return CANNOT_START;
        }
    };
    let id = server.id();
    let mut input = server.stdin.take();
    thread::spawn(move || {
        let mut byte = [0];
        while let Ok(1) = io::stdin().read(&mut byte) {
            if byte == [END_OF_INPUT] {
                input = None;
            }
            // A server that does not read may have closed its standard input.
            let _ = input.as_mut().map(|input| input.write_all(&byte));
        }
        let _ending = ENDING.lock();
        end_tree(id);
    });
    wait_for_exit(&mut server);
    // From here on, the thread does not end a process that has the same number by chance. And this
    // process does not exit in the middle of a start of `taskkill`, which can then hang.
    let _ending = ENDING.lock();
    #[cfg(unix)]
    end_tree(id);
    let code = server.wait().map_or(CANNOT_START, exit_code);
    #[cfg(target_os = "linux")]
    end_orphans();
    code
}

fn start(command: &mut Command) -> io::Result<process::Child> {
    command.stdin(Stdio::piped());
    #[cfg(unix)]
    set_apart(command);
    command.spawn()
}

/// Starts the command line with the shell of the operating system.
#[cfg(unix)]
fn start_shell(line: &str) -> io::Result<process::Child> {
    start(Command::new("sh").arg("-c").arg(line))
}

/// Starts the command line. If the line needs no shell, this starts the program itself, because a
/// process without children is easier to end.
#[cfg(windows)]
fn start_shell(line: &str) -> io::Result<process::Child> {
    use std::os::windows::process::CommandExt;
    let (program, args) = line.split_once(' ').unwrap_or((line, ""));
    if !line.contains(['&', '|', '<', '>', '^', '%']) && !program.contains('"') {
        let server = start(Command::new(program).raw_arg(args));
        if server.is_ok() {
            return server;
        }
    }
    start(Command::new("cmd").raw_arg("/C").raw_arg(line))
}

/// Puts the process into a process group of its own. Ctrl-C in the terminal and a closed terminal
/// reach only the processes of the terminal's group.
#[cfg(unix)]
fn set_apart(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Puts the process into a process group of its own, so that Ctrl-C does not reach it.
#[cfg(windows)]
fn set_apart(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

/// Waits until the server has exited. The kernel does not use the number of the process again until
/// the guard has called `wait`, so the guard can still end the programs that the server started.
#[cfg(unix)]
fn wait_for_exit(server: &mut process::Child) {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let Some(group) = group(server.id()) else { return };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let _ = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(group), options));
}

/// Waits until the server has exited. Windows has no process groups: after the server has exited,
/// its number does not lead to the programs that it started.
#[cfg(windows)]
fn wait_for_exit(server: &mut process::Child) {
    let _ = server.wait();
}

/// Ends the server and the programs that it started.
#[cfg(unix)]
fn end_tree(id: u32) {
    use rustix::process::{Signal, kill_process_group};
    if let Some(group) = group(id) {
        // This fails if no process of the group is left.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Returns the number of a process group, which is the number of its first process.
#[cfg(unix)]
fn group(id: u32) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(id).ok()?)
}

/// Makes this process the parent of every program whose own parent has exited. Some programs, for
/// example `timeout` in a shell script, leave the process group of the server.
#[cfg(target_os = "linux")]
fn adopt_orphans() {
    use rustix::process::{getpid, set_child_subreaper};
    let _ = set_child_subreaper(Some(getpid()));
    // `killall` of the program's name must not end the guard, too.
    let _ = std::fs::write("/proc/self/comm", NAME);
}

/// Ends the programs that have left the process group. The child of an ended program becomes a
/// child of this process, so this continues until no child is left.
#[cfg(target_os = "linux")]
fn end_orphans() {
    use rustix::process::{Signal, WaitOptions, kill_process, wait};
    loop {
        let children = std::fs::read_to_string("/proc/thread-self/children");
        let children = children.unwrap_or_default();
        if children.is_empty() {
            return;
        }
        let children: Vec<_> = children.split_whitespace().collect();
        for child in &children {
            let child = child.parse().ok().and_then(rustix::process::Pid::from_raw);
            // A program of another user, for example after `sudo`, cannot be ended.
            if child.is_none_or(|child| kill_process(child, Signal::KILL).is_err()) {
                return;
            }
        }
        // Each call waits for any of them. Therefore all are ended before the first call.
        for _ in &children {
            let _ = wait(WaitOptions::empty());
        }
    }
}

/// Ends the server and the programs that it started. The `taskkill` of Wine does not know `/T`.
#[cfg(windows)]
fn end_tree(id: u32) {
    let id = id.to_string();
    for options in [&["/T", "/F", "/PID", &id][..], &["/F", "/PID", &id]] {
        let mut command = Command::new("taskkill");
        command.args(options).stdin(Stdio::null()).stdout(Stdio::null());
        if command.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return;
        }
    }
}

/// Returns the server's exit status, or 128 and the number of the signal, as a shell does.
fn exit_code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(CANNOT_START)
}

/// Says in words how a server exited, for example `exit status 1` or
/// `killed by signal 11 (SIGSEGV)`.
pub fn status_words(status: ExitStatus) -> String {
    let code = exit_code(status);
    if cfg!(windows) && code < 0 {
        // Windows reports a crash by such a number, for example 0xc0000005.
        return format!("exit status {code:#x}");
    }
    let signal = code - 128;
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("exit status {code}"),
    };
    format!("killed by signal {signal} ({name})")
}
