import { z } from 'zod'
import { eventChannel } from './channel.ts'
import { poolId, proxyId } from './ids.ts'
import { proxyState } from './weights.ts'

export const proxyStateChange = z.object({
  pool: poolId,
  proxy: proxyId,
  state: proxyState,
  prevState: proxyState,
  cause: z.string().max(512).describe('Why, in words.'),
  actor: z.string().max(128).describe('Who: the weigher, or the operator of a command.'),
})

export type ProxyStateChange = z.infer<typeof proxyStateChange>

export const proxyStateChanged = eventChannel({
  address: 'evt.proxy.state.{pool}.{proxy}',
  type: 'siplb.proxy.state.v1',
  summary: 'A proxy went up, down, was ejected, drains, is drained, disabled, …',
  data: proxyStateChange,
})
