import type { LogFile } from './log-file.ts'
import { reloadMessages } from '@siplb/runtime'
import { fieldOf, wordsOf } from './log-line.ts'
import { serviceArguments, services, type Plan, type ServiceName } from './plan.ts'
import { launch, saysReady } from './programs.ts'
import { supervise, type Supervised } from './supervise.ts'

const STOP_MS = 3000

export interface ServicesContext {
  readonly plan: Plan
  /** Where the services find NATS. */
  readonly servers: readonly string[]
  readonly log: LogFile
  readonly say: (text: string) => void
}

// Each service tells of a reload; a person is told once, by the start itself.
const ofReload = new Set<unknown>(Object.values(reloadMessages))
const isOfReload = (line: string) => ofReload.has(fieldOf(line, 'msg'))

/** The four services, each started again whenever it dies. Resolves when all serve. */
export async function startServices(context: ServicesContext): Promise<Supervised[]> {
  return Promise.all(services.map((name) => startService(name, context)))
}

async function startService(name: ServiceName, { plan, servers, log, say }: ServicesContext): Promise<Supervised> {
  const env = { ...process.env, SIPLB_NATS__SERVERS: servers.join(',') }
  let httpPort: unknown
  const onLine = (line: string) => {
    log.write(name, line)
    httpPort = fieldOf(line, 'httpPort') ?? httpPort
    const words = isOfReload(line) ? undefined : wordsOf(line)
    if (words !== undefined) say(`${name} ${words}`)
  }
  const program = `services/${name}/src/main.ts`
  const supervised = await supervise({
    name,
    stopMs: plan.config.ingress.drainMs + STOP_MS,
    say,
    launch: () => launch({ name, program, args: serviceArguments(plan, name), env, onLine, isReady: saysReady }),
  })
  const sip = name === 'ingress' ? `, SIP at ${plan.config.ingress.listen.join(', ')}` : ''
  say(`${name.padEnd(9)} ready, health at http://${plan.config.http.address}:${String(httpPort)}/readyz${sip}`)
  return supervised
}
