import type { ProbeConfig, ResponseTime } from '@siplb/contracts'
import type { SipResponse } from '@siplb/sip'

/** A probe under way. Instants are monotonic milliseconds. */
export interface SentProbe {
  readonly method: 'OPTIONS' | 'INVITE'
  readonly branch: string
  readonly callId: string
  /** 1 for a scheduled probe, 2 and on for the quick repeats after a loss. */
  readonly attempt: number
  readonly sentAt: number
  readonly deadlineAt: number
  /** A first answer that was not the last word: 100 Trying of a proxy that asks somebody else. */
  readonly provisional?: Heard
  /** The datagram may never have left this host. */
  readonly isDoubtful?: boolean
}

type AliveCodes = ProbeConfig['aliveCodes']

interface Heard {
  readonly status: number
  readonly at: number
}

/** A finished probe, before it is known whether this process was late meanwhile. */
export interface Sample {
  readonly result: Omit<ResponseTime, 'proxy' | 'doubtful'>
  readonly isDoubtful: boolean
  readonly sentAt: number
  readonly endedAt: number
}

/** The branch has found the probe; Call-ID and CSeq have to be ours too, and the Via the only one (RFC 3261, 8.1.3.3). */
export function isAnswerTo(probe: SentProbe, response: SipResponse): boolean {
  const { callId, cseq, viaCount } = response
  return callId === probe.callId && cseq.number === 1 && cseq.method === probe.method && viaCount === 1
}

/**
 * Any final status that the operator counts as alive shows a living proxy, by default 503 too: whoever weighs judges by the
 * status. Any other is a loss that tells its status.
 */
export function onAnswer(probe: SentProbe, { status, at }: Heard, aliveCodes: AliveCodes): SentProbe | Sample {
  if (status < 200) return probe.provisional === undefined ? { ...probe, provisional: { status, at } } : probe
  if (!isAlive(probe, status, aliveCodes)) return ended(probe, at, { outcome: 'lost', status })
  return answered(probe, status, probe.provisional?.at ?? at, at)
}

// A 487 ends a canary call that rang and was cancelled: our own doing (RFC 3261, 15.1.2).
function isAlive({ method }: SentProbe, status: number, aliveCodes: AliveCodes): boolean {
  if (method === 'INVITE' && status === 487) return true
  return aliveCodes.some((code) => code === status || code === `${Math.floor(status / 100)}xx`)
}

/** For an INVITE as for OPTIONS, a provisional answer alone shows life too. */
export function onDeadline(probe: SentProbe, now: number): Sample {
  const { provisional } = probe
  if (provisional !== undefined) return answered(probe, provisional.status, provisional.at, now)
  return ended(probe, now, { outcome: 'lost' })
}

const refusals: readonly string[] = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']
const ownFaults: readonly string[] = [
  '',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOENT',
  'EACCES',
]

/**
 * No connection could be made, so the probe was never sent. A connection refused is news as a refused datagram is; one that
 * takes too long, or whose certificate does not verify, is a loss. What is rather a fault of this host is doubtful.
 */
export function onUnconnected(probe: SentProbe, code: string, now: number): Sample {
  const isDoubtful = ownFaults.includes(code)
  return ended({ ...probe, isDoubtful }, now, { outcome: refusals.includes(code) ? 'refused' : 'lost' })
}

export function onRefusal(probe: SentProbe, now: number): Sample {
  return ended(probe, now, { outcome: 'refused' })
}

// Response time is the proxy's own reaction, so the first answer counts, be it provisional.
function answered(probe: SentProbe, status: number, firstAt: number, now: number): Sample {
  const responseTimeMs = Math.max(0, firstAt - probe.sentAt)
  return ended(probe, now, { outcome: 'answered', responseTimeMs, status })
}

function ended(
  probe: SentProbe,
  endedAt: number,
  ending: Pick<Sample['result'], 'outcome' | 'responseTimeMs' | 'status'>,
): Sample {
  const { method, attempt, sentAt, isDoubtful = false } = probe
  return { result: { ...ending, method, attempt }, isDoubtful, sentAt, endedAt }
}
