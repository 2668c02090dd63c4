import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '@siplb/contracts'
import { parseListen } from '@siplb/sip/transport'
import type { Endpoint } from '@siplb/sip/transport'
import { keptSecret } from './shell/token-keys.ts'

export const defaultHttpPort = 9101

/** Where tables and the token's secret are kept. */
export function stateDirOf(config: Config, env: NodeJS.ProcessEnv): string {
  return config.stateDir ?? join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'siplb')
}

/** The secrets of the route token, the signing one first. */
export function secretsOf(config: Config, stateDir: string): string[] {
  const { key, previousKey } = config.ingress.token
  return [key ?? keptSecret(stateDir), ...(previousKey === undefined ? [] : [previousKey])]
}

/** Checked by the schema before, so that a problem here is a fault of ours. */
export function listenAddresses(config: Config): Endpoint[] {
  return config.ingress.listen.map((text) => {
    const parsed = parseListen(text)
    if (parsed.kind === 'problem') throw new TypeError(parsed.problem)
    const { transport, address, port } = parsed
    return { transport, address, port }
  })
}
