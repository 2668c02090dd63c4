import type { Bus } from '@siplb/bus'
import type { Call } from './command.ts'

/** Until the user has seen enough; says meanwhile when the bus goes and comes. */
export async function untilStopped(call: Call, bus: Bus): Promise<void> {
  let wasConnected = true
  const following = bus.onConnection((isConnected) => {
    if (isConnected !== wasConnected) call.remark(isConnected ? 'the bus is back' : 'the bus is gone; waiting for it')
    wasConnected = isConnected
  })
  await new Promise<void>((resolve) => {
    if (call.stopped.aborted) resolve()
    call.stopped.addEventListener('abort', () => resolve(), { once: true })
  })
  following.stop()
}
