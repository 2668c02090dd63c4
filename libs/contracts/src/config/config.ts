import { z } from 'zod'
import { instanceId } from '../ids.ts'
import { ingressConfig } from './ingress.ts'
import { natsConfig } from './nats.ts'
import { poolsConfig } from './pools.ts'
import { probeConfig } from './probe.ts'
import { retryConfig } from './retry.ts'
import { breachesOf, noPool } from './rules.ts'
import { weightsConfig } from './weights.ts'

/** The sections of the configuration file, each right by itself: enough for who needs only one of them. */
export const configSections = z.strictObject({
  instance: instanceId.optional().describe('Name of this instance; default: from the host name and a random part.'),
  stateDir: z
    .string()
    .optional()
    .describe('Where ingress keeps its last tables; default: siplb in the user’s state folder.'),
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info') })
    .prefault({}),
  http: z
    .strictObject({
      address: z.string().default('127.0.0.1').describe('Where /livez, /readyz and /metrics are served.'),
      port: z
        .int()
        .min(0)
        .max(65_535)
        .optional()
        .describe('Default: ingress 9101, prober 9102, weigher 9103, location 9104.'),
    })
    .prefault({}),
  nats: natsConfig.prefault({}),
  ingress: ingressConfig.prefault({}),
  probe: probeConfig.prefault({}),
  weights: weightsConfig.prefault({}),
  retry: retryConfig.prefault({}),
  pools: poolsConfig.prefault({}),
})

/** The one configuration file, for all services; each takes its part. */
export const config = configSections.superRefine(
  (value: unknown, ctx) => {
    // A pool whose name is wrong is not in the value.
    const isPoolAmiss = ctx.issues.some(({ path }) => path?.[0] === 'pools')
    for (const { path, message } of [...(isPoolAmiss ? [] : noPool(value)), ...breachesOf(value)]) {
      ctx.addIssue({ code: 'custom', path: [...path], message })
    }
  },
  // Also where a value has the wrong type, so that all problems come in one run.
  { when: () => true },
)

export type Config = z.infer<typeof config>
