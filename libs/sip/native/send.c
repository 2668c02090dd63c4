// What waits to be sent, by one system call for each socket, in the order of each socket.
#define _GNU_SOURCE
#include "udp.h"
#include <errno.h>
#include <string.h>

static uint32_t gather(door *d, uint32_t first, uint32_t count, bool *taken, uint32_t *which) {
  const int32_t socket = d->send_records[first * WORDS + W_SOCKET];
  uint32_t n = 0;
  for (uint32_t i = first; i < count; i++) {
    if (taken[i] || d->send_records[i * WORDS + W_SOCKET] != socket) continue;
    taken[i] = true;
    which[n++] = i;
  }
  return n;
}

static void send_by(door *d, uint32_t index, const uint32_t *which, uint32_t count) {
  static _Thread_local address to[SEND_RECORDS];
  static _Thread_local struct iovec octets[SEND_RECORDS];
  static _Thread_local struct mmsghdr messages[SEND_RECORDS];
  const udp_socket *s = socket_at(d, index);
  if (s == NULL) return; // closed after this was queued
  const int fd = s->fd;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t *record = d->send_records + which[i] * WORDS;
    octets[i] = (struct iovec){.iov_base = d->send_octets + record[W_OFFSET], .iov_len = (size_t)record[W_LENGTH]};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &octets[i], .msg_iovlen = 1};
    socklen_t length = 0;
    if (!s->connected && address_of(record, &to[i], &length)) {
      messages[i].msg_hdr.msg_name = &to[i];
      messages[i].msg_hdr.msg_namelen = length;
    }
  }
  for (uint32_t sent = 0; sent < count;) {
    const int now = sendmmsg(fd, messages + sent, count - sent, 0);
    if (now > 0) {
      sent += (uint32_t)now;
    } else if (errno != EINTR) {
      note_failure(d, index, errno, d->send_records + which[sent] * WORDS);
      sent++; // this one is lost, the rest is not
    }
  }
}

void send_all(door *d) {
  static _Thread_local bool taken[SEND_RECORDS];
  static _Thread_local uint32_t which[SEND_RECORDS];
  const uint32_t count = (uint32_t)*d->queued;
  if (count == 0 || count > SEND_RECORDS) return;
  memset(taken, 0, count * sizeof *taken);
  for (uint32_t i = 0; i < count; i++) {
    if (taken[i]) continue;
    const uint32_t n = gather(d, i, count, taken, which);
    send_by(d, (uint32_t)d->send_records[i * WORDS + W_SOCKET], which, n);
  }
  *d->queued = 0;
}
