//! The names of the bugs of `mutant`, and the lesson that each is checked as.
//!
//! `mutant` prints this table, and the tests of `check` compare their expectations with it.

/// One bug.
pub struct Bug {
    /// The value of the environment variable `MUTANT`.
    pub name: &'static str,
    /// The lesson that the server claims to be: `check LESSON IP:PORT`.
    pub lesson: &'static str,
}

/// The bugs, in the order of the lessons. A bug that two lessons can have is there twice.
pub const BUGS: &[Bug] = &[
    bug("udp_echo", "udp_server"),
    bug("udp_small_buffer", "udp_server"),
    bug("udp_large_buffer", "udp_server"),
    bug("udp_answers_another", "udp_server"),
    bug("udp_pongs_to_text", "ttl_pong"),
    bug("udp_answers_to_text", "udp_server_bytes"),
    bug("udp_forgets_empty", "udp_server"),
    bug("udp_dies_of_bytes", "udp_server"),
    bug("udp_lossy", "udp_server"),
    bug("mute", "thread_per_client"),
    bug("echo", "thread_per_client"),
    bug("ascii", "thread_per_client"),
    bug("lossy", "thread_per_client"),
    bug("one_recv_and_end", "thread_per_client"),
    bug("one_recv", "thread_per_client"),
    bug("dies_of_half_a_character", "sequential_server"),
    bug("thread_dies_of_half_a_character", "thread_per_client"),
    bug("waits_for_a_line", "thread_per_client"),
    bug("first_line_only", "thread_per_client"),
    bug("half_close_is_the_end", "poll_server"),
    bug("no_end", "thread_per_client"),
    bug("shared_text", "thread_per_client"),
    bug("dies_of_a_reset", "thread_per_client"),
    bug("dies_of_a_cut_end", "thread_per_client"),
    bug("closes_on_the_unread", "thread_per_client"),
    bug("hundred_clients", "thread_per_client"),
    bug("throws_out_newcomers", "poll_server"),
    bug("in_a_row", "thread_per_client"),
    bug("together", "sequential_server"),
    bug("blocking_send", "poll_server"),
    bug("forgets_the_rest", "poll_server"),
    bug("loses_the_rest", "thread_per_client"),
    bug("dies_of_the_rest", "poll_server"),
    bug("slow_in_turn", "slow_thread_per_client"),
    bug("slow_together", "slow_sequential_server"),
    bug("in_a_row", "slow_sequential_server"),
    bug("stays_open", "tcp_server"),
    bug("one_message_unread", "tcp_server"),
    bug("pool_of_five", "thread_pool"),
    bug("pool_of_three", "thread_pool"),
    bug("pool_thread_dies_of_a_reset", "thread_pool"),
    bug("never_idle", "thread_pool_timeout"),
    bug("idle_in_silence", "thread_pool_timeout"),
    bug("idle_with_an_error", "thread_pool_timeout"),
    bug("silence_forever", "thread_pool_timeout"),
    bug("recv_4", "recvall_server"),
    bug("recv_body", "recvall_server"),
    bug("believes_the_length", "recvall_server"),
    bug("empty_is_the_end", "recvall_server"),
    bug("dies_of_an_end_inside", "recvall_server"),
    bug("lossy_block", "recvall_server"),
    bug("block_stays_open", "recvall_server"),
];

const fn bug(name: &'static str, lesson: &'static str) -> Bug {
    Bug { name, lesson }
}
