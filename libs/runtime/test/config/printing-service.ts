import { z } from 'zod'
import { configOrExit } from '@siplb/runtime'

/** A service that prints what it was configured with. */
const schema = z.strictObject({
  probe: z.strictObject({ intervalMs: z.int().default(1000), timeoutMs: z.int().default(500) }).prefault({}),
})

const { config, file } = configOrExit(schema, { argv: process.argv.slice(2), env: process.env, service: 'printing' })
console.log(JSON.stringify({ file, ...config }))
