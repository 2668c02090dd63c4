// When to look: at once while there is little to do, once in an interval under load. A wake-up costs as much as a few messages, and
// a handful of them finds the processor's caches warm.
#include "udp.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { WINDOW_MS = 50, ROUNDS = 4 };

static void on_arrival(uv_poll_t *handle, int status, int events) {
  (void)status, (void)events;
  receive_all(handle->data);
}

static void on_tick(uv_poll_t *handle, int status, int events) {
  (void)status, (void)events;
  door *d = handle->data;
  uint64_t ticks;
  if (read(d->timer, &ticks, sizeof ticks) == sizeof ticks) receive_all(d);
}

// Whatever this turn of the loop has queued leaves before it waits.
static void before_wait(uv_prepare_t *handle) {
  door *d = handle->data;
  for (int round = 0; round < ROUNDS && (*d->queued > 0 || d->failed > 0); round++) {
    send_all(d);
    tell_failures(d);
  }
}

static void on_closed(uv_handle_t *handle) {
  door *d = handle->data;
  if (--d->handles > 0) return;
  close(d->epoll);
  close(d->timer);
  napi_remove_async_cleanup_hook(d->cleanup); // the environment waits for this
  free(d->sockets);
  free(d);
}

int pace_start(door *d, uv_loop_t *loop) {
  d->epoll = epoll_create1(EPOLL_CLOEXEC);
  d->timer = d->epoll < 0 ? -1 : timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (d->timer < 0) {
    const int error = errno;
    if (d->epoll >= 0) close(d->epoll);
    return errno = error, -1;
  }
  uv_poll_init(loop, &d->arrivals, d->epoll);
  uv_poll_init(loop, &d->ticks, d->timer);
  uv_prepare_init(loop, &d->before_wait);
  d->arrivals.data = d->ticks.data = d->before_wait.data = d;
  d->handles = 3;
  uv_poll_start(&d->arrivals, UV_READABLE, on_arrival);
  uv_prepare_start(&d->before_wait, before_wait);
  uv_unref((uv_handle_t *)&d->before_wait);
  pace_hold(d);
  d->window_began = uv_hrtime();
  return 0;
}

void pace_hold(door *d) {
  void (*hold)(uv_handle_t *) = d->open > 0 ? uv_ref : uv_unref;
  hold((uv_handle_t *)&d->arrivals);
  hold((uv_handle_t *)&d->ticks);
}

static void set_timer(door *d, uint32_t interval_us) {
  const struct timespec interval = {.tv_sec = interval_us / 1000000, .tv_nsec = (long)(interval_us % 1000000) * 1000};
  const struct itimerspec every = {.it_interval = interval, .it_value = interval};
  timerfd_settime(d->timer, 0, &every, NULL);
}

static void set_paced(door *d, bool paced) {
  d->paced = paced;
  set_timer(d, paced ? d->interval_us : 0);
  if (paced) {
    uv_poll_stop(&d->arrivals);
    uv_poll_start(&d->ticks, UV_READABLE, on_tick);
  } else {
    uv_poll_stop(&d->ticks);
    uv_poll_start(&d->arrivals, UV_READABLE, on_arrival);
  }
}

void pace_count(door *d, uint32_t datagrams) {
  d->window_count += datagrams;
  const uint64_t now = uv_hrtime(), elapsed = now - d->window_began;
  if (elapsed < WINDOW_MS * 1000000ull || d->ending) return;
  const uint64_t per_second = d->window_count * 1000000000ull / elapsed;
  const bool paced = d->interval_us > 0 && per_second >= (d->paced ? d->quiet : d->busy);
  if (paced != d->paced) set_paced(d, paced);
  d->window_count = 0;
  d->window_began = now;
}

void pace_end(door *d) {
  uv_close((uv_handle_t *)&d->arrivals, on_closed);
  uv_close((uv_handle_t *)&d->ticks, on_closed);
  uv_close((uv_handle_t *)&d->before_wait, on_closed);
}
