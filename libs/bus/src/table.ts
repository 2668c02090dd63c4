import type { Subscription } from './bus.ts'

export interface Entry<T> {
  readonly key: string
  readonly value: T
  readonly revision: number
}

/** A key-value bucket. Expected outcomes are values: a lost compare-and-set is `'conflict'`. */
export interface Table<T> {
  get(key: string): Promise<Entry<T> | undefined>
  put(key: string, value: T): Promise<number>
  create(key: string, value: T): Promise<number | 'conflict'>
  update(key: string, value: T, revision: number): Promise<number | 'conflict'>
  remove(key: string): Promise<void>
  entries(): Promise<Entry<T>[]>
  /**
   * Hears every key now and every change; `undefined` for a removed one. Made anew after each reconnect, and within seconds when the
   * bucket itself was, so a handler may hear the same value twice. `onCaughtUp` is called each time that all values of then are told.
   */
  watch(handler: (key: string, value: T | undefined, revision: number) => void, onCaughtUp?: () => void): Subscription
}
