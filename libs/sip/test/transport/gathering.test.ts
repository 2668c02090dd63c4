import type { Packet } from '@siplb/sip/transport'
import { expect, it } from 'vitest'
import { Gathering } from '../../src/transport/gathering.ts'

/** One datagram after the other, each so many milliseconds after the last one, and waits that end when it is told. */
class Scene {
  readonly taken: Packet[] = []
  readonly #waits: (() => void)[] = []
  readonly gathering = new Gathering({ later: (_ms, work) => void this.#waits.push(work) })
  #now = 0

  arrive(count: number, everyMs: number): void {
    for (let i = 0; i < count; i++) {
      this.#now += everyMs
      const packet = { bytes: Buffer.from(`${i}`), receivedAt: this.#now } as Packet
      this.gathering.receive(packet, (taken) => void this.taken.push(taken))
    }
  }

  pass(): void {
    for (const work of this.#waits.splice(0)) work()
  }
}

it('takes a datagram at once while there are few', () => {
  const scene = new Scene()
  scene.arrive(1000, 0.25)
  expect(scene.taken).toHaveLength(1000)
})

it('gathers datagrams under load, in their order, and lets them wait once for all', () => {
  const scene = new Scene()
  scene.arrive(1000, 0.1)
  const atOnce = scene.taken.length
  expect(atOnce).toBeLessThan(1000)
  scene.pass()
  expect(scene.taken.map(({ bytes }) => Number(bytes))).toEqual([...Array(1000).keys()])
})

it('takes them at once again when the load has gone, none before one that still waits', () => {
  const scene = new Scene()
  scene.arrive(1000, 0.1)
  scene.arrive(300, 1)
  expect(scene.gathering.isBusy).toBe(false)
  scene.pass()
  scene.arrive(1, 1)
  expect(scene.taken).toHaveLength(1301)
  expect(scene.taken.slice(1000, 1300).map(({ bytes }) => Number(bytes))).toEqual([...Array(300).keys()])
})
