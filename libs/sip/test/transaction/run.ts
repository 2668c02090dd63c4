import type { Effect, Step } from '@siplb/sip'

/** Effects in short: `send:INVITE`, `set:A=500`, `clear:B`, `tell:180`, `timeout`, `ended`. */
function inShort(effect: Effect): string {
  switch (effect.kind) {
    case 'send':
      return `send:${
        effect.bytes
          .toString('latin1')
          .split(' ', 2)
          .join(' ')
          .replace(/^SIP\/2.0 /, '')
          .split(' ')[0]
      }`
    case 'set-timer':
      return `set:${effect.timer}=${effect.ms}`
    case 'clear-timer':
      return `clear:${effect.timer}`
    case 'response':
      return `tell:${effect.response.status}`
    default:
      return effect.kind
  }
}

/** Takes a machine through events and says after each: the state, and the effects in short. */
export function run<State extends { readonly state: string }, Event>(
  start: Step<State>,
  step: (state: State, event: Event) => Step<State>,
  events: readonly Event[],
): string[] {
  let [state, effects] = start
  const log = [row(state, effects)]
  for (const event of events) {
    ;[state, effects] = step(state, event)
    log.push(row(state, effects))
  }
  return log
}

function row(state: { readonly state: string }, effects: readonly Effect[]): string {
  return [state.state, ...effects.map(inShort)].join(' ')
}
