import { waitFor } from '../wait-for.ts'
import type { CallState, Phone } from './phone.ts'

const PATIENCE_MS = 8000

/**
 * A call as people make it: answered, put on hold and taken back by the caller, then by the called one, and ended by one
 * of them. Rejects with the messages of both phones when one does not hear what the other did.
 */
export async function converse(from: Phone, to: Phone, endedBy: Phone): Promise<void> {
  const both = (mine: CallState, theirs: CallState, holder: Phone = from) => {
    const other = holder === from ? to : from
    return Promise.all([becomes(holder, mine), becomes(other, theirs)])
  }
  try {
    await from.dial(to.aor)
    await both('established', 'established')
    for (const holder of [from, to]) {
      await holder.hold()
      await both('on-hold', 'held', holder)
      await holder.resume()
      await both('established', 'established')
    }
    await endedBy.hangUp()
    await both('idle', 'idle')
  } catch (error) {
    const logs = [from, to].map((phone) => `--- ${phone.user}\n${phone.log().slice(-12_000)}`)
    throw new Error(`${from.user} and ${to.user} did not get through:\n${logs.join('\n')}`, { cause: error })
  }
}

function becomes(phone: Phone, state: CallState): Promise<true> {
  const isThere = async () => (await phone.callState()) === state || undefined
  return waitFor(isThere, PATIENCE_MS, `${phone.user} to be ${state}`)
}
