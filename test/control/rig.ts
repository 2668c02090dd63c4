import { setTimeout as sleep } from 'node:timers/promises'
import {
  createCaller,
  createSampleProxy,
  startKamailio,
  startStack,
  type Caller,
  type CallResult,
  type Kamailio,
  type KamailioOptions,
  type SampleProxy,
  type Stack,
} from '@siplb/testkit'

/** New requests by the proxy that was tried first, since the stack began. */
export async function decisions(stack: Stack): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`http://127.0.0.1:${stack.service('ingress').httpPort}/metrics`)).text()
  const counts: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const [, labels = '', value] = /^siplb_route_decisions_total\{(.*)\} (\d+)$/.exec(line) ?? []
    const proxy = /proxy="([^"]*)"/.exec(labels)?.[1]
    // Requests of dialogs are not chosen.
    if (proxy !== undefined && !labels.includes('source="token"')) counts[proxy] = (counts[proxy] ?? 0) + Number(value)
  }
  return counts
}

/** Shares of the new requests of a time, in percent by proxy. */
export async function sharesOver(stack: Stack, ms: number): Promise<Readonly<Record<string, number>>> {
  const before = await decisions(stack)
  await sleep(ms)
  const after = await decisions(stack)
  const counts = Object.entries(after).map(([proxy, count]): [string, number] => [proxy, count - (before[proxy] ?? 0)])
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  return Object.fromEntries(counts.map(([proxy, count]) => [proxy, (100 * count) / total]))
}

/** Calls and when each began, on the clock of `performance.now()`. */
interface Made {
  readonly at: number
  readonly result: CallResult
}

export interface Calling extends AsyncDisposable {
  readonly caller: Caller
  /** Calls that are over. */
  readonly made: readonly Made[]
  /** Of INVITEs sent in a time, until their 200: the phone behind rings no time, and a 100 may be the balancer's own. */
  setupsMs(from: number, to: number): number[]
}

/** A phone that calls at a rate, each call lasting 100 ms. */
export async function startCalling(stack: Stack, ratePerSecond: number): Promise<Calling> {
  const made: Made[] = []
  const caller = await createCaller({
    target: stack.sip,
    callMs: 100,
    onResult: (result) => {
      // From its end back: set-up, the call itself and the BYE.
      made.push({ at: performance.now() - (result.setupMs ?? 0) - 100, result })
    },
  })
  caller.start(ratePerSecond)
  return {
    caller,
    made,
    setupsMs: (from, to) => made.flatMap(({ at, result }) => (at >= from && at < to ? [result.setupMs ?? 32_000] : [])),
    async [Symbol.asyncDispose]() {
      await caller.stop()
      await caller.close()
    },
  }
}

export function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN
}

export interface KamailioRig extends AsyncDisposable {
  readonly kamailios: readonly Kamailio[]
  readonly stack: Stack
}

/** Kamailio in front of one phone, and the balancer in front of them. Their ids are kam1, kam2, … */
export async function startKamailioRig(
  each: readonly Omit<KamailioOptions, 'next'>[],
  more: { readonly pool?: object; readonly config?: Readonly<Record<string, object>> } = {},
): Promise<KamailioRig> {
  const parts = new AsyncDisposableStack()
  try {
    const phone = parts.use(await createSampleProxy({ name: 'phone' }))
    const kamailios: Kamailio[] = []
    for (const [i, options] of each.entries()) {
      kamailios.push(parts.use(await startKamailio({ name: `kam${i + 1}`, next: phone, ...options })))
    }
    const proxies = kamailios.map(({ name, uri }) => ({ id: name, uri }))
    const stack = parts.use(
      await startStack({
        pools: { default: { ...more.pool, proxies } },
        ...(more.config === undefined ? {} : { config: more.config }),
      }),
    )
    return { kamailios, stack, [Symbol.asyncDispose]: () => parts.disposeAsync() }
  } catch (error) {
    await parts.disposeAsync()
    throw error
  }
}

export interface SampleRig extends AsyncDisposable {
  readonly proxies: readonly SampleProxy[]
  readonly stack: Stack
}

/** So many sample proxies px1, px2, … with one worker each, and the balancer in front of them. */
export async function startSampleRig(
  count: number,
  more: { readonly delayMs?: number; readonly config?: Readonly<Record<string, object>> } = {},
): Promise<SampleRig> {
  const parts = new AsyncDisposableStack()
  try {
    const proxies: SampleProxy[] = []
    for (let i = 1; i <= count; i++) {
      proxies.push(
        parts.use(await createSampleProxy({ name: `px${i}`, delayMs: more.delayMs ?? 5, workers: 4, ringMs: 50 })),
      )
    }
    const declared = proxies.map(({ name, uri }) => ({ id: name, uri }))
    const stack = parts.use(
      await startStack({
        pools: { default: { proxies: declared } },
        ...(more.config === undefined ? {} : { config: more.config }),
      }),
    )
    return { proxies, stack, [Symbol.asyncDispose]: () => parts.disposeAsync() }
  } catch (error) {
    await parts.disposeAsync()
    throw error
  }
}
