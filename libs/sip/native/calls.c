// Calls into JavaScript from the event loop. What is thrown there ends where an exception of a timer would.
#include "udp.h"

bool calls_begin(door *d, call_scope *scope) {
  napi_value resource;
  if (d->ending || napi_open_handle_scope(d->env, &scope->handles) != napi_ok) return false;
  if (napi_create_object(d->env, &resource) == napi_ok &&
      napi_open_callback_scope(d->env, resource, d->context, &scope->callbacks) == napi_ok) {
    return true;
  }
  napi_close_handle_scope(d->env, scope->handles);
  return false;
}

void calls_end(door *d, call_scope *scope) {
  napi_close_callback_scope(d->env, scope->callbacks);
  napi_close_handle_scope(d->env, scope->handles);
}

void call(door *d, napi_ref function, size_t count, const napi_value *arguments) {
  napi_value target, this;
  napi_get_reference_value(d->env, function, &target);
  napi_get_undefined(d->env, &this);
  if (napi_call_function(d->env, this, target, count, arguments, NULL) != napi_pending_exception) return;
  napi_value error;
  napi_get_and_clear_last_exception(d->env, &error);
  napi_fatal_exception(d->env, error);
}

napi_value number(door *d, int64_t value) {
  napi_value result = NULL;
  napi_create_int64(d->env, value, &result);
  return result;
}
