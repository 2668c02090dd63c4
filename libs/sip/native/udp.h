// UDP in batches for Node: recvmmsg(2) and sendmmsg(2) behind the memory that both sides see. One door for each environment (thread)
// that loads the module; `native-door.ts` is its only user and knows the same layout.
#pragma once

#define NAPI_VERSION 9
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <uv.h>

// Changes with everything that native-door.ts must know.
#define INTERFACE_VERSION 1

// A datagram of UDP has 65,507 octets at most; the odd stride keeps equal offsets of slots off the same cache lines.
#define SLOT_OCTETS (65536 + 320)
#define RECEIVE_SLOTS 64
#define SEND_RECORDS 256
// More than these at a time are not told.
#define FAILURE_RECORDS 64

// The 32-bit words of a record.
enum { W_SOCKET, W_OFFSET, W_LENGTH, W_PORT, W_FAMILY, W_ADDRESS, W_SCOPE = W_ADDRESS + 4, WORDS = 12 };

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} address;

typedef struct {
  int fd; // -1: free
  bool connected;
} udp_socket;

typedef struct {
  uint32_t socket;
  int error;
  bool has_remote;
  int32_t record[WORDS];
} failure;

enum { MEMORY_PARTS = 5 };

typedef struct door {
  napi_env env;
  napi_ref on_datagrams, on_failure;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  bool ending;
  int handles; // of libuv, not closed yet

  udp_socket *sockets;
  uint32_t capacity, open;

  uint8_t *receive_octets, *send_octets;
  size_t send_capacity;
  int32_t *receive_records, *send_records;
  napi_ref memory[MEMORY_PARTS];

  int epoll, timer;
  uv_poll_t arrivals, ticks;
  uv_prepare_t before_wait;
  int32_t *queued; // how many send records wait; JavaScript counts them up
  failure failures[FAILURE_RECORDS];
  uint32_t failed;

  bool paced;
  uint32_t interval_us; // 0: never paced
  uint32_t busy, quiet; // datagrams a second
  uint64_t window_began; // ns
  uint32_t window_count;
} door;

// address.c
bool address_of(const int32_t *record, address *into, socklen_t *length);
void record_address(const address *from, int32_t *record);
napi_value numeric_name(napi_env env, const address *from);
bool parse_numeric(const char *text, uint16_t port, address *into);

// socket.c: an index, or -1 with errno; `call` says which one failed
int socket_open(door *d, const address *local, bool reuse_port, int receive_buffer, const char **call);
int socket_connect(door *d, uint32_t index, const address *remote);
void socket_close(door *d, uint32_t index);
udp_socket *socket_at(door *d, uint32_t index);

// receive.c
void receive_all(door *d);

// send.c
void send_all(door *d);

// pace.c
int pace_start(door *d, uv_loop_t *loop);
void pace_count(door *d, uint32_t datagrams);
void pace_hold(door *d); // keeps the process while a socket is open
void pace_end(door *d);

// failures.c: noted at any time, told when no JavaScript waits for the door
void note_failure(door *d, uint32_t socket, int error, const int32_t *record);
void tell_failures(door *d);
void forget_failures(door *d, uint32_t socket); // its number goes to another

// calls.c: into JavaScript
typedef struct {
  napi_handle_scope handles;
  napi_callback_scope callbacks;
} call_scope;
bool calls_begin(door *d, call_scope *scope);
void calls_end(door *d, call_scope *scope);
void call(door *d, napi_ref function, size_t count, const napi_value *arguments);
napi_value number(door *d, int64_t value);
