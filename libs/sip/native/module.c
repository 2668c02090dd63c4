// What JavaScript calls. Arguments come from native-door.ts alone, and are checked all the same where memory depends on them.
#include "udp.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 80 };

static door *door_here(napi_env env) {
  door *d = NULL;
  napi_get_instance_data(env, (void **)&d);
  return d;
}

static napi_value undefined(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

// As the errors of Node's own sockets: `code`, `errno`, `syscall`.
static napi_value throw_errno(napi_env env, int error, const char *call) {
  char text[120];
  snprintf(text, sizeof text, "%s %s", call, uv_err_name(-error));
  napi_value code, message, thrown, number, name;
  napi_create_string_utf8(env, uv_err_name(-error), NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &thrown);
  napi_create_int32(env, -error, &number);
  napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &name);
  napi_set_named_property(env, thrown, "errno", number);
  napi_set_named_property(env, thrown, "syscall", name);
  napi_throw(env, thrown);
  return NULL;
}

typedef struct {
  napi_value at[8];
  size_t count;
} arguments;

static arguments arguments_of(napi_env env, napi_callback_info info) {
  arguments a = {.count = 8};
  napi_get_cb_info(env, info, &a.count, a.at, NULL, NULL);
  return a;
}

static int64_t integer(napi_env env, napi_value value) {
  int64_t result = 0;
  napi_get_value_int64(env, value, &result);
  return result;
}

static bool address_argument(napi_env env, napi_value name, napi_value port, address *into) {
  char text[LONGEST_NAME];
  size_t length = 0;
  if (napi_get_value_string_latin1(env, name, text, sizeof text, &length) != napi_ok) return false;
  return parse_numeric(text, (uint16_t)integer(env, port), into);
}

static void on_env_ends(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  door *d = data;
  if (*d->queued > 0) send_all(d);
  d->ending = true;
  for (uint32_t i = 0; i < d->capacity; i++) {
    if (d->sockets[i].fd >= 0) socket_close(d, i);
  }
  pace_end(d);
}

// start(memory: { receiveOctets, sendOctets, receiveRecords, sendRecords, counts }, onDatagrams, onFailure)
static void *memory_part(napi_env env, door *d, napi_value parts, uint32_t index, size_t *size) {
  napi_value part, buffer;
  napi_typedarray_type type;
  size_t length = 0, offset;
  void *data = NULL;
  napi_get_element(env, parts, index, &part);
  if (napi_get_typedarray_info(env, part, &type, &length, &data, &buffer, &offset) != napi_ok) return NULL;
  napi_create_reference(env, part, 1, &d->memory[index]);
  *size = length;
  return data;
}

static bool take_memory(napi_env env, door *d, napi_value parts) {
  size_t size[MEMORY_PARTS] = {0};
  d->receive_octets = memory_part(env, d, parts, 0, &size[0]);
  d->send_octets = memory_part(env, d, parts, 1, &size[1]);
  d->receive_records = memory_part(env, d, parts, 2, &size[2]);
  d->send_records = memory_part(env, d, parts, 3, &size[3]);
  d->queued = memory_part(env, d, parts, 4, &size[4]);
  d->send_capacity = size[1];
  return size[0] >= (size_t)SLOT_OCTETS * RECEIVE_SLOTS && size[1] >= SLOT_OCTETS && size[2] >= RECEIVE_SLOTS * WORDS &&
         size[3] >= SEND_RECORDS * WORDS && size[4] >= 1;
}

static napi_value door_start(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  if (door_here(env) != NULL) return throw_errno(env, EALREADY, "start");
  door *d = calloc(1, sizeof *d);
  uv_loop_t *loop = NULL;
  napi_value name;
  if (d == NULL) return throw_errno(env, ENOMEM, "start");
  d->env = env;
  if (!take_memory(env, d, a.at[0])) {
    free(d);
    return throw_errno(env, EINVAL, "start");
  }
  napi_get_uv_event_loop(env, &loop);
  if (pace_start(d, loop) != 0) {
    const int error = errno;
    free(d);
    return throw_errno(env, error, "epoll_create");
  }
  napi_create_reference(env, a.at[1], 1, &d->on_datagrams);
  napi_create_reference(env, a.at[2], 1, &d->on_failure);
  napi_create_string_utf8(env, "siplb:udp", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &d->context);
  napi_add_async_cleanup_hook(env, on_env_ends, d, &d->cleanup);
  napi_set_instance_data(env, d, NULL, NULL);
  return undefined(env);
}

// open(address, port, reusePort, receiveBuffer): socket
static napi_value door_open(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  address local;
  bool reuse_port = false;
  const char *call = "";
  if (!address_argument(env, a.at[0], a.at[1], &local)) return throw_errno(env, EINVAL, "bind");
  napi_get_value_bool(env, a.at[2], &reuse_port);
  const int index = socket_open(door_here(env), &local, reuse_port, (int)integer(env, a.at[3]), &call);
  return index < 0 ? throw_errno(env, errno, call) : number(door_here(env), index);
}

// connect(socket, address, port)
static napi_value door_connect(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  address remote;
  if (!address_argument(env, a.at[1], a.at[2], &remote)) return throw_errno(env, EINVAL, "connect");
  if (socket_connect(door_here(env), (uint32_t)integer(env, a.at[0]), &remote) != 0) return throw_errno(env, errno, "connect");
  return undefined(env);
}

static napi_value name_and_port(napi_env env, const address *of, uint32_t port) {
  napi_value pair, value;
  napi_create_array_with_length(env, 2, &pair);
  napi_set_element(env, pair, 0, numeric_name(env, of));
  napi_create_uint32(env, port, &value);
  napi_set_element(env, pair, 1, value);
  return pair;
}

// local(socket): [address, port]
static napi_value door_local(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  const udp_socket *s = socket_at(door_here(env), (uint32_t)integer(env, a.at[0]));
  address local = {0};
  socklen_t length = sizeof local;
  if (s == NULL) return throw_errno(env, EBADF, "getsockname");
  if (getsockname(s->fd, &local.any, &length) != 0) return throw_errno(env, errno, "getsockname");
  // the port stands at the same place in both
  return name_and_port(env, &local, ntohs(local.v4.sin_port));
}

// source(slot): [address, port] of who sent the datagram there
static napi_value door_source(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  const int64_t slot = integer(env, a.at[0]);
  address from;
  socklen_t length;
  if (slot < 0 || slot >= RECEIVE_SLOTS) return throw_errno(env, EINVAL, "source");
  const int32_t *record = door_here(env)->receive_records + slot * WORDS;
  if (!address_of(record, &from, &length)) return throw_errno(env, EAFNOSUPPORT, "source");
  return name_and_port(env, &from, (uint32_t)record[W_PORT]);
}

// parse(address, words): writes family, address and scope where a record has them; false for what is no numeric address
static napi_value door_parse(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  address parsed;
  napi_typedarray_type type;
  napi_value buffer, port, result;
  size_t length = 0, offset;
  void *words = NULL;
  napi_create_int32(env, 0, &port);
  const bool is_numeric = address_argument(env, a.at[0], port, &parsed);
  napi_get_typedarray_info(env, a.at[1], &type, &length, &words, &buffer, &offset);
  if (is_numeric && words != NULL && length >= WORDS) record_address(&parsed, words);
  napi_get_boolean(env, is_numeric, &result);
  return result;
}

static napi_value door_send(napi_env env, napi_callback_info info) {
  (void)info;
  send_all(door_here(env));
  return undefined(env);
}

// close(socket): what waits is sent first
static napi_value door_close(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  send_all(door_here(env));
  socket_close(door_here(env), (uint32_t)integer(env, a.at[0]));
  return undefined(env);
}

// pace(intervalUs, busy, quiet): 0 takes every datagram at once; the others are datagrams a second
static napi_value door_pace(napi_env env, napi_callback_info info) {
  const arguments a = arguments_of(env, info);
  door *d = door_here(env);
  d->interval_us = (uint32_t)integer(env, a.at[0]);
  d->busy = (uint32_t)integer(env, a.at[1]);
  d->quiet = (uint32_t)integer(env, a.at[2]);
  return undefined(env);
}

static napi_value door_is_paced(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_get_boolean(env, door_here(env)->paced, &result);
  return result;
}

static void set_number(napi_env env, napi_value exports, const char *name, uint32_t value) {
  napi_value number;
  napi_create_uint32(env, value, &number);
  napi_set_named_property(env, exports, name, number);
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"start", door_start}, {"open", door_open},   {"connect", door_connect}, {"local", door_local}, {"source", door_source},
      {"parse", door_parse}, {"send", door_send},   {"close", door_close},     {"pace", door_pace},   {"isPaced", door_is_paced},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  set_number(env, exports, "interfaceVersion", INTERFACE_VERSION);
  set_number(env, exports, "slotOctets", SLOT_OCTETS);
  set_number(env, exports, "receiveSlots", RECEIVE_SLOTS);
  set_number(env, exports, "sendRecords", SEND_RECORDS);
  return exports;
}
