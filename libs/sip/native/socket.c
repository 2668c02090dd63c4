// The sockets of a door. They block when sending, for a moment at most, as the system's queue drains in microseconds and a datagram
// that is put back would overtake others; they are read without waiting.
#include "udp.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static const struct timeval longest_send = {.tv_sec = 0, .tv_usec = 20 * 1000};

udp_socket *socket_at(door *d, uint32_t index) {
  return index < d->capacity && d->sockets[index].fd >= 0 ? &d->sockets[index] : NULL;
}

static int free_index(door *d) {
  for (uint32_t i = 0; d->open < d->capacity && i < d->capacity; i++) {
    if (d->sockets[i].fd < 0) return (int)i;
  }
  const uint32_t capacity = d->capacity == 0 ? 16 : d->capacity * 2;
  udp_socket *sockets = realloc(d->sockets, capacity * sizeof *sockets);
  if (sockets == NULL) return -1;
  for (uint32_t i = d->capacity; i < capacity; i++) sockets[i].fd = -1;
  const int first = (int)d->capacity;
  d->sockets = sockets;
  d->capacity = capacity;
  return first;
}

static void set_receive_buffer(int fd, int octets) {
  // beyond the limit for all (net.core.rmem_max) only with CAP_NET_ADMIN; less than asked for is no reason not to run
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  }
}

int socket_open(door *d, const address *local, bool reuse_port, int receive_buffer, const char **call) {
  const int on = 1;
  const bool is_v6 = local->any.sa_family == AF_INET6;
  *call = "socket";
  const int index = free_index(d);
  if (index < 0) return errno = ENOMEM, -1;
  const int fd = socket(local->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  set_receive_buffer(fd, receive_buffer);
  *call = "setsockopt";
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest_send, sizeof longest_send) != 0) goto failed;
  // a listener on :: stands beside the one on 0.0.0.0, and addresses never come IPv4-mapped
  if (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) goto failed;
  if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) goto failed;
  *call = "bind";
  if (bind(fd, &local->any, is_v6 ? sizeof local->v6 : sizeof local->v4) != 0) goto failed;
  *call = "epoll_ctl";
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
  if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &event) != 0) goto failed;
  d->sockets[index] = (udp_socket){.fd = fd, .connected = false};
  d->open++;
  pace_hold(d);
  return index;

failed: {
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}
}

int socket_connect(door *d, uint32_t index, const address *remote) {
  udp_socket *s = socket_at(d, index);
  if (s == NULL) return errno = EBADF, -1;
  if (connect(s->fd, &remote->any, remote->any.sa_family == AF_INET6 ? sizeof remote->v6 : sizeof remote->v4) != 0) return -1;
  s->connected = true;
  return 0;
}

void socket_close(door *d, uint32_t index) {
  udp_socket *s = socket_at(d, index);
  if (s == NULL) return;
  forget_failures(d, index);
  close(s->fd); // and with it out of the epoll set: nobody else has the description
  s->fd = -1;
  d->open--;
  pace_hold(d);
}
