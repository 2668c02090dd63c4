import { Kamailio } from '../balancers/kamailio.ts'
import { LeastCalls, RoundRobin } from '../balancers/peers.ts'
import type { Make } from './setting.ts'

const ROUND_ROBIN: Make = (world) => new RoundRobin(world)
const LEAST_CALLS: Make = (world) => new LeastCalls(world)
const ALGORITHM_11: Make = (world) => new Kamailio(world, { algorithm: 11, congestionControl: true })
const ALGORITHM_13: Make = (world) => new Kamailio(world, { algorithm: 13, congestionControl: true })

/** The peers' ways to balance, each with what it can do about it switched on. */
export const PEERS: readonly Make[] = [ROUND_ROBIN, LEAST_CALLS, ALGORITHM_11, ALGORITHM_13]
