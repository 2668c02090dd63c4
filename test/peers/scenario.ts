import { join } from 'node:path'

/** A SIPp scenario of ours; all follow Record-Route, as those that SIPp brings along do not. */
export function scenario(name: 'uac' | 'uac-lossy' | 'uac-reinvite' | 'uac-hung-up' | 'uas' | 'uas-hangs-up'): string {
  return join(import.meta.dirname, 'scenarios', `${name}.xml`)
}
