// Addresses between sockaddr, the words of a record and text.
#include "udp.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool address_of(const int32_t *record, address *into, socklen_t *length) {
  memset(into, 0, sizeof *into);
  const uint16_t port = htons((uint16_t)record[W_PORT]);
  if (record[W_FAMILY] == 4) {
    into->v4.sin_family = AF_INET;
    into->v4.sin_port = port;
    memcpy(&into->v4.sin_addr, record + W_ADDRESS, 4);
    *length = sizeof into->v4;
    return true;
  }
  if (record[W_FAMILY] == 6) {
    into->v6.sin6_family = AF_INET6;
    into->v6.sin6_port = port;
    into->v6.sin6_scope_id = (uint32_t)record[W_SCOPE];
    memcpy(&into->v6.sin6_addr, record + W_ADDRESS, 16);
    *length = sizeof into->v6;
    return true;
  }
  return false;
}

void record_address(const address *from, int32_t *record) {
  if (from->any.sa_family == AF_INET) {
    record[W_FAMILY] = 4;
    record[W_PORT] = ntohs(from->v4.sin_port);
    memcpy(record + W_ADDRESS, &from->v4.sin_addr, 4);
    memset(record + W_ADDRESS + 1, 0, 16);
  } else if (from->any.sa_family == AF_INET6) {
    record[W_FAMILY] = 6;
    record[W_PORT] = ntohs(from->v6.sin6_port);
    memcpy(record + W_ADDRESS, &from->v6.sin6_addr, 16);
    record[W_SCOPE] = (int32_t)from->v6.sin6_scope_id;
  } else {
    memset(record + W_PORT, 0, (WORDS - W_PORT) * sizeof *record);
  }
}

napi_value numeric_name(napi_env env, const address *from) {
  char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE] = "";
  if (from->any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &from->v4.sin_addr, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, &from->v6.sin6_addr, text, sizeof text);
    char zone[IF_NAMESIZE];
    if (from->v6.sin6_scope_id != 0 && if_indextoname(from->v6.sin6_scope_id, zone) != NULL) {
      const size_t end = strlen(text);
      snprintf(text + end, sizeof text - end, "%%%s", zone);
    }
  }
  napi_value name = NULL;
  napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &name);
  return name;
}

bool parse_numeric(const char *text, uint16_t port, address *into) {
  memset(into, 0, sizeof *into);
  if (inet_pton(AF_INET, text, &into->v4.sin_addr) == 1) {
    into->v4.sin_family = AF_INET;
    into->v4.sin_port = htons(port);
    return true;
  }
  char host[INET6_ADDRSTRLEN];
  const size_t length = strcspn(text, "%");
  if (length >= sizeof host) return false;
  memcpy(host, text, length);
  host[length] = '\0';
  if (inet_pton(AF_INET6, host, &into->v6.sin6_addr) != 1) return false;
  if (text[length] == '%') {
    const char *zone = text + length + 1;
    into->v6.sin6_scope_id = if_nametoindex(zone);
    if (into->v6.sin6_scope_id == 0) into->v6.sin6_scope_id = (uint32_t)strtoul(zone, NULL, 10);
    if (into->v6.sin6_scope_id == 0) return false;
  }
  into->v6.sin6_family = AF_INET6;
  into->v6.sin6_port = htons(port);
  return true;
}
