// Prints each change of a proxy's weight with its reason. Needs nothing but the `nats` package:
//   node examples/print-weight-changes.mjs nats://127.0.0.1:4222 [user password]
import { connect } from 'nats'

const [servers = 'nats://127.0.0.1:4222', user, pass] = process.argv.slice(2)
const bus = await connect({ servers, user, pass, maxReconnectAttempts: -1 }).catch(({ message }) => {
  console.error(`no NATS to listen to at ${servers} (${message}): start it, or name another as first argument`)
  process.exit(1)
})

for await (const message of bus.subscribe('siplb.v1.evt.weights.changed.>')) {
  const { time, data } = message.json()
  for (const { id, prevWeight, weight, state, reason } of data.proxies) {
    if (weight === prevWeight) continue
    console.log(`${time} ${data.pool}/${id} ${prevWeight.toFixed(1)} → ${weight.toFixed(1)} (${state}): ${reason}`)
  }
}
