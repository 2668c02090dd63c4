// What could not be sent, and what the other side refused.
#include "udp.h"
#include <string.h>

void note_failure(door *d, uint32_t socket, int error, const int32_t *record) {
  if (d->failed == FAILURE_RECORDS) return;
  failure *f = &d->failures[d->failed++];
  *f = (failure){.socket = socket, .error = error, .has_remote = record != NULL};
  if (record != NULL) memcpy(f->record, record, sizeof f->record);
}

void forget_failures(door *d, uint32_t socket) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < d->failed; i++) {
    if (d->failures[i].socket != socket) d->failures[kept++] = d->failures[i];
  }
  d->failed = kept;
}

static void tell(door *d, const failure *f) {
  address remote;
  socklen_t length;
  napi_value name = NULL, port = number(d, 0);
  napi_get_undefined(d->env, &name);
  if (f->has_remote && address_of(f->record, &remote, &length)) {
    name = numeric_name(d->env, &remote);
    port = number(d, f->record[W_PORT]);
  }
  call(d, d->on_failure, 4, (napi_value[]){number(d, f->socket), number(d, f->error), name, port});
}

void tell_failures(door *d) {
  call_scope scope;
  if (d->failed == 0 || !calls_begin(d, &scope)) return;
  failure now[FAILURE_RECORDS]; // a copy: who is told may send, and fail again
  const uint32_t count = d->failed;
  memcpy(now, d->failures, count * sizeof *now);
  d->failed = 0;
  for (uint32_t i = 0; i < count && !d->ending; i++) tell(d, &now[i]);
  calls_end(d, &scope);
}
