/* The fastest server that uses poll(2), in C, to compare examples/poll_server.rs with.
 *
 * This is not an example to learn from. The benchmark (tests/bench) divides by its results.
 * Each request takes two non-blocking system calls: a read and a write. The server allocates
 * no memory while it runs, because each client has a fixed place. It converts ASCII letters
 * to upper case and does not change other bytes. It does not log. It exits if it has no file
 * descriptor or no place for another client.
 *
 *     cc -std=c99 -O2 -o poll_server tests/c/poll_server.c && ./poll_server 0
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 100
#define BUFFER_SIZE 4096
#define MOST_CLIENTS 20000

/* A client has the same index in all three arrays. Index 0 is the listener. The bytes of a
 * reply that the kernel did not take stay in unsent. The server does not read from this
 * client until it has sent them. The kernel gives memory to a part of unsent only when the
 * server writes to it, so a client that reads all its replies costs no memory there. */
static struct pollfd fds[1 + MOST_CLIENTS];
static size_t lengths[1 + MOST_CLIENTS];
static char unsent[1 + MOST_CLIENTS][BUFFER_SIZE];
static nfds_t count = 1;

static void die(const char *call) {
    perror(call);
    exit(1);
}

static int not_now(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void start_listening(int port) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int on = 1;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    fds[0].fd = socket(AF_INET, SOCK_STREAM, 0);
    fds[0].events = POLLIN;
    if (fds[0].fd < 0) die("socket");
    if (setsockopt(fds[0].fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) die("setsockopt");
    if (fcntl(fds[0].fd, F_SETFL, O_NONBLOCK)) die("fcntl");
    if (bind(fds[0].fd, (struct sockaddr *)&address, sizeof address)) die("bind");
    if (listen(fds[0].fd, BACKLOG)) die("listen");
    if (getsockname(fds[0].fd, (struct sockaddr *)&address, &length)) die("getsockname");
    printf("server ready on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

static void accept_all(void) {
    for (;;) {
        int fd = accept(fds[0].fd, NULL, NULL);
        if (fd < 0) {
            if (not_now() || errno == ECONNABORTED) return;
            die("accept");
        }
        if (count > MOST_CLIENTS) {
            fputs("too many clients\n", stderr);
            exit(1);
        }
        if (fcntl(fd, F_SETFL, O_NONBLOCK)) die("fcntl");
        fds[count].fd = fd;
        fds[count].events = POLLIN;
        fds[count].revents = 0;
        lengths[count] = 0;
        count++;
    }
}

/* Reads and writes once. Returns 0 if the connection has ended. */
static int serve(nfds_t i) {
    static char buffer[BUFFER_SIZE];
    char *from = unsent[i];
    ssize_t length = (ssize_t)lengths[i], sent;
    if (length == 0) {
        ssize_t b;
        from = buffer;
        length = read(fds[i].fd, buffer, sizeof buffer);
        if (length < 0) return not_now();
        if (length == 0) return 0;
        for (b = 0; b < length; b++)
            if (buffer[b] >= 'a' && buffer[b] <= 'z') buffer[b] -= 'a' - 'A';
    }
    sent = send(fds[i].fd, from, (size_t)length, MSG_NOSIGNAL);
    if (sent < 0) {
        if (!not_now()) return 0;
        sent = 0;
    }
    if (sent < length) memmove(unsent[i], from + sent, (size_t)(length - sent));
    lengths[i] = (size_t)(length - sent);
    fds[i].events = sent < length ? POLLOUT : POLLIN;
    return 1;
}

int main(int argc, char **argv) {
    start_listening(argc > 1 ? atoi(argv[1]) : 1236);
    for (;;) {
        nfds_t i = 1;
        int ready = poll(fds, count, -1);
        if (ready < 0) {
            if (errno == EINTR) continue;
            die("poll");
        }
        if (fds[0].revents) ready--;
        while (ready > 0 && i < count) {
            if (!fds[i].revents) {
                i++;
                continue;
            }
            ready--;
            if (serve(i)) {
                i++;
                continue;
            }
            /* The last client moves to the place of the disconnected client. */
            close(fds[i].fd);
            count--;
            fds[i] = fds[count];
            lengths[i] = lengths[count];
            memmove(unsent[i], unsent[count], lengths[i]);
        }
        if (fds[0].revents) accept_all();
    }
}
