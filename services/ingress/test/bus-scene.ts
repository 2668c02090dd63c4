import type { Bus } from '@siplb/bus'
import type { TestNats } from '@siplb/testkit'
import { connectBus } from './ingress-under-test.ts'
import { scene, type Scene, type SceneSettings } from './scene.ts'

let scenes = 0

/** A scene with a bus, under subjects of its own. */
export interface BusScene extends Scene {
  /** Somebody else on the bus. */
  readonly other: Bus
  readonly prefix: string
}

export async function onBus(nats: TestNats, settings: SceneSettings = {}): Promise<BusScene> {
  const prefix = `bus-${(scenes += 1)}`
  await using stack = new AsyncDisposableStack()
  const other = await connectBus('other', 'other1', nats.url, prefix)
  stack.defer(() => other.close())
  const s = stack.use(await scene({ nats: nats.url, prefix, ...settings }))
  const owned = stack.move()
  return { ...s, other, prefix, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
