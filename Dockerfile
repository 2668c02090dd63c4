# One Dockerfile for every image: --build-arg SERVICE=ingress; all layers but the last few are shared.
# Builds with the legacy builder and with BuildKit of any age: no `# syntax` line (it would be pulled), no heredoc,
# no `COPY --link`, no `RUN --mount`.
ARG NODE_IMAGE=node:24-bookworm-slim

# The manifests alone, so that the layer of the dependencies changes only with them; a new workspace needs no line here.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY . .
RUN mkdir /manifests && find . -name 'package*.json' -exec cp --parents '{}' /manifests/ ';'

FROM ${NODE_IMAGE} AS app
WORKDIR /app
ENV NODE_ENV=production
COPY --from=manifests /manifests ./
# The optional dependencies are Node itself, for machines without one: the image has it.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && npm cache clean --force
# A named volume mounted here takes over the owner.
RUN mkdir -p /var/lib/siplb && chown node:node /var/lib/siplb
COPY . .

# The native UDP door (docs/adr/0014), where a compiler can be had; without it all works through Node's own sockets.
FROM app AS native
RUN command -v cc || (timeout 120 apt-get update -qq && timeout 300 apt-get install -y -qq --no-install-recommends gcc libc6-dev) || true
# The folder is there in any case, for the next stage copies it.
RUN mkdir -p libs/sip/native/build && node libs/sip/native/build.ts

FROM app
COPY --from=native /app/libs/sip/native/build libs/sip/native/build/
# The command line is in every image: docker run --rm --pid=host --network=host siplb/prober:dev siplb agent …
RUN ln -s /app/cli/src/main.ts /usr/local/bin/siplb
# What is compiled is kept, for this user and Node: a start takes two thirds of the time, and does without the compiler of TypeScript in memory.
ENV NODE_COMPILE_CACHE=/var/cache/siplb
# Why: libs/children/src/node.ts
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=16777216 MALLOC_MMAP_THRESHOLD_=1048576 MALLOC_TOP_PAD_=1048576
RUN mkdir -p /var/cache/siplb && chown node:node /var/cache/siplb
USER node
ENV SIPLB_CONFIG=/etc/siplb/siplb.yaml SIPLB_STATE_DIR=/var/lib/siplb SIPLB_HTTP__ADDRESS=0.0.0.0
ARG SERVICE
ENV SERVICE=${SERVICE}
RUN test -z "$SERVICE" || sh services/start.sh --help >/dev/null
CMD ["sh", "services/start.sh"]
