#!/usr/bin/env bash
# Makes a Docker engine answer: the one that is there, or else Debian's, installed where missing and started in the
# background, without systemd. Returns once it answers. The engine outlives this shell and holds none of its pipes.
# Prints the process id of an engine that it started, so that the caller can end it (`kill PID`), else nothing.
set -euo pipefail
log=${DOCKERD_LOG:-/tmp/dockerd.log}
pidfile=/var/run/docker.pid
up() { timeout 5 docker version --format '{{.Server.Version}}' </dev/null >/dev/null 2>&1; }

up && exit 0
[ "$(id -u)" = 0 ] || exec sudo -n -E bash "$0" "$@"

if ! command -v dockerd >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  apt-get update -qq </dev/null
  apt-get install -y -qq --no-install-recommends docker.io </dev/null >/dev/null
fi

# a dead one that nobody has waited for yet still has its number
lives() {
  local pid
  for pid in $(pgrep -x dockerd || true); do
    [ "$(awk '{ print $3 }' "/proc/$pid/stat" 2>/dev/null)" = Z ] || return 0
  done
  return 1
}

if ! lives; then
  # from a machine image, or an engine that was killed: its number may by now be another process, and dockerd would refuse
  rm -f "$pidfile"
  (
    for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done 2>/dev/null
    # shellcheck disable=SC2086
    exec setsid dockerd --ip 127.0.0.1 ${DOCKERD_OPTS:-} </dev/null >"$log" 2>&1
  ) &
  child=$!
  disown
fi

for _ in $(seq 300); do
  if up; then
    [ -z "${child:-}" ] || echo "$child"
    exit 0
  fi
  [ -z "${child:-}" ] || kill -0 "$child" 2>/dev/null || break
  sleep 0.1
done
echo "dockerd did not come up:" >&2; tail -20 "$log" >&2
exit 1
