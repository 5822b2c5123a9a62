//! The puzzles: the lines of a program in short in Python, mixed with two wrong lines.
//!
//! The lines are in alphabetical order, so the order says nothing about the solution. A page
//! without its script has the list of lines and a folded answer. With the script (`workbook.js`),
//! the reader chooses the next line, and the page says at once why a wrong choice is wrong.

use crate::book::short_program;
use crate::parts::program;
use crate::svg::escaped;

/// A puzzle for one lesson.
pub struct Puzzle {
    /// The name of the lesson.
    pub lesson: &'static str,
    /// The lines in the right order. The lines of the program before them are given.
    pub lines: &'static [Line],
    /// The wrong lines.
    pub wrong: [Wrong; 2],
}

/// A line of the program.
pub struct Line {
    /// How the line begins, without its indentation.
    begins: &'static str,
    /// Why the line cannot be earlier in the program.
    why: &'static str,
    /// Whether this line and the line before it can change places.
    swaps: bool,
}

/// A line that is not in the program.
pub struct Wrong {
    /// The line, without its indentation.
    pub line: &'static str,
    /// How the right line begins.
    pub instead_of: &'static str,
    /// A check that the program fails with this line.
    pub check: &'static str,
    /// What goes wrong with this line.
    why: &'static str,
}

const fn line(begins: &'static str, why: &'static str) -> Line {
    Line { begins, why, swaps: false }
}

/// A line that can also be before the previous one.
const fn swaps(begins: &'static str, why: &'static str) -> Line {
    Line { begins, why, swaps: true }
}

/// All puzzles.
pub const PUZZLES: [Puzzle; 2] = [
    Puzzle {
        lesson: "tcp_server",
        lines: &[
            line("listener = socket(", "The server creates its socket once."),
            line(
                "listener.bind(",
                "Create the socket first. Then you can bind it to an address.",
            ),
            line(
                "listener.listen(",
                "A socket needs an address before it can listen. Otherwise, the kernel chooses a port that the clients do not know.",
            ),
            line(
                "print(",
                "The server is not ready yet. If it does not listen, the kernel refuses every client.",
            ),
            line(
                "while True:",
                "The loop serves the clients. What the server does only once comes before the loop.",
            ),
            line(
                "client, peer = listener.accept()",
                "accept belongs in the loop, because the server accepts a new socket for each client.",
            ),
            line(
                "text = client.recv(",
                "The server has no connected socket yet. accept returns it.",
            ),
            line(
                "client.sendall(",
                "The server must receive the text before it can reply.",
            ),
            line(
                "client.close()",
                "After close, the server cannot use the client's socket.",
            ),
        ],
        wrong: [
            Wrong {
                line: "text = listener.recv(4096).decode(\"utf-8\")",
                instead_of: "text = client.recv(",
                check: "first_client",
                why: "A listening socket carries no bytes. recv fails, and the server exits.",
            },
            Wrong {
                line: "listener.close()",
                instead_of: "client.close()",
                check: "first_client",
                why: "This closes the listening socket. The next accept fails, and the server exits.",
            },
        ],
    },
    Puzzle {
        lesson: "poll_server",
        lines: &[
            line("while True:", "The event loop is around everything that repeats."),
            line(
                "for number, _ in",
                "The server calls poll again in each iteration of the loop. Begin the loop first.",
            ),
            line(
                "if number == listener",
                "poll returns the numbers of the sockets that are ready. Ask poll first.",
            ),
            line(
                "client, peer = listener.accept()",
                "Call accept only if the listening socket is ready. Otherwise, accept waits, and all clients wait with it.",
            ),
            line(
                "clients[client.fileno()] = client",
                "The server has no new client yet. accept returns it.",
            ),
            swaps(
                "poller.register(client, select.POLLIN)",
                "The server has no new client yet. accept returns it.",
            ),
            line(
                "elif received :=",
                "First finish what the server does with a new client. Then come the sockets of the connected clients.",
            ),
            line(
                "reply = ",
                "The server must receive bytes before it can make a reply.",
            ),
            line("clients[number].sendall(", "The reply does not exist yet."),
            line(
                "else:",
                "First finish what the server does with received bytes. The other case is the end of the stream.",
            ),
            line(
                "poller.unregister(number)",
                "Only the end of the stream ends the work for a client. Begin that case first.",
            ),
            swaps(
                "clients.pop(number).close()",
                "Only the end of the stream ends the work for a client. Begin that case first.",
            ),
        ],
        wrong: [
            Wrong {
                line: "elif received := client.recv(4096):",
                instead_of: "elif received :=",
                check: "silence",
                why: "client is the client that connected last. The client that poll names is clients[number].",
            },
            Wrong {
                line: "poller.register(client, select.POLLIN | select.POLLOUT)",
                instead_of: "poller.register(client, select.POLLIN)",
                check: "silence",
                why: "A socket is almost always ready to send. poll returns at once, recv waits for this client, and all other clients wait with it.",
            },
        ],
    },
];

/// A line as the reader sees it.
struct Item {
    text: String,
    /// The place in the program, or `None` for a wrong line. Lines that can change places have the
    /// same place.
    place: Option<usize>,
    /// The number of the line in the program.
    number: usize,
    why: &'static str,
}

/// Returns the puzzle of a lesson and its answer.
///
/// # Errors
///
/// A sentence, if the lesson has no puzzle, or if the program does not have these lines.
pub(crate) fn text(lesson: &str) -> Result<String, String> {
    let puzzle = PUZZLES.iter().find(|puzzle| puzzle.lesson == lesson);
    let puzzle = puzzle.ok_or_else(|| format!("{lesson} has no puzzle"))?;
    let (python, _) = short_program(lesson)?;
    let program = program(&python)?;
    let (given, right) = split(&program, puzzle)?;
    let items = items(puzzle, &right)?;

    let mut text = String::new();
    if !given.is_empty() {
        text +=
            &["These lines are given:\n\n```python\n", &given, "\n```\n\n"].concat();
    }
    text += "<ol class=\"puzzle\" type=\"A\">\n";
    for item in &items {
        let place = item.place.map(|place| format!(" data-place=\"{place}\""));
        let (place, line) = (place.unwrap_or_default(), escaped(&item.text));
        text += &["<li", &place, "><code>", &line, "</code></li>\n"].concat();
    }
    Ok(text + "</ol>\n\n" + &answer(&items))
}

/// Returns the right and the wrong lines, in alphabetical order.
fn items(puzzle: &Puzzle, right: &[&str]) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut place = 0;
    for (number, line) in puzzle.lines.iter().enumerate() {
        if !line.swaps {
            place = number;
        }
        let text = right[number].to_owned();
        items.push(Item { text, place: Some(place), number, why: line.why });
    }
    for wrong in &puzzle.wrong {
        let begins = |line: &Line| line.begins == wrong.instead_of;
        let instead = puzzle.lines.iter().position(begins);
        let instead =
            instead.ok_or_else(|| format!("no line is {}", wrong.instead_of))?;
        let depth = right[instead].len() - right[instead].trim_start().len();
        let text = " ".repeat(depth) + wrong.line;
        items.push(Item { text, place: None, number: usize::MAX, why: wrong.why });
    }
    items.sort_by_key(|item| item.text.trim_start().to_lowercase());
    Ok(items)
}

/// Returns the lines before the puzzle, and the lines of the puzzle.
fn split<'a>(
    program: &'a str,
    puzzle: &Puzzle,
) -> Result<(String, Vec<&'a str>), String> {
    // The puzzle leaves out how the program reads its address, because the page does not
    // explain these lines.
    let is_known = |line: &&str| {
        !["sys.", "SO_REUSEADDR", "import", "host, port"]
            .iter()
            .any(|word| line.contains(word))
    };
    let lines = program.lines().filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.filter(is_known).collect();
    let first = lines.len().checked_sub(puzzle.lines.len());
    let (given, right) =
        lines.split_at(first.ok_or("the program is shorter than the puzzle")?);
    for (line, expected) in right.iter().zip(puzzle.lines) {
        if !line.trim_start().starts_with(expected.begins) {
            return Err(format!("{line:?} does not begin with {}", expected.begins));
        }
    }
    Ok((given.join("\n"), right.to_vec()))
}

/// Returns the folded answer: the letters in the right order, and a sentence for each line.
fn answer(items: &[Item]) -> String {
    let mut lettered: Vec<_> = ('A'..).zip(items).collect();
    lettered.sort_by_key(|(_, item)| item.number);
    let (right, wrong): (Vec<_>, Vec<_>) =
        lettered.into_iter().partition(|(_, item)| item.place.is_some());
    let can_swap = |pair: &[(char, &Item)]| pair[0].1.place == pair[1].1.place;
    let swaps = right.windows(2).filter(|pair| can_swap(pair));
    let swaps = swaps
        .map(|pair| format!(" {} and {} can change places.", pair[0].0, pair[1].0));
    let order: Vec<_> = right.iter().map(|(letter, _)| letter.to_string()).collect();
    let sentences = |items: &[(char, &Item)]| {
        let sentences = items.iter().map(|(letter, item)| {
            [&format!("- {letter}: "), item.why, "\n"].concat()
        });
        sentences.collect::<String>()
    };
    [
        "<details><summary>Answer</summary>\n\nThe order is ",
        &order.join(", "),
        ".",
        &swaps.collect::<String>(),
        " For each line, the reason why it cannot be earlier:\n\n",
        &sentences(&right),
        "\nTwo lines are wrong:\n\n",
        &sentences(&wrong),
        "\n</details>\n",
    ]
    .concat()
}
