// What has come, by up to 64 datagrams a system call.
#define _GNU_SOURCE
#include "udp.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

// A socket that is flooded does not keep the others from being read.
enum { ROUNDS = 4, READY = 64 };

static int receive_once(door *d, int fd) {
  static _Thread_local address from[RECEIVE_SLOTS];
  static _Thread_local struct iovec octets[RECEIVE_SLOTS];
  static _Thread_local struct mmsghdr messages[RECEIVE_SLOTS];
  for (int i = 0; i < RECEIVE_SLOTS; i++) {
    octets[i] = (struct iovec){.iov_base = d->receive_octets + (size_t)i * SLOT_OCTETS, .iov_len = SLOT_OCTETS};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &octets[i], .msg_iovlen = 1};
  }
  const int count = recvmmsg(fd, messages, RECEIVE_SLOTS, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) {
    int32_t *record = d->receive_records + i * WORDS;
    record[W_OFFSET] = i * SLOT_OCTETS;
    record[W_LENGTH] = (int32_t)messages[i].msg_len;
    record_address(&from[i], record);
  }
  return count;
}

static void receive_from(door *d, uint32_t index) {
  for (int round = 0; round < ROUNDS; round++) {
    const udp_socket *s = socket_at(d, index); // each time: what is told may close it
    if (s == NULL) return;
    const int count = receive_once(d, s->fd);
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) note_failure(d, index, errno, NULL);
      return;
    }
    pace_count(d, (uint32_t)count);
    call(d, d->on_datagrams, 2, (napi_value[]){number(d, index), number(d, count)});
    if (count < RECEIVE_SLOTS) return;
  }
}

void receive_all(door *d) {
  struct epoll_event ready[READY];
  call_scope scope;
  const int count = epoll_wait(d->epoll, ready, READY, 0);
  pace_count(d, 0);
  if (count <= 0 || !calls_begin(d, &scope)) return;
  for (int i = 0; i < count && !d->ending; i++) receive_from(d, ready[i].data.u32);
  calls_end(d, &scope); // promises and ticks run here, and may send more
  send_all(d);
  tell_failures(d);
}
