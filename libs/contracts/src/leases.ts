import { z } from 'zod'
import { instanceId } from './ids.ts'

/** Who writes a pool. The holder writes every second; no new revision for 3 s means that it is gone. */
export const lease = z.object({
  holder: instanceId,
  epoch: z.int().nonnegative(),
  beat: z.int().nonnegative().describe('Rises with every renewal; no clock is compared.'),
  released: z.boolean().optional().describe('Given up by its holder: anybody may take it at once.'),
})

export type Lease = z.infer<typeof lease>
