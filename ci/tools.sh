#!/usr/bin/env bash
# Puts docker compose v2, buildx, nats-server and a static busybox into a cache folder from Debian packages, without
# root and without touching the machine's own apt configuration. Debian 12 has no compose v2 and no buildx; the
# Debian 13 binaries ask for libc6 >= 2.34 only, so they run on 12 too.
# Prints the folder: bin/{nats-server,busybox}, docker-config/cli-plugins/{docker-compose,docker-buildx}.
# Idempotent; a second call returns at once.
set -euo pipefail
suite=${TOOLS_SUITE:-trixie}
# the mirror that this machine's apt already uses
mirror=${DEBIAN_MIRROR:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' | head -1 || true)}
cache=${TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/siplb/tools}/$suite

if [ ! -e "$cache/done" ]; then
  work=$(mktemp -d "${TMPDIR:-/tmp}/tools.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{parts,lists/partial,cache/archives/partial,debs,root} "$cache"/{bin,docker-config/cli-plugins}
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nArchitectures: %s\nSigned-By: %s\n' "$mirror" "$suite" \
    "$(dpkg --print-architecture)" /usr/share/keyrings/debian-archive-keyring.gpg >"$work/parts/debian.sources"
  apt=(-qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/parts"
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=
    -o APT::Update::Post-Invoke-Success::= -o Acquire::Languages=none -o Acquire::Retries=3)
  apt-get "${apt[@]}" update </dev/null >&2
  cd "$work/debs"
  apt-get "${apt[@]}" download docker-compose docker-buildx nats-server busybox-static </dev/null >&2
  for d in *.deb; do dpkg-deb -x "$d" "$work/root"; done
  cd /
  install -m755 "$work"/root/usr/libexec/docker/cli-plugins/docker-{compose,buildx} "$cache/docker-config/cli-plugins/"
  bb=$work/root/usr/bin/busybox; [ -f "$bb" ] || bb=$work/root/bin/busybox
  install -m755 "$work/root/usr/sbin/nats-server" "$bb" "$cache/bin/"
  touch "$cache/done"
fi
echo "$cache"
