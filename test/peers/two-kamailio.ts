import { startKamailio, startSipp, startStack, type Kamailio, type Stack } from '@siplb/testkit'
import { scenario } from './scenario.ts'

/** Two Kamailio behind a balancer that asks both for their load, and one called side behind them; all end with the stack. */
export async function startTwoKamailio(
  stack: AsyncDisposableStack,
): Promise<{ kamailios: [Kamailio, Kamailio]; balancer: Stack }> {
  const called = stack.use(await startSipp({ scenario: scenario('uas'), timeoutMs: 300_000 }))
  const kamailios: [Kamailio, Kamailio] = [
    stack.use(await startKamailio({ next: called, name: 'kam1' })),
    stack.use(await startKamailio({ next: called, name: 'kam2' })),
  ]
  const proxies = kamailios.map(({ name, uri, rpcUrl }) => ({
    id: name,
    uri,
    load: { source: 'kamailio', url: rpcUrl, capacity: 100, intervalMs: 500 },
  }))
  const balancer = stack.use(
    await startStack({ pools: { default: { proxies } }, config: { weights: { slowStartMs: 2000 } } }),
  )
  return { kamailios, balancer }
}
