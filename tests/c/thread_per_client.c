/* The fastest server with a thread for each client, in C, to compare
 * examples/thread_per_client.rs with.
 *
 * This is not an example to learn from. The benchmark (tests/bench) divides by its results.
 * Each request takes two blocking system calls: a read and a write. The server allocates
 * only one thread for each client. It converts ASCII letters to upper case and does not
 * change other bytes. It does not log, and it does not close gracefully. It exits if accept
 * fails or if it cannot start a thread.
 *
 *     cc -std=c99 -O2 -pthread -o thread_per_client tests/c/thread_per_client.c
 *     ./thread_per_client 0
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 100
#define BUFFER_SIZE 4096

static void die(const char *call) {
    perror(call);
    exit(1);
}

static int start_listening(int port) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    if (fd < 0) die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) die("setsockopt");
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) die("bind");
    if (listen(fd, BACKLOG)) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &length)) die("getsockname");
    printf("server ready on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void *serve(void *client) {
    int fd = (int)(intptr_t)client;
    char buffer[BUFFER_SIZE];
    ssize_t length, from, sent, b;
    while ((length = read(fd, buffer, sizeof buffer)) > 0) {
        for (b = 0; b < length; b++)
            if (buffer[b] >= 'a' && buffer[b] <= 'z') buffer[b] -= 'a' - 'A';
        for (from = 0; from < length; from += sent) {
            sent = send(fd, buffer + from, (size_t)(length - from), MSG_NOSIGNAL);
            if (sent < 0) goto end;
        }
    }
end:
    close(fd);
    return NULL;
}

int main(int argc, char **argv) {
    int listener = start_listening(argc > 1 ? atoi(argv[1]) : 1237);
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (;;) {
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            die("accept");
        }
        errno = pthread_create(&thread, &detached, serve, (void *)(intptr_t)fd);
        if (errno) die("pthread_create");
    }
}
