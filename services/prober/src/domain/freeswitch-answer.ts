import { readHeaders } from './event-socket.ts'
import { unusable, type LoadAnswer } from './load-answer.ts'

/** What `api status` says: `3 session(s) - peak 8, …`, `1000 session(s) max`, `min idle cpu 0.00/98.50`. */
export function readStatus(text: string): LoadAnswer {
  let sessions: number | undefined
  let most: number | undefined
  let idle: number | undefined
  for (const line of text.split('\n')) {
    sessions ??= numberBefore(line, ' session(s) - peak')
    most ??= numberBefore(line, ' session(s) max')
    idle ??= line.startsWith('min idle cpu ') ? decimal(line.slice(line.indexOf('/') + 1)) : undefined
  }
  return ofFigures(sessions, most, idle, 'the answer to "api status" does not tell its sessions')
}

/** Of the event HEARTBEAT; undefined for any other event. */
export function readHeartbeat(body: string): LoadAnswer | undefined {
  const headers = readHeaders(body)
  if (headers.get('event-name') !== 'HEARTBEAT') return undefined
  const figure = (name: string) => decimal(headers.get(name) ?? '')
  const problem = 'the event HEARTBEAT does not tell Session-Count'
  return ofFigures(figure('session-count'), figure('max-sessions'), figure('idle-cpu'), problem)
}

// Sessions may be few and the processor busy, by transcoding or by other programs: what is fuller counts.
function ofFigures(
  active: number | undefined,
  most: number | undefined,
  idle: number | undefined,
  problem: string,
): LoadAnswer {
  if (active === undefined) return unusable(problem)
  const busy = idle === undefined ? undefined : Math.min(1, Math.max(0, (100 - idle) / 100))
  const details = { active, ...(busy === undefined ? {} : { 'cpu-busy': busy }) }
  const capacity = most === 0 ? undefined : most
  const report = { kind: 'active', active, capacity, details } as const
  return { kind: 'report', report: busy === undefined ? report : { ...report, atLeast: busy } }
}

function numberBefore(line: string, words: string): number | undefined {
  const at = line.indexOf(words)
  return at <= 0 ? undefined : decimal(line.slice(0, at))
}

function decimal(text: string): number | undefined {
  return /^\d{1,12}(\.\d{1,12})?$/.test(text.trim()) ? Number(text) : undefined
}
