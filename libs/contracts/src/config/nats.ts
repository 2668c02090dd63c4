import { z } from 'zod'

export const natsConfig = z.strictObject({
  servers: z
    .array(z.string().regex(/^(nats|tls|ws|wss):\/\/\S+$/, 'must be a NATS address such as nats://127.0.0.1:4222'))
    .min(1)
    .optional()
    .describe('Left out: `npm start` runs its own; a single service takes nats://127.0.0.1:4222.'),
  prefix: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'must be subject tokens of a-z, 0-9 and "-", such as siplb.v1')
    .default('siplb.v1')
    .describe('What every subject starts with; store names derive from it.'),
  user: z.string().optional(),
  password: z.string().meta({ writeOnly: true }).optional(),
  credentialsFile: z.string().optional().describe('A .creds file (JWT and seed).'),
  nkeySeedFile: z.string().optional(),
  tls: z
    .strictObject({ caFile: z.string().optional(), certFile: z.string().optional(), keyFile: z.string().optional() })
    .optional(),
})

export type NatsConfig = z.infer<typeof natsConfig>
