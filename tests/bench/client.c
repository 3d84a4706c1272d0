/* Many subscribers in one process: each polls a feed, or listens to a WebSocket, and checks every event.
 *
 *   client poll|ws HOST PORT SUBSCRIBERS CHANNELS WRITTEN EVENTS SKIP DEADLINE_S DIAL_PER_S TIMES
 *
 * CHANNELS is a file, a line each: path, cursor to begin from, number of the last event before the run
 * (`mseq`, which counts without holes). Subscriber i takes channel i modulo their number. The first WRITTEN
 * channels get EVENTS each: who stands on one of them is done when it has seen them all. TIMES is an array of nanoseconds (CLOCK_MONOTONIC, the same for all
 * processes), channel by channel, into which the writer puts when each event was committed. Prints
 * "ready" when all have asked, and at the end one line of JSON. SKIP first events are not timed; DEADLINE_S counts from "ready".
 * DIAL_PER_S bounds how fast it connects, 0 for not at all: of more than a server's backlog takes, some would wait for a
 * second, and then for three, till the kernel tries again.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  char path[256];
  long after, base;
} Channel;

typedef struct {
  int fd, channel, connected, open; /* open: a WebSocket whose handshake is done */
  long after, last;      /* last: the newest mseq seen */
  char *buffer;
  size_t used, room;
} Subscriber;

static int websocket, epoll_fd, events_each, skipped, channels_count, subscribers_count, written;
static struct sockaddr_in server;
static const char *host;
static Channel *channels;
static Subscriber *subscribers;
static int64_t *arrived, *committed;
static long lost, doubled, reconnects, answers, bad, done, asked, opened;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void send_all(Subscriber *s, const char *text, int length) {
  /* A request is far smaller than an empty socket's buffer. */
  if (send(s->fd, text, length, MSG_NOSIGNAL) != length) bad++;
}

static void ask(Subscriber *s) {
  char text[700];
  int n;
  if (websocket)
    n = snprintf(text, sizeof text,
                 "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                 channels[s->channel].path, host);
  else
    n = snprintf(text, sizeof text,
                 "GET %s?after=%ld&wait=25 HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n",
                 channels[s->channel].path, s->after, host);
  send_all(s, text, n);
}

/* Nobody waits for one whose SYN has found a full backlog: the others go on asking meanwhile. */
static void dial(Subscriber *s, int number) {
  int one = 1;
  struct epoll_event e = {.events = EPOLLOUT, .data.u32 = (uint32_t)number};
  if ((s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) < 0) die("socket");
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(s->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
    die("connect");
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &e) < 0) die("epoll_ctl");
  s->used = 0;
  s->open = 0;
  s->connected = 0;
}

static void connected(Subscriber *s) {
  struct epoll_event e = {.events = EPOLLIN, .data.u32 = (uint32_t)(s - subscribers)};
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if ((errno = error)) die("connect");
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &e) < 0) die("epoll_ctl");
  s->connected = 1;
  asked++;
  ask(s);
}

static void dial_again(Subscriber *s) {
  close(s->fd);
  reconnects++;
  dial(s, (int)(s - subscribers));
}

static void note(Subscriber *s, long mseq, int64_t at) {
  Channel *c = &channels[s->channel];
  long k = mseq - c->base - 1;
  if (k < 0 || k >= events_each || s->channel >= written) return;
  if (mseq <= s->last) {
    doubled++;
    return;
  }
  if (mseq != s->last + 1) lost += mseq - s->last - 1;
  s->last = mseq;
  arrived[(size_t)(s - subscribers) * events_each + k] = at;
  if (k == events_each - 1) done++;
}

static void take(Subscriber *s, const char *body, size_t length, int64_t at) {
  const char *end = body + length, *p = body;
  answers++;
  while ((p = memmem(p, end - p, "\"mseq\":", 7))) note(s, strtol(p += 7, NULL, 10), at);
}

/* One HTTP answer at the buffer's beginning: its length, or 0 while it is not whole. */
static size_t one_answer(Subscriber *s, int64_t at) {
  char *head_end = memmem(s->buffer, s->used, "\r\n\r\n", 4);
  if (!head_end) return 0;
  *head_end = 0;
  char *found = strcasestr(s->buffer, "\r\nContent-Length:");
  int ok = s->used > 12 && !memcmp(s->buffer + 9, "200", 3);
  int closing = strcasestr(s->buffer, "\r\nConnection: close") != NULL;
  size_t length = found ? strtoul(found + 17, NULL, 10) : 0;
  *head_end = '\r';
  char *body = head_end + 4;
  size_t whole = body - s->buffer + length;
  if (s->used < whole) return 0;
  if (!ok || !found) bad++;
  take(s, body, length, at);
  /* The envelope stands behind the events. */
  char *next = ok ? memrchr(body, ']', length) : NULL;
  next = next ? memmem(next, body + length - next, "\"next\":", 7) : NULL;
  if (next) s->after = strtol(next + 7, NULL, 10);
  if (closing) {
    dial_again(s);
    return SIZE_MAX;
  }
  if (s->last < channels[s->channel].base + events_each) ask(s);
  return whole;
}

/* The same for a frame of a WebSocket, or the answer to its handshake. */
static size_t one_frame(Subscriber *s, int64_t at) {
  unsigned char *b = (unsigned char *)s->buffer;
  size_t head = 2, length;
  if (!s->open) {
    char *end = memmem(s->buffer, s->used, "\r\n\r\n", 4);
    if (!end) return 0;
    if (memcmp(s->buffer + 9, "101", 3)) bad++;
    s->open = 1;
    opened++;
    return end + 4 - s->buffer;
  }
  if (s->used < 2) return 0;
  length = b[1] & 127;
  if (length == 126) {
    if (s->used < (head = 4)) return 0;
    length = b[2] << 8 | b[3];
  } else if (length == 127) {
    if (s->used < (head = 10)) return 0;
    for (int i = 2; i < 10; i++) length = length << 8 | b[i];
  }
  if (s->used < head + length) return 0;
  if ((b[0] & 15) == 1) take(s, s->buffer + head, length, at);
  if ((b[0] & 15) == 9) { /* a ping: the same bytes back, masked with nothing */
    char pong[140] = {(char)0x8a, (char)(0x80 | length)};
    memcpy(pong + 6, s->buffer + head, length);
    send_all(s, pong, 6 + (int)length);
  }
  return head + length;
}

static void ready_for(Subscriber *s) {
  if (!s->connected) {
    connected(s);
    return;
  }
  if (s->room - s->used < 4096) {
    s->room = s->room ? s->room * 2 : 8192;
    if (!(s->buffer = realloc(s->buffer, s->room + 1))) die("realloc");
  }
  ssize_t n = recv(s->fd, s->buffer + s->used, s->room - s->used, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    dial_again(s);
    return;
  }
  int64_t at = now_ns();
  s->used += n;
  s->buffer[s->used] = 0;
  size_t taken;
  while (s->used && (taken = websocket ? one_frame(s, at) : one_answer(s, at))) {
    if (taken == SIZE_MAX) return;
    s->used -= taken;
    memmove(s->buffer, s->buffer + taken, s->used);
  }
  if (!s->used && subscribers_count > 2000) { /* memory is better used by the server */
    free(s->buffer);
    s->buffer = NULL;
    s->room = 0;
  }
}

static void read_channels(const char *file) {
  FILE *f = fopen(file, "r");
  Channel c;
  if (!f) die(file);
  while (fscanf(f, "%255s %ld %ld", c.path, &c.after, &c.base) == 3) {
    channels = realloc(channels, (channels_count + 1) * sizeof c);
    channels[channels_count++] = c;
  }
  fclose(f);
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(int64_t *)a, y = *(int64_t *)b;
  return (x > y) - (x < y);
}

static void report(double seconds) {
  size_t n = 0, most = 0, of_last = 0;
  int64_t *latency = malloc((size_t)subscribers_count * events_each * 8 + 8);
  int64_t *last = calloc((size_t)written * events_each, 8); /* when the last subscriber had it */
  long missing = 0;
  for (int i = 0; i < subscribers_count; i++) {
    if (subscribers[i].channel >= written) continue;
    most += events_each;
    for (int k = 0; k < events_each; k++) {
      int64_t at = arrived[(size_t)i * events_each + k];
      size_t which = (size_t)subscribers[i].channel * events_each + k;
      if (!at) missing++;
      else if (k >= skipped) {
        latency[n++] = at - committed[which];
        if (latency[n - 1] > last[which]) last[which] = latency[n - 1];
      }
    }
  }
  qsort(latency, n, 8, by_size);
  for (int c = 0; c < written; c++)
    for (int k = skipped; k < events_each; k++) last[of_last++] = last[(size_t)c * events_each + k];
  qsort(last, of_last, 8, by_size);
#define MS(q) (n ? latency[(size_t)((n - 1) * (q))] / 1e6 : 0.0)
  struct timespec cpu;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  printf("{\"deliveries\": %zu, \"missing\": %ld, \"lost\": %ld, \"doubled\": %ld, \"bad\": %ld, "
         "\"reconnects\": %ld, \"answers\": %ld, \"p50\": %.4f, \"p90\": %.4f, \"p99\": %.4f, "
         "\"max\": %.4f, \"to_all\": %.4f, \"seconds\": %.3f, \"cpu_s\": %.3f}\n",
         most - missing, missing, lost, doubled, bad, reconnects, answers, MS(.5), MS(.9), MS(.99),
         MS(1), of_last ? last[of_last / 2] / 1e6 : 0.0, seconds, cpu.tv_sec + cpu.tv_nsec / 1e9);
}

int main(int argc, char **argv) {
  if (argc != 12) return 2;
  websocket = !strcmp(argv[1], "ws");
  host = argv[2];
  server.sin_family = AF_INET;
  server.sin_port = htons(atoi(argv[3]));
  inet_pton(AF_INET, host, &server.sin_addr);
  subscribers_count = atoi(argv[4]);
  read_channels(argv[5]);
  written = atoi(argv[6]);
  events_each = atoi(argv[7]);
  skipped = atoi(argv[8]);
  double patience_s = atof(argv[9]), dial_per_s = atof(argv[10]);
  int64_t deadline = INT64_MAX;
  size_t bytes = (size_t)written * events_each * 8;
  int file = open(argv[11], O_RDONLY);
  if (file < 0) die(argv[11]);
  committed = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
  if (committed == MAP_FAILED) die("mmap");
  arrived = calloc((size_t)subscribers_count * events_each, 8);
  subscribers = calloc(subscribers_count, sizeof *subscribers);
  epoll_fd = epoll_create1(0);
  struct epoll_event ready[512];
  int dialled = 0, said = 0;
  int64_t begin = now_ns();
  while (done < subscribers_count && now_ns() < deadline) {
    /* A few at a time, so that no backlog overflows. */
    double in_time = dial_per_s ? (now_ns() - begin) / 1e9 * dial_per_s : subscribers_count;
    for (int i = 0; i < 64 && dialled < subscribers_count && dialled < in_time; i++, dialled++) {
      Subscriber *s = &subscribers[dialled];
      s->channel = dialled % channels_count;
      if (s->channel >= written) done++;
      s->after = channels[s->channel].after;
      s->last = channels[s->channel].base;
      dial(s, dialled);
    }
    if (!said && (websocket ? opened : asked) >= subscribers_count) {
      said = 1;
      deadline = now_ns() + (int64_t)(patience_s * 1e9);
      printf("ready\n");
      fflush(stdout);
    }
    int n = epoll_wait(epoll_fd, ready, 512, dialled < subscribers_count ? 1 : 200);
    for (int i = 0; i < n; i++) ready_for(&subscribers[ready[i].data.u32]);
  }
  usleep(20000); /* the writer's last times */
  report((now_ns() - begin) / 1e9);
  return 0;
}
