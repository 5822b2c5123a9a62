//! The ideas of the lessons with a timeout.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 2] = [
    Idea {
        page: "thread_pool_timeout",
        title: "Two workers wait for a client, one accepts it, and each exits after 20 seconds without a client",
        size: (720, 256),
        draw: thread_pool_timeout,
    },
    Idea {
        page: "slow_thread_pool_timeout",
        title: "Four workers serve eight clients in two rounds, and each round takes five seconds",
        size: (720, 310),
        draw: slow_thread_pool_timeout,
    },
];

/// A second is 16 pixels.
fn thread_pool_timeout(canvas: &mut Canvas) {
    canvas.text((8, 35), "start", "worker 1");
    canvas.part((78, 10, 182, 40), "waits for a client: 12 s");
    canvas.part((280, 10, 70, 40), "serves A");
    canvas.part((350, 10, 320, 40), "waits for a client: 20 s");
    canvas.text((677, 35), "start", "exits");

    canvas.text((8, 175), "start", "worker 2");
    canvas.part((78, 150, 182, 40), "waits for a client: 12 s");
    canvas.part((280, 150, 118, 40), "waits for a\nclient: 8 s");
    canvas.text((405, 175), "start", "exits");

    canvas.part((190, 85, 160, 30), "client A connects");
    canvas.arrow("send", &[(270, 85), (270, 30)]);
    canvas.arrow("send", &[(270, 115), (270, 170)]);
    canvas.text((284, 73), "start", "accept returns A");
    canvas.text((284, 138), "start", "accept fails, because A is already accepted");

    let times =
        [(78, "0 s"), (270, "12 s"), (350, "17 s"), (398, "20 s"), (670, "37 s")];
    time_axis(canvas, 220, &times);
}

/// Draws an arrow from the first time to the right, with a mark for each time.
fn time_axis(canvas: &mut Canvas, y: usize, times: &[(usize, &str)]) {
    canvas.arrow("", &[(times[0].0, y), (710, y)]);
    for (x, time) in times {
        canvas.path("", &[(*x, y - 5), (*x, y + 5)], &[]);
        canvas.text((*x, y + 25), "middle", time);
    }
}

/// A second is 45 pixels.
fn slow_thread_pool_timeout(canvas: &mut Canvas) {
    for worker in 1..=4 {
        let y = 40 * worker - 30;
        canvas.text((10, y + 20), "start", &format!("worker {worker}"));
        canvas.part((90, y, 225, 30), &format!("serves client {worker}"));
        canvas.part((315, y, 225, 30), &format!("serves client {}", worker + 4));
    }
    canvas.text((10, 200), "start", "queue");
    canvas.part((90, 180, 225, 30), "clients 5, 6, 7 and 8");
    canvas.arrow("send", &[(319, 195), (428, 195), (428, 164)]);
    canvas.text((438, 199), "start", "a worker is free: accept");

    time_axis(canvas, 240, &[(90, "0 s"), (315, "5 s"), (540, "10 s")]);
    canvas.text(
        (360, 297),
        "middle",
        "throughput = 4 threads / 5 s = 0.8 replies per second",
    );
}
