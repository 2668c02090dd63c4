#!/bin/sh
# Starts $SERVICE in an image. Why with these flags: libs/children/src/node.ts
case "$SERVICE" in
ingress) young_mb=8 ;;
*) young_mb=4 ;;
esac
exec node --v8-pool-size=1 --no-allocation-site-pretenuring --heap-growing-percent=100 \
  --max-semi-space-size="$young_mb" "services/$SERVICE/src/main.ts" "$@"
