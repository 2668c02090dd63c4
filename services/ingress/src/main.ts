import { config as configSchema } from '@siplb/contracts'
import { configOrExit } from '@siplb/runtime'
import { lead } from './lead.ts'
import { serve } from './serve.ts'
import { workerPlace } from './worker.ts'

const { config, source } = configOrExit(configSchema, {
  argv: process.argv.slice(2),
  env: process.env,
  service: 'ingress',
})
const place = workerPlace(process.env, process.connected)
if (place === undefined && config.ingress.workers > 1) await lead(config, import.meta.filename)
else await serve(config, source, place)
