import { createTicker, type Component, type TlsFiles } from '@siplb/runtime'
import type { IngressContext } from './context.ts'
import type { Listeners } from './listeners.ts'

const LOOK_MS = 10_000

export interface TlsRenewal extends Component {
  /** Looks now. */
  renew(): void
}

/** Takes over certificates that changed on disk: who renews them need not tell us. */
export function createTlsRenewal(ctx: IngressContext, tls: TlsFiles, listeners: Listeners): TlsRenewal {
  const run = () => {
    if (!tls.reload(ctx.config.ingress.tls)) return
    listeners.renewTls()
    ctx.log.info('certificates renewed')
  }
  const onError = (error: unknown) => ctx.log.error({ err: error }, 'certificates not renewed: those before stay')
  const renew = () => {
    try {
      run()
    } catch (error) {
      onError(error)
    }
  }
  return { ...createTicker({ name: 'tls', everyMs: LOOK_MS, run, onError }), renew }
}
