//! What a crowd of clients meets at each server with conversations or threads: pictures that
//! the example `crowd` draws of real runs.

use regex::Regex;

/// A run of `crowd`, for a slide's page.
pub struct Run {
    /// The slide.
    pub name: &'static str,
    /// What stands after `cargo run --example crowd --` on its page.
    pub arguments: &'static str,
    /// What the picture says of each server, or the drawing is not worth showing.
    says: &'static [&'static str],
}

const fn run(
    name: &'static str,
    arguments: &'static str,
    says: &'static [&'static str],
) -> Run {
    Run { name, arguments, says }
}

/// Slides 10 to 18. No more clients than have a connection at once, whatever the order in
/// which they and the server are: else a picture would be another each time.
pub const RUNS: [Run; 9] = [
    run(
        "sequential_server",
        "sequential_server --clients 2 --silent 1",
        &["1 silent, 0 of 1 served meanwhile"],
    ),
    run(
        "listen_backlog",
        "listen_backlog --backlog-probe --backlog 3",
        &["4 connected at once", "client 5: nothing for", "client 7: nothing for"],
    ),
    run(
        "slow_sequential_server",
        "slow_sequential_server --delay 1",
        &["one at a time"],
    ),
    run(
        "poll_server",
        "--compare listen_backlog,poll_server --silent 1",
        &["1 silent, 0 of 7 served meanwhile", "1 silent, 7 of 7 served meanwhile"],
    ),
    run(
        "thread_per_client",
        "--compare poll_server,thread_per_client --silent 4",
        &["4 silent, 4 of 4 served meanwhile", "4 silent, 4 of 4 served meanwhile"],
    ),
    run(
        "slow_thread_per_client",
        "--compare slow_sequential_server,slow_thread_per_client --clients 5",
        &["one at a time", "all at once"],
    ),
    run(
        "thread_pool",
        "thread_pool --silent 4",
        &["4 silent, 0 of 4 served meanwhile"],
    ),
    run(
        "thread_pool_timeout",
        "thread_pool_timeout --timeout 1 --silent 4",
        &[
            "4 lost: the server closed before it answered",
            "4 silent, 0 of 4 served meanwhile",
        ],
    ),
    run(
        "slow_thread_pool_timeout",
        "--compare slow_sequential_server,slow_thread_per_client,slow_thread_pool_timeout",
        &["one at a time", "all at once", "4 at once"],
    ),
];

/// The file of a picture, below the folder of its slide.
const FILE: &str = "crowd.svg";

/// Draws all of them at the same time: a run is waiting, and little else.
#[cfg(target_os = "linux")]
pub fn draw() -> Result<Vec<(String, String)>, String> {
    use crate::stage::Scratch;

    let scratch = Scratch::new("crowd")?;
    let folder = scratch.folder("pictures")?;
    std::thread::scope(|all| {
        let runs = RUNS.iter().map(|run| all.spawn(|| run.picture(&folder)));
        let runs: Vec<_> = runs.collect();
        let drawn = RUNS.iter().zip(runs).map(|(run, picture)| {
            let picture = picture.join().map_err(|_| "a crowd panicked")??;
            Ok((format!("{}/{FILE}", run.name), picture))
        });
        drawn.collect()
    })
}

#[cfg(target_os = "linux")]
impl Run {
    fn picture(&self, folder: &std::path::Path) -> Result<String, String> {
        // A file's name is in the ids of what is in it, and a page may have several.
        let file = folder.join(format!("crowd-{}.svg", self.name));
        let mut crowd = std::process::Command::new(crate::stage::example("crowd"));
        crowd.args(self.arguments.split(' ')).arg("--svg").arg(&file);
        // What it would build with cargo is built.
        crowd.env_remove("CARGO").stdin(std::process::Stdio::null());
        let output = crowd.output().map_err(|err| format!("crowd: {err}"))?;
        // Whether somebody got no answer is not asked here: it may be what is to be seen.
        let picture = std::fs::read_to_string(&file).unwrap_or_default();
        let mut rest = picture.split("</desc>").nth(1).unwrap_or_default();
        for words in self.says {
            rest =
                rest.split_once(words).map(|(_, rest)| rest).ok_or_else(|| {
                    format!(
                        "crowd {}: not in its picture: {words}\n{}{}",
                        self.arguments,
                        String::from_utf8_lossy(&output.stdout),
                        String::from_utf8_lossy(&output.stderr)
                    )
                })?;
        }
        Ok(picture)
    }
}

/// Whether a file says what a fresh one says. Times are never the same twice: of a crowd's
/// picture it is the rest that counts. That is all of its words, and of each client what
/// happened to it, in which order, but not when.
pub fn is_current(path: &str, committed: &str, fresh: &str) -> bool {
    if path.ends_with(FILE) {
        shape(committed) == shape(fresh)
    } else {
        committed == fresh
    }
}

/// A picture without its times: those in its words, the lengths of its lines, and its axis.
fn shape(picture: &str) -> Vec<String> {
    let is_axis =
        |line: &&str| line.contains("\"grid\"") || line.contains("\"tick\"");
    let without = |pattern: &str, line: &str, with: &str| match Regex::new(pattern) {
        Ok(pattern) => pattern.replace_all(line, with).into_owned(),
        Err(_) => line.to_owned(),
    };
    let lines = picture.lines().filter(|line| !is_axis(line));
    let lines = lines.map(|line| without(r#" d="[^"]*""#, line, ""));
    lines.map(|line| without(r"\d+(\.\d+)? (s|ms|µs)\b", &line, "a while")).collect()
}

#[cfg(test)]
mod tests {
    use super::is_current;

    const PICTURE: &str = "<desc>first answer after 1.02 s: 4 at once</desc>\n\
        <text class=\"tick\" x=\"60.0\" y=\"50\">0 s</text>\n\
        <path class=\"wait\" stroke-width=\"7.7\" d=\"M60.4 161.5H735.8\"/>\n";

    #[test]
    fn a_picture_is_current_whatever_its_times_are() {
        let current =
            |fresh: &str| is_current("thread_pool/crowd.svg", PICTURE, fresh);
        assert!(current(&PICTURE.replace("1.02 s", "998 ms")));
        assert!(current(&PICTURE.replace("735.8", "700")));
        assert!(current(&PICTURE.replace(">0 s<", ">0.5<")));
        assert!(!current(&PICTURE.replace("4 at", "3 at")));
        assert!(!current(&PICTURE.replace("wait", "lost")));
        assert!(!current(
            &PICTURE.replace("<path", "<path class=\"door\"/>\n<path")
        ));
        assert!(!is_current(
            "server.txt",
            PICTURE,
            &PICTURE.replace("1.02", "1.03")
        ));
    }
}
