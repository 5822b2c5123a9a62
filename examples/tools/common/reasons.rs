//! The reasons: why a check failed, what that means, and what to change.
//!
//! They name Python's functions, because most readers know Python. The page "What `check` says"
//! is made from this table. About a program in Rust, `check` uses the words in [`RUST_WORDS`].

/// Why a check failed, and what to do.
#[derive(PartialEq, Eq)]
pub struct Reason {
    /// What `check` prints: the observed fact, then the cause.
    pub says: &'static str,
    /// What it means, for a reader who is new to sockets.
    pub means: &'static str,
    /// The wrong lines in Python, or an empty text if no line is wrong.
    pub python: &'static str,
    /// What to change.
    pub change: &'static str,
    /// The name of the lesson that shows it right, or of the lesson of the make task.
    pub lesson: &'static str,
}

// The first client.

#[rustfmt::skip] pub const ACCEPTS_ONCE: Reason = Reason { says: "The process served the first client and then exited. Call accept inside the loop, so that the next client is served, too.",
    means: "accept returns one connection. Without a loop around accept, the program ends after its first client. The next client is refused.",
    python: "client, peer = server.accept()\nwhile data := client.recv(4096):\n    client.sendall(data.upper())",
    change: "Put `accept` and all lines after it inside `while True:`. Do not leave this loop when a client disconnects.", lesson: "tcp_server" };

#[rustfmt::skip] pub const DIES_AT_FIRST: Reason = Reason { says: "The process exited while it handled the very first message. If it printed an error, read the last line of it.",
    means: "An exception that the program does not catch ends the whole process. A frequent cause is that `bytes` and `str` are mixed: `recv` returns bytes, and `sendall` takes bytes.",
    python: "client.sendall(data.upper() + \"!\")  # bytes + str: TypeError",
    change: "Read the last line of the traceback. Use `data.decode()` to get text from bytes, and `text.encode()` to get bytes from text.", lesson: "tcp_server" };

#[rustfmt::skip] pub const NO_END_SEEN: Reason = Reason { says: "The first client was served and disconnected, but the next one gets no reply. When recv returns b'' (0 bytes), leave the loop.",
    means: "When a client has disconnected, `recv` does not wait. It returns b'' again and again. A loop that does not look for b'' never ends, and uses 100 % of a CPU.",
    python: "while True:\n    data = client.recv(4096)\n    client.sendall(data.upper())",
    change: "After `recv`, write `if not data: break`. Then close the connection and call `accept` for the next client.", lesson: "sequential_server" };

#[rustfmt::skip] pub const GREETS: Reason = Reason { says: "Bytes came before the client had sent anything. Send only replies, because the client takes each byte for a reply.",
    means: "In this protocol the client speaks first. The client takes the greeting for the reply to its first request. Therefore each later reply is in the wrong place.",
    python: "client, peer = server.accept()\nclient.sendall(b\"welcome\\n\")",
    change: "Remove the greeting. Call `recv` before the first `sendall`.", lesson: "sequential_server" };

#[rustfmt::skip] pub const WAITS_FOR_A_LINE: Reason = Reason { says: "A reply came only after a newline. Reply to what recv returns, because TCP has no lines. The other checks send a newline after each text.",
    means: "TCP transports bytes, and a newline is a byte like any other. Functions that read a line wait until a newline comes. The clients of this lesson do not have to send one.",
    python: "for line in client.makefile(\"r\"):\n    client.sendall(line.upper().encode())",
    change: "Call `client.recv(4096)` instead of `readline`, and reply to the bytes that it returns.", lesson: "sequential_server" };

#[rustfmt::skip] pub const WAITS_FOR_THE_END: Reason = Reason { says: "A reply came only after the client had closed its sending side. Reply to what each recv returns, or to each complete message, and do not wait for b'' first.",
    means: "A loop that collects bytes until b'' ends only when the client closes its sending side. A client that waits for its reply does not do that, so both sides wait forever.",
    python: "while chunk := client.recv(4096):\n    data += chunk\nclient.sendall(data.upper())",
    change: "Move `sendall` into the loop, so that each `recv` gets its reply. If the messages begin with their length, reply when so many bytes have come.", lesson: "sequential_server" };

#[rustfmt::skip] pub const NO_ANSWER: Reason = Reason { says: "No reply came before the timeout. Print a line before and after each call to see which call waits.",
    means: "The server did not close the connection, and it did not reply. It waits in a call, for example `recv`, `accept`, `join` or a lock. Or the thread of this client has stopped.",
    python: "",
    change: "Print a line before and after `accept`, `recv` and `sendall`. The last line that appears shows where the program waits.", lesson: "sequential_server" };

#[rustfmt::skip] pub const AN_ERROR: Reason = Reason { says: "The connection was closed without a reply. Most likely, the code that serves this client raised an exception.",
    means: "An exception in a thread ends only this thread, so the process still runs. Its connection is closed. The traceback may have scrolled away, and a thread pool does not print it at all.",
    python: "pool.submit(serve, client)  # no traceback if serve fails",
    change: "Find the traceback in the output of the server. In a pool, catch the exception inside `serve` and print it.", lesson: "tcp_server" };

#[rustfmt::skip] pub const NO_CONNECTION: Reason = Reason { says: "The connection was not completed in time. Most likely, the backlog is full: the server does not call accept, or the backlog is too small.",
    means: "The kernel completes connections for the server and keeps them in a queue until the server calls `accept`. When the queue is full, the kernel ignores or refuses new clients.",
    python: "server.listen(1)\nwhile client.recv(4096): pass  # accept has to wait",
    change: "Return to `accept` as soon as you can. Give `listen` a larger number, for example `listen(100)`.", lesson: "listen_backlog" };

#[rustfmt::skip] pub const COUNT: Reason = Reason { says: "A fresh server passes this check, but this one failed it after the checks before. Something runs out, for example clients or threads.",
    means: "The server does not fail because of this check alone. Each client leaves something behind: a number in a counter, a thread, a file descriptor or memory. At some point, nothing is left.",
    python: "for number in range(100):  # the server stops after 100 clients\n    client, peer = server.accept()",
    change: "Use `while True:` around `accept`. Close each socket, and let each thread end, when its client disconnects.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const DIED: Reason = Reason { says: "The process exited during this check or right after it. An error in the code for one client must not end the server.",
    means: "Networks fail, and clients send anything. Python reports that with exceptions such as `OSError` and `UnicodeDecodeError`. If no `except` catches them, they end the whole program, for all clients.",
    python: "while True:\n    client, peer = server.accept()\n    serve(client)  # an exception leaves the loop",
    change: "Put `try:` around the code for one client. Catch `OSError` and `UnicodeDecodeError`, and close this connection only. In Node.js, handle the event `error` of each socket.", lesson: "sequential_server" };

#[rustfmt::skip] pub const EXITED: Reason = Reason { says: "The process exited with status 0 during this check or right after it. Either the loop around accept or recvfrom has ended, or all threads have ended.",
    means: "No error ended the process, so it reached its own end. For example, `break` left the wrong loop when a client disconnected, or each thread of a pool ended after an exception.",
    python: "while True:\n    data, peer = server.recvfrom(2048)\n    if not data: break  # an empty datagram ends the server",
    change: "Leave only the loop of this client, never the loop around `accept` or `recvfrom`. In the threads of a pool, catch the exceptions of one client.", lesson: "thread_pool" };

#[rustfmt::skip] pub const SIGPIPE: Reason = Reason { says: "The signal SIGPIPE killed the process, because it wrote to a closed connection. Ignore SIGPIPE, or send with MSG_NOSIGNAL.",
    means: "On Unix, a program that writes to a closed connection gets the signal SIGPIPE, which ends it without a message. Python and Rust ignore this signal at their start. C does not.",
    python: "signal.signal(signal.SIGPIPE, signal.SIG_DFL)",
    change: "In C, call `signal(SIGPIPE, SIG_IGN)` at the start, or use `send(fd, data, n, MSG_NOSIGNAL)`. In Python, remove the line with `SIG_DFL`.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const STOPS_SERVING: Reason = Reason { says: "The process still runs, but no client gets a reply after this check. Find the call that waits forever, or the thread that stopped.",
    means: "This check changed the server for all later clients. For example, the thread that calls `accept` has stopped because of an exception, or it waits forever for one client.",
    python: "threading.Thread(target=accept_loop).start()  # one exception ends it",
    change: "Catch `OSError` inside the loop around `accept`, and do not wait for one client in this loop.", lesson: "thread_per_client" };

// The bytes of a reply.

#[rustfmt::skip] pub const SAME_BYTES: Reason = Reason { says: "The reply has the same bytes as the request. Convert the text to upper case.",
    means: "The server sends back what it received. That is an echo server. The servers of this workbook reply with the text in upper case.",
    python: "client.sendall(data)",
    change: "Reply with `data.decode().upper().encode()`.", lesson: "tcp_server" };

#[rustfmt::skip] pub const NOT_DECODED: Reason = Reason { says: "Only the ASCII letters became upper case. Decode the bytes to text before you convert them.",
    means: "`bytes.upper()` changes only the 26 letters from a to z. A letter such as é takes two bytes in UTF-8, and these bytes stay as they are.",
    python: "client.sendall(data.upper())",
    change: "Use `data.decode().upper().encode()`.", lesson: "udp_server" };

#[rustfmt::skip] pub const REPLACED: Reason = Reason { says: "The reply contains U+FFFD. The decoder put it there for bytes that were not valid UTF-8 by themselves, for example half a character.",
    means: "`errors=\"replace\"` changes each invalid byte to U+FFFD. One recv can return the first half of a character, and the next recv the second half. Each half is invalid by itself.",
    python: "text = data.decode(errors=\"replace\")",
    change: "Make one decoder for each client with `codecs.getincrementaldecoder(\"utf-8\")()`, and call `decoder.decode(data)`.", lesson: "sequential_server" };

#[rustfmt::skip] pub const STRIPPED: Reason = Reason { says: "White space at the end of the reply is missing. Do not use strip or trim, because white space belongs to the message.",
    means: "`strip()` removes spaces and newlines at both ends of a text. The client sent these bytes, so it expects them in the reply.",
    python: "text = data.decode().strip()",
    change: "Remove `.strip()`.", lesson: "tcp_server" };

#[rustfmt::skip] pub const ADDS_NEWLINE: Reason = Reason { says: "A newline follows the reply, but it was not in the request. Send the reply without an additional newline.",
    means: "The client compares the bytes, and a newline is a byte. Functions such as `print` and `println` add a newline at the end.",
    python: "client.sendall(text.upper().encode() + b\"\\n\")",
    change: "Remove `+ b\"\\n\"`. Use `sendall` instead of `print(..., file=...)`.", lesson: "tcp_server" };

#[rustfmt::skip] pub const CRLF: Reason = Reason { says: "Each newline came back as a carriage return and a newline. Send the bytes as they are, without a text mode that changes line ends.",
    means: "Some functions for text files write `\\r\\n` for each `\\n`. On the network, these are other bytes. The client expects the bytes that it sent, in upper case.",
    python: "client.makefile(\"w\", newline=\"\\r\\n\").write(text)",
    change: "Use `sendall` with bytes. In other languages, switch the connection to binary mode, for example `-translation binary` in Tcl.", lesson: "tcp_server" };

#[rustfmt::skip] pub const CUT_REPLY: Reason = Reason { says: "The end of the reply is missing. Send all bytes of the reply: count bytes, not characters, and do not use the length of an older message.",
    means: "Each datagram has its own length. A program that sends a fixed number of bytes, or the number of another datagram, cuts the text.",
    python: "server.sendto(text.upper().encode()[:len(text)], peer)",
    change: "Send the complete value that `encode` returned. In Java, set the length of a `DatagramPacket` again before each `receive`.", lesson: "udp_server" };

#[rustfmt::skip] pub const WHOLE_BUFFER: Reason = Reason { says: "NUL bytes, or bytes of an older message, follow the reply. Use only the n bytes that recv returned, not the whole buffer.",
    means: "A buffer has a fixed length. A call that fills a buffer returns the number of bytes that it wrote there. The rest of the buffer has NUL bytes or an older message.",
    python: "n = client.recv_into(buffer)\nclient.sendall(buffer.upper())",
    change: "Use `buffer[:n]` instead of `buffer`. In C, pass the number that `recv` returned to `send`.", lesson: "tcp_server" };

#[rustfmt::skip] pub const NUL_SENT: Reason = Reason { says: "A NUL byte follows the reply. In C, a string ends with NUL, but a message does not: send as many bytes as strlen returns.",
    means: "In C, `sizeof(\"PONG\")` is 5, because the compiler adds a NUL byte at the end of each string. On the network, the length says where a message ends.",
    python: "client.sendall(text.upper().encode() + b\"\\0\")",
    change: "In C, use `strlen` instead of `sizeof`. In Python, remove `+ b\"\\0\"`.", lesson: "ttl_pong" };

#[rustfmt::skip] pub const BYTES_REPR: Reason = Reason { says: "The reply looks like b'...', which is how Python prints bytes. Use data.decode() instead of str(data).",
    means: "`str(data)` does not decode. It makes the text that you see in the Python shell, with a `b` and quotation marks.",
    python: "text = str(data)",
    change: "Use `data.decode()`.", lesson: "udp_server" };

#[rustfmt::skip] pub const QUESTION_MARKS: Reason = Reason { says: "Letters such as é became question marks, because text was decoded or encoded as ASCII. Use UTF-8 for both.",
    means: "ASCII has codes for 128 characters, and é is not one of them. A program that converts to ASCII puts a question mark there instead.",
    python: "reply = text.upper().encode(\"ascii\", errors=\"replace\")",
    change: "Use `data.decode(\"utf-8\")` and `text.encode(\"utf-8\")`. In other languages, name the encoding, too, because the default may depend on the computer.", lesson: "udp_server" };

#[rustfmt::skip] pub const LATIN_1: Reason = Reason { says: "Letters such as é are wrong, because the server used an encoding other than UTF-8, most likely Latin-1. Use UTF-8.",
    means: "In UTF-8, é is the two bytes c3 a9. In Latin-1, it is the byte e9. A program that decodes UTF-8 as Latin-1 gets two letters instead of one.",
    python: "text = data.decode(\"latin-1\")",
    change: "Use `data.decode(\"utf-8\")` and `text.encode(\"utf-8\")`.", lesson: "udp_server" };

#[rustfmt::skip] pub const LOWER_OR_TITLE: Reason = Reason { says: "The letters are right, but not all of them are upper case. Use upper, not lower, capitalize, title or swapcase.",
    means: "Each of these functions changes the case of letters in a different way. Only `upper()` makes all letters upper case.",
    python: "reply = text.capitalize()",
    change: "Use `text.upper()`.", lesson: "udp_server" };

#[rustfmt::skip] pub const TWICE: Reason = Reason { says: "The same reply came twice. Send each reply once.",
    means: "The client sent one request and got two replies. It takes the second one for the reply to its next request.",
    python: "client.send(reply)\nclient.sendall(reply)",
    change: "Find the two calls that send, and remove one of them.", lesson: "tcp_server" };

#[rustfmt::skip] pub const ACCUMULATES: Reason = Reason { says: "The reply begins with earlier text. Empty the variable that collects the text after each reply, and use a separate one for each client.",
    means: "The program adds each message to a variable and sends all of it. Therefore each reply is longer than the one before.",
    python: "data += client.recv(4096)\nclient.sendall(data.upper())",
    change: "Write `data = client.recv(4096)`, without `+`.", lesson: "sequential_server" };

#[rustfmt::skip] pub const NUL_ENDS: Reason = Reason { says: "The text after a NUL byte is missing. Use the length that recv returned, not a function that stops at NUL (strlen, %s).",
    means: "In C, a NUL byte ends a string. On the network, it is a byte like any other, so a message can contain it.",
    python: "client.sendall(data.split(b\"\\0\")[0].upper())",
    change: "In C, keep the number that `recv` returned and use it as the length. In Python, do not split at `\\0`.", lesson: "sequential_server" };

#[rustfmt::skip] pub const OTHER_BYTES: Reason = Reason { says: "The reply differs from the expected bytes. Compare the two at the first difference.",
    means: "check has no sentence for this difference. It shows what it expected and what it got, so that you can compare the bytes.",
    python: "",
    change: "Print `repr(data)` after `recv` and `repr(reply)` before `sendall`, and look for the first byte that differs.", lesson: "byte_order" };

#[rustfmt::skip] pub const MORE_BYTES: Reason = Reason { says: "The right reply came, and then more bytes. Send only the reply.",
    means: "The first bytes are right, but the server sent other bytes after them. The client takes them for the reply to its next request.",
    python: "client.sendall(reply + rest)",
    change: "Print the length of what you send, and compare it with the length of what `recv` returned.", lesson: "tcp_server" };

#[rustfmt::skip] pub const ONE_RECV: Reason = Reason { says: "The server used only a part of the message. One recv may return less than the whole message, so call recv in a loop.",
    means: "TCP does not keep messages together. A client can send one message, and the server needs several calls of `recv` to get it.",
    python: "data = client.recv(4096)  # one call for the whole message\nclient.sendall(data.upper())",
    change: "Call `recv` in a loop. With a length-prefixed message, call it until all bytes have come.", lesson: "sequential_server" };

// Conversations.

#[rustfmt::skip] pub const OUTSIDE: Reason = Reason { says: "Only the first message of a client got a reply. Put recv and sendall inside a loop.",
    means: "A client can send many requests on one connection. The server must call `recv` again after each reply.",
    python: "data = client.recv(4096)\nclient.sendall(data.upper())\nclient.close()",
    change: "Write `while data := client.recv(4096):` and put `sendall` inside this loop.", lesson: "sequential_server" };

#[rustfmt::skip] pub const OF_ANOTHER: Reason = Reason { says: "A client got the reply to another client's request. Keep the data of each client in local variables, not in shared ones.",
    means: "All threads use the same global variables. One thread writes its text there, and another thread changes it before the first one has sent it.",
    python: "global data\ndata = client.recv(4096)",
    change: "Remove `global`. Keep text, buffers and decoders in local variables or in one object for each client.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const THROWN_AWAY: Reason = Reason { says: "Two messages came in one segment, and only the first got a reply. One recv can return several messages, so reply to all bytes.",
    means: "TCP can join what the client sent with two calls. Then one `recv` returns both messages. A program that uses only the first line loses the rest.",
    python: "line = data.split(b\"\\n\")[0]\nclient.sendall(line.upper())",
    change: "Reply to all bytes that `recv` returned, not only to the first line.", lesson: "sequential_server" };

#[rustfmt::skip] pub const NOT_CLOSED: Reason = Reason { says: "All bytes came, but the server did not close the connection. Close it after the last reply.",
    means: "A client that reads until b'' waits until the server closes the connection. In Python, a socket stays open as long as a variable, a list or an exception refers to it.",
    python: "client.sendall(reply)  # close is missing",
    change: "Call `client.close()`, or write `with client:` around the code for this client.", lesson: "tcp_server" };

#[rustfmt::skip] pub const FIRST_HALF: Reason = Reason { says: "The first bytes of a character were treated as invalid UTF-8. recv can cut a character (é has 2 bytes, € has 3), so keep the bytes for the next recv.",
    means: "In UTF-8, é takes two bytes. If they come with two calls of `recv`, the first byte is not wrong. It is incomplete.",
    python: "text = client.recv(4096).decode()",
    change: "Make one decoder for each client with `codecs.getincrementaldecoder(\"utf-8\")()`, and call `decoder.decode(data)`.", lesson: "sequential_server" };

#[rustfmt::skip] pub const HALF_HELD: Reason = Reason { says: "The text before the first half of é got no reply. Reply to the complete characters, and keep only the cut one.",
    means: "The bytes `caf` and the first half of é came together. The program could reply to the three complete letters at once, but it waited or failed.",
    python: "text = client.recv(4096).decode()  # fails because of the last byte",
    change: "Use `codecs.getincrementaldecoder(\"utf-8\")()`. It returns the complete characters, and keeps the rest.", lesson: "sequential_server" };

#[rustfmt::skip] pub const SECOND_HALF: Reason = Reason { says: "The second half of é was treated as a new message. Keep the first half of a character, and decode both halves together.",
    means: "The second byte of é has no meaning without the first one. A program that decodes what each `recv` returned by itself gets an error, or a wrong character.",
    python: "text = client.recv(4096).decode()",
    change: "Make one incremental decoder for each client. Do not make a new one for each `recv`.", lesson: "sequential_server" };

#[rustfmt::skip] pub const SHARED_HALF: Reason = Reason { says: "While one client had sent only the first half of é, the text of another client was wrong. Make one decoder for each client.",
    means: "A decoder keeps the first half of a character until the second half comes. If all clients share one decoder, the next bytes can come from another client.",
    python: "class Handler(socketserver.BaseRequestHandler):\n    decoder = codecs.getincrementaldecoder(\"utf-8\")()  # one for all clients",
    change: "Make the decoder in the function that serves one client, not in the class and not globally.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const HALF_LOST: Reason = Reason { says: "The first half of é was thrown away, so its second half got no reply. Keep the first half until the next recv.",
    means: "`errors=\"ignore\"` removes the bytes of a cut character. When the second half comes, the first one is lost.",
    python: "text = data.decode(errors=\"ignore\")",
    change: "Use `codecs.getincrementaldecoder(\"utf-8\")()`, which keeps the first half for you.", lesson: "sequential_server" };

#[rustfmt::skip] pub const UNTOLD: Reason = Reason { says: "After invalid bytes, the connection stays open, but it gets no more replies. Close it, so that the client does not wait.",
    means: "Either the code for this client has stopped without closing the socket, or it waits for more bytes that would make the invalid ones valid. The client cannot know that, and waits forever.",
    python: "data.decode()  # UnicodeDecodeError ends the thread, not the connection",
    change: "Write `with client:` around the code for this client. Then an exception closes the connection, too.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const INVALID_ANSWERED: Reason = Reason { says: "Bytes that are not valid UTF-8 got a reply. Decode them strictly, and do not reply to invalid bytes.",
    means: "Invalid bytes are not a text, so they have no upper case. A program that replaces, ignores or copies them sends a text that the client did not write.",
    python: "text = data.decode(errors=\"ignore\")",
    change: "Use `data.decode()` without `errors`. Catch `UnicodeDecodeError`, and close the connection. Ignore the message if it is a datagram.", lesson: "sequential_server" };

#[rustfmt::skip] pub const GOOD_LOST: Reason = Reason { says: "The valid text before the first invalid byte got no reply. Reply to this text first, and then close the connection.",
    means: "The client sent good text and then an invalid byte. The good text is complete, so the client can expect its reply.",
    python: "try:\n    text = data.decode()\nexcept UnicodeDecodeError:\n    return",
    change: "In `except UnicodeDecodeError as err:`, reply to `data[:err.start]`, and then close.", lesson: "sequential_server" };

#[rustfmt::skip] pub const REQUESTS_END: Reason = Reason { says: "A client closed its sending side and got no reply. b'' means the end of the requests. Send all replies before you close.",
    means: "A client can close its sending side and still receive. That is a half-close. It says: no more requests come, but I wait for your replies.",
    python: "if not client.recv(1, socket.MSG_PEEK):\n    client.close()  # the reply was not sent",
    change: "Reply to all bytes that came before b''. Close the connection only after the last reply.", lesson: "sequential_server" };

#[rustfmt::skip] pub const NO_OWN_END: Reason = Reason { says: "The client closed its sending side, but the server did not close the connection. Close it when recv returns b''. After fork, close it in the parent, too.",
    means: "b'' means that the client sends no more. When all replies are sent, nothing is left to do. A client that reads until b'' waits until the server closes. After `fork`, both processes have the socket, and the connection ends when both have closed it.",
    python: "if not data:\n    return  # client.close() is missing",
    change: "Call `client.close()` after the loop, or write `with client:` around it.", lesson: "sequential_server" };

#[rustfmt::skip] pub const STILL_HELD: Reason = Reason { says: "The first client disconnected, but the next one still waits. When recv returns b'', close the connection and call accept again.",
    means: "A sequential server serves the next client when the first one has disconnected. `recv` shows that with b''.",
    python: "while True:\n    data = client.recv(4096)\n    client.sendall(data.upper())",
    change: "After `recv`, write `if not data: break`. Then call `accept` again.", lesson: "sequential_server" };

#[rustfmt::skip] pub const SILENCE_BLOCKS: Reason = Reason { says: "Clients that connect and send nothing make the others wait. A recv for one client must not stop the work for the others.",
    means: "`recv` waits until bytes come. If one thread serves all clients, a single silent client stops it.",
    python: "client, peer = server.accept()\ndata = client.recv(4096)  # all other clients wait here",
    change: "Start a thread for each client, or ask `poll` which sockets are readable before you call `recv`.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const FEWER: Reason = Reason { says: "With three silent clients, the fourth got no reply. The pool has fewer than four threads, or one lock covers all of the work.",
    means: "Four threads can serve four clients at the same time. Three of them wait for silent clients, and the fourth thread must be free.",
    python: "with lock:\n    client, peer = server.accept()\n    serve(client)  # the lock is still held",
    change: "Start four threads. Hold a lock only around `accept`, or use no lock, because all threads may call `accept`.", lesson: "thread_pool" };

#[rustfmt::skip] pub const NEXT_WAITS: Reason = Reason { says: "A client disconnected at a bad moment, and the next one got no reply. Treat an error or b'' from recv as the end of this client.",
    means: "A client can disconnect or send a reset at any time. Then `recv` returns b'' or raises `ConnectionResetError`. After both, the server must go on with the next client.",
    python: "try:\n    data = client.recv(4096)\nexcept OSError:\n    continue  # tries the same client again",
    change: "Leave the loop for this client after b'' and after `OSError`. Then serve the next one.", lesson: "sequential_server" };

#[rustfmt::skip] pub const THREADS_GONE: Reason = Reason { says: "After rude clients, the next one got no reply. Each of them ended a thread of the pool, or all threads still wait for them.",
    means: "An exception ends the thread in which it occurs. The pool does not start a new one. After four such clients, the pool has no threads left.",
    python: "def worker():\n    while True:\n        client, peer = server.accept()\n        serve(client)  # an exception ends this thread",
    change: "Put `try:` and `except OSError:` inside the loop of each thread. Leave `recv` loops when b'' comes.", lesson: "thread_pool" };

#[rustfmt::skip] pub const BLOCKED: Reason = Reason { says: "A client that does not read its replies makes the others wait. The send to it blocks the whole server.",
    means: "When a client does not read, the buffers of the kernel become full. Then `sendall` waits. If one thread serves all clients, all of them wait.",
    python: "for client in readable:\n    client.sendall(client.recv(4096).upper())",
    change: "Call `setblocking(False)` on each client, and use `send`. Keep the bytes that it did not take until `poll` says that the socket is writable. Or start a thread for each client.", lesson: "poll_server" };

#[rustfmt::skip] pub const UNBOUND: Reason = Reason { says: "The server still reads from a client that does not read its replies. The replies fill the memory, or they are lost.",
    means: "Such a client can send without end. If the server keeps all replies, its memory runs out. If it does not keep them, the client loses them.",
    python: "unsent[client] += client.recv(4096).upper()  # without a limit",
    change: "Stop reading from a client that has unsent bytes. Read again when all of them are sent.", lesson: "poll_server" };

#[rustfmt::skip] pub const LOST: Reason = Reason { says: "Bytes of a long reply are missing. send may take fewer bytes than you gave it, so send the rest later, or use sendall.",
    means: "`send` returns how many bytes the kernel took. When the buffers are full, that is only a part of the reply.",
    python: "client.send(reply)  # the result is not used",
    change: "Use `sendall` on a blocking socket. On a non-blocking socket, keep `reply[sent:]` and send it later.", lesson: "poll_server" };

#[rustfmt::skip] pub const UNREAD: Reason = Reason { says: "The connection was closed with unread bytes, so the kernel sent a reset, which can destroy a reply. Before close, call shutdown, then recv until b''.",
    means: "When a program closes a socket with unread bytes, the kernel sends a reset instead of a normal end. The client may then lose the reply, although the server sent it.",
    python: "data = client.recv(4096)  # more than 4096 bytes came\nclient.sendall(data.upper())\nclient.close()",
    change: "Before `close`, call `client.shutdown(socket.SHUT_WR)`, then `recv` until b'' comes, with a timeout. If an exception ended the code for this client, read the traceback.", lesson: "tcp_server" };

#[rustfmt::skip] pub const ENDLESS_DRAIN: Reason = Reason { says: "A client has got its reply and stays connected, so the next client gets no reply. After shutdown, recv for about a second at most, also if bytes still come.",
    means: "A graceful close waits until the client closes its side, too. A client that never does this, or that sends forever, would hold the server. So the wait needs a deadline.",
    python: "client.shutdown(socket.SHUT_WR)\nwhile client.recv(4096):  # the client decides when this ends\n    pass",
    change: "Calculate a deadline, for example `time.monotonic() + 1`. Before each `recv`, call `client.settimeout` with the time that is left until the deadline.", lesson: "tcp_server" };

#[rustfmt::skip] pub const NOT_SERVED: Reason = Reason { says: "Some of 200 connections got no reply. Most likely, earlier connections were not closed, or their threads still wait.",
    means: "Each connection needs a file descriptor, and perhaps a thread. A server that does not release them has none left for later clients.",
    python: "clients.append(client)  # and no line removes it",
    change: "Close each connection and end its thread when `recv` returns b''. Use `with client:`.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const ONE_AT_A_TIME: Reason = Reason { says: "The second client gets no reply until the first one disconnects. Give each client a thread (target=serve, args=(client,)), and do not wait for it with join.",
    means: "The server of this lesson serves many clients at the same time, but this one serves one after another. `target=serve(client)` calls `serve` at once, in the main thread. A `join` directly after `start` has the same effect.",
    python: "Thread(target=serve(client)).start()  # serve runs before Thread is called",
    change: "Write `Thread(target=serve, args=(client,)).start()`, and do not wait for the thread. With `poll`, never call a function that waits for one client.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const ONLY_N: Reason = Reason { says: "The server serves a fixed number of clients at the same time, and the others get no reply. Remove this limit.",
    means: "The others are connected, because the kernel completes their connections. But no thread or no place in a list is free for them.",
    python: "pool = ThreadPoolExecutor(max_workers=30)\npool.submit(serve, client)",
    change: "Start a new thread for each client, or use `poll` with a list that can grow.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const FEW_DESCRIPTORS: Reason = Reason { says: "The server stopped serving while many connections were open. An error of accept, for example EMFILE, must not end it.",
    means: "Each connection needs a file descriptor, and a process may have only a limited number of them. When none is left, `accept` fails with EMFILE (\"too many open files\").",
    python: "while True:\n    client, peer = server.accept()  # OSError leaves the loop",
    change: "Catch `OSError` from `accept`, wait a moment and try again. Close connections that are finished. `ulimit -n` shows the limit.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const MIXED_UP: Reason = Reason { says: "A reply was lost or wrong while clients came and went. Most likely, a disconnected client kept its place, or its data was used for a new one.",
    means: "The kernel gives the file descriptor of a closed connection to the next one. A program that keeps data for this number then finds the data of another client.",
    python: "data = unsent[client.fileno()]  # may be of an older client",
    change: "When a client disconnects, remove it from `poll` and from all your dictionaries before you close its socket.", lesson: "poll_server" };

#[rustfmt::skip] pub const ONE_EVENT: Reason = Reason { says: "In a burst of connections, some got no reply although the server was idle. After each event, call accept until it would block.",
    means: "An edge-triggered event loop reports a change only once. If several clients connect at the same time, one event stands for all of them.",
    python: "epoll.register(server, select.EPOLLIN | select.EPOLLET)\nclient, peer = server.accept()  # once for each event",
    change: "Make the listening socket non-blocking, and call `accept` in a loop until `BlockingIOError`. Or remove `EPOLLET`.", lesson: "poll_server" };

// Datagrams.

#[rustfmt::skip] pub const NO_TEXT_ASKED: Reason = Reason { says: "A datagram that is not text got no reply. This lesson replies to all bytes, so do not decode them.",
    means: "This server works with bytes. `decode()` fails when the bytes are not valid UTF-8, but this lesson does not need a text.",
    python: "reply = data.decode().upper().encode()",
    change: "Use `data.upper()` in lesson 1, and always reply with `PONG` in lesson 3.", lesson: "udp_server_bytes" };

#[rustfmt::skip] pub const NO_END_OF_ANYTHING: Reason = Reason { says: "An empty datagram got no reply. In UDP, 0 bytes are a message like any other, not the end of a connection.",
    means: "Only TCP uses b'' as the sign that a client has disconnected. UDP has no connections. A client can send an empty datagram and expects an empty one back.",
    python: "data, peer = server.recvfrom(2048)\nif not data:\n    continue",
    change: "Remove the test for an empty datagram.", lesson: "udp_server" };

#[rustfmt::skip] pub const SHORT_BUFFER: Reason = Reason { says: "The end of a long datagram is missing, because the buffer is shorter than 2048 bytes. Use recvfrom(2048).",
    means: "`recvfrom` returns one datagram, and the kernel discards what does not fit. The next call returns the next datagram, not the rest.",
    python: "data, peer = server.recvfrom(1024)",
    change: "Use `recvfrom(2048)`.", lesson: "udp_server" };

#[rustfmt::skip] pub const LONG_BUFFER: Reason = Reason { says: "More than 2048 bytes got a reply, because the buffer is longer than 2048 bytes. Use recvfrom(2048), as in the lecture.",
    means: "The lecture's program takes at most 2048 bytes of a datagram, and this lesson shows that the rest is discarded.",
    python: "data, peer = server.recvfrom(65536)",
    change: "Use `recvfrom(2048)`.", lesson: "udp_server" };

#[rustfmt::skip] pub const HALF_ANSWERED: Reason = Reason { says: "A datagram that ends with half a character got a reply. It is not valid UTF-8, so do not reply to it.",
    means: "A datagram is a whole message. No other datagram brings the missing half, so the text is invalid.",
    python: "text = data.decode(errors=\"ignore\")",
    change: "Use `data.decode()`, and `continue` after `UnicodeDecodeError`.", lesson: "udp_server" };

#[rustfmt::skip] pub const OTHER_PORT: Reason = Reason { says: "The reply came from another port than the one that was asked. Send it with the socket that received the request.",
    means: "A client accepts a reply only from the address that it asked. A new socket has a different port.",
    python: "reply_socket = socket.socket(type=socket.SOCK_DGRAM)\nreply_socket.sendto(reply, peer)",
    change: "Use the same socket for both: `server.sendto(reply, peer)`.", lesson: "udp_server" };

#[rustfmt::skip] pub const ONE_PEER: Reason = Reason { says: "Only the first client gets replies. Send each reply to the address that recvfrom returned with this request.",
    means: "One UDP socket receives from all clients. A server that calls `connect`, or that keeps the first address, talks to one client only.",
    python: "data, peer = server.recvfrom(2048)\nserver.connect(peer)",
    change: "Remove `connect`. Use `data, peer = server.recvfrom(2048)` and `server.sendto(reply, peer)` for each datagram.", lesson: "udp_server" };

#[rustfmt::skip] pub const TCP_SERVER_THERE: Reason = Reason { says: "No program receives datagrams on this port, but a TCP server listens on it. This lesson needs a UDP socket (SOCK_DGRAM).",
    means: "UDP and TCP have separate ports. Port 1235 of UDP and port 1235 of TCP can belong to two different programs.",
    python: "server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    change: "Use `SOCK_DGRAM`, and remove `listen` and `accept`. Or check this server with the name of a TCP lesson.", lesson: "udp_server" };

// Length-prefixed messages.

#[rustfmt::skip] pub const EMPTY_BLOCK: Reason = Reason { says: "A message of length 0 got no reply. It is a complete message, so reply with a length of 0.",
    means: "A length-prefixed message can be empty. It is four NUL bytes and nothing more. It does not mean that the client has disconnected.",
    python: "if length == 0:\n    return",
    change: "Remove the test. `recvall(client, 0)` returns b'' at once.", lesson: "recvall_server" };

#[rustfmt::skip] pub const ONE_RECV_4: Reason = Reason { says: "The length came in pieces, and the server did not wait for all 4 bytes. recv(4) may return fewer, so use recvall.",
    means: "The number in `recv(4)` is the largest number of bytes that it returns. It returns what has come, even if that is a single byte.",
    python: "length, = struct.unpack(\"!I\", client.recv(4))",
    change: "Use `recvall(client, 4)`, which calls `recv` until all 4 bytes have come.", lesson: "recvall_server" };

#[rustfmt::skip] pub const CUT_ANSWERED: Reason = Reason { says: "An incomplete message got a reply. If recv returns b'' too early, close the connection without a reply.",
    means: "The client announced a length and then disconnected before it had sent all bytes. The message is incomplete, so it must not be used.",
    python: "while len(data) < length:\n    chunk = client.recv(length - len(data))\n    if not chunk:\n        break  # data is too short",
    change: "Raise an exception, for example `EOFError`, instead of `break`. Catch it where you close the connection.", lesson: "recvall_server" };

#[rustfmt::skip] pub const STILL_WAITS: Reason = Reason { says: "A client closed its sending side inside a message, and the server still waits. b'' means that no more bytes come.",
    means: "When the client has disconnected, `recv` returns b'' forever. A loop that only counts the bytes of the message then never ends.",
    python: "while len(data) < length:\n    data += client.recv(length - len(data))",
    change: "Test each result of `recv`. If it is b'', leave the loop and close the connection.", lesson: "recvall_server" };

#[rustfmt::skip] pub const BELIEVED: Reason = Reason { says: "A client announced a message of 64 MiB or more, and the server waits for it. Refuse a length above 16 MiB, and close the connection.",
    means: "The length comes from the client, so it can be wrong. A server that takes any length keeps memory and a connection for bytes that may never come.",
    python: "length, = struct.unpack(\"!I\", recvall(client, 4))\ndata = recvall(client, length)",
    change: "Test `if length > MAX_BLOCK:` before you read the message, and close the connection.", lesson: "recvall_server" };

#[rustfmt::skip] pub const NEGATIVE: Reason = Reason { says: "A length of 4 GiB got an empty reply, so it was read as a negative number. A length has no sign: use the format !I, not !i.",
    means: "The same 4 bytes are 4294967295 without a sign, and -1 with a sign. A negative length is below every limit.",
    python: "(length,) = struct.unpack(\"!i\", prefix)",
    change: "Write `struct.unpack(\"!I\", prefix)`, and compare the length with the limit before you read the message.", lesson: "recvall_server" };

#[rustfmt::skip] pub const WRONG_ORDER: Reason = Reason { says: "The 4 bytes of the length are in the wrong order. Use the network byte order, with the most significant byte first.",
    means: "The length 12 is `00 00 00 0c` on the network. Most computers keep it in memory as `0c 00 00 00`, so a program must convert it.",
    python: "prefix = struct.pack(\"<I\", len(reply))",
    change: "Use `struct.pack(\"!I\", len(reply))` and `struct.unpack(\"!I\", ...)`.", lesson: "byte_order" };

#[rustfmt::skip] pub const NO_PREFIX: Reason = Reason { says: "The reply came without its length. Send the length as 4 bytes before the reply.",
    means: "The client first reads 4 bytes and takes them as a length. Without them, it takes the first letters of the text for a length.",
    python: "client.sendall(reply)",
    change: "Use `client.sendall(struct.pack(\"!I\", len(reply)) + reply)`.", lesson: "recvall_server" };

#[rustfmt::skip] pub const LENGTH_IN_CHARACTERS: Reason = Reason { says: "The length counts characters, not bytes. Count the bytes after you encode the text, because é takes 2 bytes.",
    means: "`len` of a `str` counts characters. `len` of `bytes` counts bytes. The two are equal only if the text has only ASCII characters.",
    python: "prefix = struct.pack(\"!I\", len(text))\nclient.sendall(prefix + text.encode())",
    change: "Write `reply = text.encode()` first, and use `len(reply)`.", lesson: "recvall_server" };

#[rustfmt::skip] pub const LENGTH_WITH_PREFIX: Reason = Reason { says: "The length includes its own 4 bytes. Count only the bytes of the message after the length.",
    means: "Both sides must agree on what the length counts. In this protocol, it counts the bytes that follow it.",
    python: "prefix = struct.pack(\"!I\", 4 + len(reply))",
    change: "Use `len(reply)`, without `4 +`. Read `length` bytes after the prefix, not `length - 4`.", lesson: "recvall_server" };

// How many clients a server serves at the same time.

#[rustfmt::skip] pub const NOT_SEQUENTIAL: Reason = Reason { says: "A second client got its reply while the first was still connected. The server of this lesson serves one client after another.",
    means: "A sequential server calls `accept` again only after the first client has disconnected. This one serves several clients at the same time.",
    python: "threading.Thread(target=serve, args=(client,)).start()",
    change: "Call `serve(client)` directly. If you want several clients at the same time, check your program as `thread_per_client`.", lesson: "sequential_server" };

#[rustfmt::skip] pub const NOT_RELEASED: Reason = Reason { says: "One of four clients disconnected, but the fifth client still waits. A thread did not return to accept.",
    means: "A thread of the pool is free again when its client has disconnected. `recv` shows that with b''. Then the thread must call `accept` again.",
    python: "def worker():\n    client, peer = server.accept()  # only once\n    serve(client)",
    change: "Put `accept` and `serve` inside `while True:` in each thread. Close the connection when `recv` returns b''.", lesson: "thread_pool" };

#[rustfmt::skip] pub const MORE_THAN_FOUR: Reason = Reason { says: "Five clients were served at the same time. The pool of this lesson has four threads.",
    means: "A pool limits how many clients are served at the same time. With four threads, the fifth client waits until one of the four has disconnected.",
    python: "pool = ThreadPoolExecutor(max_workers=8)",
    change: "Start four threads. If you want a thread for each client, check your program as `thread_per_client`.", lesson: "thread_pool" };

#[rustfmt::skip] pub const NOT_SLOW: Reason = Reason { says: "A reply came too early. The server does not sleep before each reply, or it sleeps for less time than the --delay of check.",
    means: "This lesson shows what happens when each reply takes time. The server must sleep before each reply, for as long as its `--delay` says.",
    python: "client.sendall(data.upper())  # time.sleep(delay) is missing",
    change: "Call `time.sleep(delay)` before `sendall`. If your server has a fixed delay, give `check` the same one with `--delay`.", lesson: "slow_sequential_server" };

#[rustfmt::skip] pub const IN_TURN: Reason = Reason { says: "Slow replies came one after another, so the clients waited for each other. Do the slow work in the thread of each client, without a lock. In a task, use await.",
    means: "All clients asked at the same time, so all replies should come at the same time. The slow work is in the thread that calls `accept`, or inside a lock. Or a task calls a function that blocks the thread of all tasks.",
    python: "client, peer = server.accept()\ntime.sleep(delay)  # in the thread of accept",
    change: "Move the slow work into the function that the client's thread runs. Do not hold a lock during this work. In a task, use `await asyncio.sleep(delay)`, or in Rust `tokio::time::sleep(delay).await`.", lesson: "slow_thread_per_client" };

#[rustfmt::skip] pub const ALL_AT_ONCE: Reason = Reason { says: "All clients were served at the same time. This lesson serves fewer: one at a time, or four at a time with a pool.",
    means: "The replies of all clients came after one delay, so each client had its own thread.",
    python: "threading.Thread(target=serve, args=(client,)).start()",
    change: "Do not start a thread for each client. In lesson 12, call `serve(client)` directly. In lesson 18, start four threads, and no more.", lesson: "slow_thread_pool_timeout" };

#[rustfmt::skip] pub const NOT_FOUR: Reason = Reason { says: "The clients were not served four at a time. Start four threads, and do not hold a lock while a thread serves a client.",
    means: "Eight clients asked at the same time. Four threads need two rounds for them. The times of the replies show a different number of threads.",
    python: "pool = ThreadPoolExecutor(max_workers=2)",
    change: "Start four threads, and do not hold a lock while a thread serves its client.", lesson: "slow_thread_pool_timeout" };

#[rustfmt::skip] pub const NO_LIMIT: Reason = Reason { says: "A silent client was not disconnected after the timeout. The timeout of accept does not hold for recv, so give the client the value of --timeout.",
    means: "A timeout belongs to one socket. The socket that `accept` returns is a new one, and its timeout is not set. A silent client then keeps its thread forever.",
    python: "server.settimeout(20)\nclient, peer = server.accept()",
    change: "Call `client.settimeout(20)` after `accept`. Close the connection when `recv` raises `TimeoutError`.", lesson: "thread_pool_timeout" };

#[rustfmt::skip] pub const OTHER_TIME: Reason = Reason { says: "A silent client was disconnected before the time of --timeout was over. Use the value of this option, not another number.",
    means: "The option says how long the server waits for the request of a client. A slow client relies on this time.",
    python: "client.settimeout(1)  # not the value of the option",
    change: "Pass the value of `--timeout` to the code for one client, and call `client.settimeout(timeout)`.", lesson: "thread_pool_timeout" };

#[rustfmt::skip] pub const NEVER_ENDS: Reason = Reason { says: "No client came for longer than the timeout, but the process still runs. Each thread must exit when its accept times out.",
    means: "The threads of this lesson exit when no client comes for some time. When all four have exited, the process ends, too.",
    python: "except TimeoutError:\n    continue",
    change: "Call `server.settimeout(20)`. After `TimeoutError`, leave the loop, so that the thread exits.", lesson: "thread_pool_timeout" };

#[rustfmt::skip] pub const ENDED_BADLY: Reason = Reason { says: "After the timeout, the process exited with an error status. A thread that times out must not fail.",
    means: "A timeout is expected here, so it is not an error. A frequent mistake is that the code after the timeout closes a client, although none was accepted.",
    python: "try:\n    client, peer = server.accept()\nfinally:\n    client.close()  # client may not exist",
    change: "Catch `TimeoutError` from `accept` by itself, print the line and return. Close `client` only where it exists.", lesson: "thread_pool_timeout" };

#[rustfmt::skip] pub const NOT_SAID: Reason = Reason { says: "The lines that the server printed differ. Each of four threads must print \"Socket timed out, exiting thread\" once.",
    means: "The lecture's program prints one line for each thread whose `accept` timed out. Other lines belong on stderr.",
    python: "except TimeoutError:\n    return",
    change: "Call `print(\"Socket timed out, exiting thread\")` before the thread returns. Print all other lines with `file=sys.stderr`.", lesson: "thread_pool_timeout" };

// The servers beyond the lecture.

#[rustfmt::skip] pub const ONE_FAMILY: Reason = Reason { says: "A client of one address family was refused. Listen on the address :: with an IPv6 socket, and set the option IPV6_V6ONLY to 0 before bind.",
    means: "A socket for IPv6 can also accept IPv4 clients. Some operating systems do this by default, and others do not. So the program must set the option.",
    python: "server = socket.socket(socket.AF_INET6)\nserver.bind((\"::\", 1245))  # on Windows, only IPv6",
    change: "Call `server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)` before `bind`, and bind to `::`. In Rust, use `set_only_v6(false)` of the library socket2.", lesson: "dual_stack" };

#[rustfmt::skip] pub const STILL_ACCEPTS: Reason = Reason { says: "After the line quit, a new client could still connect. Close the listening socket when the server must stop.",
    means: "The kernel completes handshakes as long as the listening socket is open, even if the program never calls `accept` again. Such a client waits for a reply that never comes.",
    python: "if stopping:\n    break  # the listener stays open until the process exits",
    change: "Call `listener.close()` first, and then wait for the connected clients. In Rust, `drop(listener)` closes it.", lesson: "stop_server" };

#[rustfmt::skip] pub const CUT_ON_STOP: Reason = Reason { says: "A client was connected at the line quit, and got no reply to its next text. Wait for the connected clients, at most for --grace.",
    means: "When the process exits, the kernel closes all its connections. A client in the middle of its work loses its reply. So the server must wait for its clients, but not forever.",
    python: "if line == \"quit\":\n    os._exit(0)  # closes all connections",
    change: "Keep the threads of the clients in a list. After `quit`, wait until they have ended, or until the time is over.", lesson: "stop_server" };

#[rustfmt::skip] pub const NEVER_STOPS: Reason = Reason { says: "The line quit came on the standard input, but the process still runs. It must exit when its clients have disconnected, or after --grace.",
    means: "A server that waits in `accept` does not notice anything else. And a client can stay connected forever, so the time for the clients needs a limit.",
    python: "client, peer = server.accept()  # waits, whatever the user types",
    change: "Read the lines in a second thread. Give `accept` a timeout, and check after each timeout whether the thread has read `quit`.", lesson: "stop_server" };

#[rustfmt::skip] pub const STOPS_BADLY: Reason = Reason { says: "After the line quit, the process exited with an error status. A server that the user stops must exit with status 0.",
    means: "The exit status says whether a program did what it should do. Service managers start a program again if its status is not 0.",
    python: "sys.exit(\"stopped\")  # a text means exit status 1",
    change: "Return from the main function, or call `sys.exit(0)`. Catch the exceptions of the closed listener.", lesson: "stop_server" };

#[rustfmt::skip] pub const STOPS_AT_THE_END: Reason = Reason { says: "The process exited when its standard input ended. Stop only at the line quit, because services and tests start a server with an empty input.",
    means: "A loop over the lines of the standard input also stops at the end of the input. A service manager often starts a server with an empty input. Such a server then stops immediately after its start.",
    python: "for line in sys.stdin:\n    if line.strip() == \"quit\":\n        break\nstopping.set()  # also at the end of the input",
    change: "Set the flag inside the `if`. After the loop, wait forever, unless the input is a terminal.", lesson: "stop_server" };

// The make tasks.

#[rustfmt::skip] pub const EARLY_REPLY: Reason = Reason { says: "A reply came before the newline. A line can come in several pieces, so call recv until a newline has come, and then reply once.",
    means: "In this task, a request is a line. TCP does not keep lines together, so one `recv` can return a part of the line. A loop must collect the parts.",
    python: "data = client.recv(4096)  # perhaps only a part of the line\nclient.sendall(data.decode().upper().encode())",
    change: "Add what each `recv` returns to a variable. Leave the loop if the variable contains `b\"\\n\"`, or if `recv` returns b''. Then decode and reply.", lesson: "tcp_server" };

#[rustfmt::skip] pub const NO_NEWLINE: Reason = Reason { says: "The newline at the end of the reply is missing. Some functions remove it from a line, so add it to the reply.",
    means: "In this task, the reply to a line is a line, too. `split`, `splitlines` and `strip` remove the newline, and so does `lines` in Rust.",
    python: "line = data.split(b\"\\n\")[0]\nclient.sendall(line.decode().upper().encode())",
    change: "Send the newline, too: `line.decode().upper().encode() + b\"\\n\"`. Or use all bytes up to and including the newline.", lesson: "tcp_server" };

#[rustfmt::skip] pub const NEWLINE_INSIDE: Reason = Reason { says: "A newline and more bytes came together, and got no reply. Look for the newline in all bytes, not only at the end.",
    means: "TCP can join what the client sent before and after the newline. The newline is then in the middle of the bytes that one `recv` returned.",
    python: "while not data.endswith(b\"\\n\"):\n    data += client.recv(4096)",
    change: "Write `while b\"\\n\" not in data:` instead of a test of the end.", lesson: "tcp_server" };

#[rustfmt::skip] pub const SHORT_LINE: Reason = Reason { says: "A line of 10,000 bytes did not get its whole reply. Collect bytes until the newline comes, up to 64 KiB.",
    means: "A line can be longer than the bytes that one `recv` returns. In this task, a line may have 64 KiB.",
    python: "line = client.makefile(\"rb\").readline(4096)  # the rest of the line is lost",
    change: "Use 64 KiB as the limit of a line. The number in `recv(4096)` is only the limit of one call.", lesson: "tcp_server" };

#[rustfmt::skip] pub const ENDLESS_LINE: Reason = Reason { says: "A client sent 100,000 bytes without a newline, and the server waits for more. Stop after 64 KiB, because a line without an end fills the memory.",
    means: "A client can send any number of bytes without a newline. A server that keeps all of them needs more and more memory.",
    python: "while b\"\\n\" not in data:\n    data += client.recv(4096)  # without a limit",
    change: "Leave the loop also if the variable has 64 KiB: `len(data) >= 65536`.", lesson: "tcp_server" };

#[rustfmt::skip] pub const ONE_BLOCK: Reason = Reason { says: "The server closed the connection after its first reply. Receive the next message in a loop, until the client has closed its sending side.",
    means: "In this task, a client sends several length-prefixed messages on one connection. The length says where each of them ends, so the server can receive one after another.",
    python: "message = get_block(client)\nput_block(client, message.decode().upper().encode())\nclient.close()",
    change: "Put the two calls inside `while True:`. Leave this loop if the stream ends before the first byte of a length.", lesson: "recvall_server" };

#[rustfmt::skip] pub const OVER_LIMIT: Reason = Reason { says: "The reply does not have exactly as many bytes as --limit allows. Count the bytes of all reads of one client, and cut the last read at the limit.",
    means: "The limit can lie inside the bytes that one `recv` returned. The server replies to the bytes up to the limit, and not to the others. Each client has its own count.",
    python: "data = client.recv(4096)\ntotal += len(data)\nif total > limit:\n    break  # the bytes up to the limit get no reply",
    change: "Call `recv` with at most `limit - total` bytes, or use `data[:limit - total]`. Then reply, and leave the loop if `total` has reached the limit.", lesson: "sequential_server" };

#[rustfmt::skip] pub const STAYS_IDLE: Reason = Reason { says: "A silent client stays connected after the timeout. Give poll a timeout, and look for silent clients each time that poll returns, also if another client has sent. In an async server, give each read a timeout.",
    means: "`poll` without a timeout waits until a client sends. With a timeout, `poll` also returns when any client sends. If the server looks for silent clients only after a timeout, one busy client keeps all silent clients connected.",
    python: "ready = poller.poll(timeout)\nif not ready:\n    disconnect_silent_clients()  # not called if another client sends",
    change: "Keep the time of the last bytes of each client. After each `poll`, disconnect each client whose time is too old. In an async server, write `await asyncio.wait_for(reader.read(4096), timeout)`. In Rust, write `timeout(idle, client.read(&mut buffer)).await`.", lesson: "poll_server" };

#[rustfmt::skip] pub const CUT_TOO_EARLY: Reason = Reason { says: "A client was disconnected too early. The timeout starts again with each read, so measure the time since the last bytes, not since accept. The time that the server needs for a reply does not count.",
    means: "The timeout is for clients that send nothing. A client that keeps sending is not silent, so it stays connected for as long as it wants.",
    python: "if time.monotonic() - accepted[client] > timeout:\n    close(client)",
    change: "Set the time of the client again after each `recv` that returns bytes. In an async server, put the timeout around the read only.", lesson: "poll_server" };

#[rustfmt::skip] pub const CUT_TOO_LATE: Reason = Reason { says: "A silent client was disconnected too late, because another client sent meanwhile. Let poll wait only until the next client times out, not for the whole timeout. In an async server, give each read its own timeout.",
    means: "`poll` returns when any client sends. A server that then waits for the whole timeout again notices a silent client only at the end of this wait, up to twice as late as it should.",
    python: "ready = poller.poll(1000 * timeout)  # after each event, the whole timeout",
    change: "Before each `poll`, calculate for each client how much of its timeout is left. Give the smallest of these times to `poll`.", lesson: "poll_server" };

#[rustfmt::skip] pub const NOT_BUSY: Reason = Reason { says: "A client above the limit of --clients did not get BUSY and the end of the connection. Count the connected clients before you serve a new one.",
    means: "Without a limit, many clients can use up the threads and the memory. A client that gets BUSY knows at once that it must try later. A client that only waits knows nothing.",
    python: "client, peer = server.accept()\nthreading.Thread(target=serve, args=(client,)).start()  # for any number",
    change: "After `accept`, compare the number of connected clients with the limit. If it is reached, send `BUSY` and close the connection gracefully. Do not change the number for this client.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const STAYS_BUSY: Reason = Reason { says: "A client was not served, although fewer clients than --clients were connected. Do not count refused clients, or clients that have disconnected.",
    means: "The number says how many clients are connected now, not how many have come. It must become smaller on every way out, also after an error. And the limit itself is allowed: with `--clients=3`, the third client is served.",
    python: "count += 1\nserve(client)  # and no line subtracts 1",
    change: "Subtract 1 after the code for this client, for example in `finally:`. Several threads change the number, so protect it with a lock.", lesson: "thread_per_client" };

#[rustfmt::skip] pub const BUG_ENDS_THREADS: Reason = Reason { says: "After clients that sent crash, four clients are not served at the same time. Each crash ended a thread of the pool. Keep all four threads alive.",
    means: "An exception that the code does not catch ends its thread, and the pool does not start a new one. After four of them, the pool has no threads, or the process exits.",
    python: "def worker():\n    while True:\n        client, peer = server.accept()\n        serve(client)  # an exception ends this thread",
    change: "Put `try:` and `except Exception:` around the code for one client, inside the loop, and print the exception. In Rust, a panic needs `catch_unwind`, or a new thread after each panic.", lesson: "thread_pool" };

#[rustfmt::skip] pub const CRASH_ANSWERED: Reason = Reason { says: "The text crash got a reply. Keep the bug of this task in the code for one client. The pool must survive bugs that you do not know.",
    means: "A program has bugs that no programmer has found yet. This task simulates one of them. A repair of this bug does not help against the next one.",
    python: "if text == \"crash\":\n    return  # the bug is gone",
    change: "Write the bug back: the text `crash` raises an exception. Catch the exception in the loop of the thread.", lesson: "thread_pool" };

#[rustfmt::skip] pub const ALL_STAY: Reason = Reason { says: "After the timeout, two clients were served at the same time. Three of the four threads must exit.",
    means: "A pool with a timeout gives its threads back when no clients come. In this task, only one thread waits after that, so it serves one client after another.",
    python: "except TimeoutError:\n    continue  # no thread ever exits",
    change: "After `TimeoutError`, leave the loop of the thread, unless this thread is the last one.", lesson: "thread_pool_timeout" };

#[rustfmt::skip] pub const LAST_EXITS: Reason = Reason { says: "No client came for longer than the timeout, and the next client was not served. The last thread of the pool must not exit.",
    means: "A pool without threads serves no clients, and the process exits. In this task, three of the four threads may exit. One of them waits for the next client.",
    python: "except TimeoutError:\n    return  # also if this is the last thread",
    change: "Count the threads that are left. After `TimeoutError`, a thread exits only if another one is left. Test and subtract under one lock.", lesson: "thread_pool_timeout" };

/// Words of Python in what the reasons say, and the words that take their place for a program in
/// Rust. They are replaced in this order, so that a longer text comes before a part of it.
#[rustfmt::skip]
pub const RUST_WORDS: &[(&str, &str)] = &[
    ("what recv returns, because", "the bytes of each read, because"),
    ("what each recv returns, or", "the bytes of each read, or"),
    ("do not wait for b''", "do not wait for the end"),
    ("the n bytes that recv returned,", "buffer[..n], where n is the number of received bytes,"),
    ("recv(4) may", "A read may"),
    ("then recv until b''", "then read until 0 bytes come"),
    ("Before close, call", "Before you drop the stream, call"),
    ("b'' (0 bytes)", "0 bytes"),
    ("b'' means", "A read of 0 bytes means"),
    ("After fork, close it in the parent, too.", "If you called try_clone, drop the clone, too."),
    ("like b'...', which is how Python prints bytes", "like b\"...\", which is not the text itself"),
    ("data.decode() instead of str(data)", "str::from_utf8, and do not format bytes with {:?}"),
    ("b''", "0 bytes"),
    ("recvfrom(2048)", "a buffer of 2048 bytes"),
    ("recvfrom", "recv_from"),
    ("recv ", "read "),
    ("recv,", "read,"),
    ("recv.", "read."),
    ("sendall", "write_all"),
    ("send may", "write may"),
    ("The send to", "The write to"),
    ("raised an exception", "returned an error or panicked"),
    ("target=serve, args=(client,)", "thread::spawn(move || serve(client))"),
    ("strip or trim", "trim"),
    ("Use upper, not lower, capitalize, title or swapcase", "Use to_uppercase for the whole text"),
    ("In C, a string ends with NUL, but a message does not: send as many bytes as strlen returns", "A message does not end with NUL, so send only the bytes of the text"),
    ("stops at NUL (strlen, %s)", "stops at NUL"),
    ("SOCK_DGRAM", "UdpSocket"),
    ("the format !I, not !i", "u32, not i32"),
];

impl Reason {
    /// Returns what `check` prints about a program in Rust.
    pub fn says_in_rust(&self) -> String {
        let mut says = self.says.to_owned();
        for (python, rust) in RUST_WORDS {
            says = says.replace(python, rust);
        }
        says
    }
}

/// All reasons, with their names.
#[rustfmt::skip]
pub const REASONS: &[(&str, &Reason)] = &[
    ("ACCEPTS_ONCE", &ACCEPTS_ONCE), ("DIES_AT_FIRST", &DIES_AT_FIRST),
    ("NO_END_SEEN", &NO_END_SEEN), ("GREETS", &GREETS), ("WAITS_FOR_A_LINE", &WAITS_FOR_A_LINE),
    ("WAITS_FOR_THE_END", &WAITS_FOR_THE_END), ("NO_ANSWER", &NO_ANSWER), ("AN_ERROR", &AN_ERROR),
    ("NO_CONNECTION", &NO_CONNECTION), ("COUNT", &COUNT), ("DIED", &DIED),
    ("SIGPIPE", &SIGPIPE), ("STOPS_SERVING", &STOPS_SERVING), ("SAME_BYTES", &SAME_BYTES),
    ("NOT_DECODED", &NOT_DECODED), ("REPLACED", &REPLACED), ("STRIPPED", &STRIPPED),
    ("ADDS_NEWLINE", &ADDS_NEWLINE), ("WHOLE_BUFFER", &WHOLE_BUFFER), ("NUL_SENT", &NUL_SENT),
    ("CRLF", &CRLF), ("CUT_REPLY", &CUT_REPLY), ("EXITED", &EXITED),
    ("BYTES_REPR", &BYTES_REPR),
    ("QUESTION_MARKS", &QUESTION_MARKS), ("LATIN_1", &LATIN_1), ("LOWER_OR_TITLE", &LOWER_OR_TITLE),
    ("TWICE", &TWICE), ("ACCUMULATES", &ACCUMULATES), ("NUL_ENDS", &NUL_ENDS),
    ("OTHER_BYTES", &OTHER_BYTES), ("MORE_BYTES", &MORE_BYTES), ("ONE_RECV", &ONE_RECV),
    ("OUTSIDE", &OUTSIDE), ("OF_ANOTHER", &OF_ANOTHER), ("THROWN_AWAY", &THROWN_AWAY),
    ("NOT_CLOSED", &NOT_CLOSED), ("FIRST_HALF", &FIRST_HALF), ("HALF_HELD", &HALF_HELD),
    ("SECOND_HALF", &SECOND_HALF), ("SHARED_HALF", &SHARED_HALF), ("HALF_LOST", &HALF_LOST), ("UNTOLD", &UNTOLD),
    ("INVALID_ANSWERED", &INVALID_ANSWERED), ("GOOD_LOST", &GOOD_LOST),
    ("REQUESTS_END", &REQUESTS_END), ("NO_OWN_END", &NO_OWN_END), ("STILL_HELD", &STILL_HELD),
    ("SILENCE_BLOCKS", &SILENCE_BLOCKS), ("FEWER", &FEWER), ("NEXT_WAITS", &NEXT_WAITS),
    ("THREADS_GONE", &THREADS_GONE), ("BLOCKED", &BLOCKED), ("UNBOUND", &UNBOUND), ("LOST", &LOST),
    ("UNREAD", &UNREAD), ("ENDLESS_DRAIN", &ENDLESS_DRAIN), ("NOT_SERVED", &NOT_SERVED), ("ONE_AT_A_TIME", &ONE_AT_A_TIME), ("ONLY_N", &ONLY_N),
    ("FEW_DESCRIPTORS", &FEW_DESCRIPTORS), ("MIXED_UP", &MIXED_UP), ("ONE_EVENT", &ONE_EVENT),
    ("NO_TEXT_ASKED", &NO_TEXT_ASKED), ("NO_END_OF_ANYTHING", &NO_END_OF_ANYTHING),
    ("SHORT_BUFFER", &SHORT_BUFFER), ("LONG_BUFFER", &LONG_BUFFER),
    ("HALF_ANSWERED", &HALF_ANSWERED), ("OTHER_PORT", &OTHER_PORT), ("ONE_PEER", &ONE_PEER),
    ("TCP_SERVER_THERE", &TCP_SERVER_THERE), ("EMPTY_BLOCK", &EMPTY_BLOCK), ("NEGATIVE", &NEGATIVE),
    ("ONE_RECV_4", &ONE_RECV_4), ("CUT_ANSWERED", &CUT_ANSWERED), ("STILL_WAITS", &STILL_WAITS),
    ("BELIEVED", &BELIEVED), ("WRONG_ORDER", &WRONG_ORDER), ("NO_PREFIX", &NO_PREFIX),
    ("LENGTH_IN_CHARACTERS", &LENGTH_IN_CHARACTERS), ("LENGTH_WITH_PREFIX", &LENGTH_WITH_PREFIX),
    ("NOT_SEQUENTIAL", &NOT_SEQUENTIAL), ("NOT_RELEASED", &NOT_RELEASED),
    ("MORE_THAN_FOUR", &MORE_THAN_FOUR), ("NOT_SLOW", &NOT_SLOW), ("IN_TURN", &IN_TURN),
    ("ALL_AT_ONCE", &ALL_AT_ONCE), ("NOT_FOUR", &NOT_FOUR), ("NO_LIMIT", &NO_LIMIT), ("OTHER_TIME", &OTHER_TIME),
    ("NEVER_ENDS", &NEVER_ENDS), ("ENDED_BADLY", &ENDED_BADLY), ("NOT_SAID", &NOT_SAID),
    ("ONE_FAMILY", &ONE_FAMILY), ("STILL_ACCEPTS", &STILL_ACCEPTS), ("CUT_ON_STOP", &CUT_ON_STOP),
    ("NEVER_STOPS", &NEVER_STOPS), ("STOPS_BADLY", &STOPS_BADLY),
    ("STOPS_AT_THE_END", &STOPS_AT_THE_END),
    ("EARLY_REPLY", &EARLY_REPLY), ("NO_NEWLINE", &NO_NEWLINE),
    ("NEWLINE_INSIDE", &NEWLINE_INSIDE), ("SHORT_LINE", &SHORT_LINE),
    ("ENDLESS_LINE", &ENDLESS_LINE), ("ONE_BLOCK", &ONE_BLOCK),
    ("OVER_LIMIT", &OVER_LIMIT), ("STAYS_IDLE", &STAYS_IDLE), ("CUT_TOO_EARLY", &CUT_TOO_EARLY),
    ("CUT_TOO_LATE", &CUT_TOO_LATE),
    ("NOT_BUSY", &NOT_BUSY), ("STAYS_BUSY", &STAYS_BUSY),
    ("BUG_ENDS_THREADS", &BUG_ENDS_THREADS), ("CRASH_ANSWERED", &CRASH_ANSWERED),
    ("ALL_STAY", &ALL_STAY), ("LAST_EXITS", &LAST_EXITS),
];
