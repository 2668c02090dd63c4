import type { ClientSink, InviteServer, NonInviteServer, ServerSink, SipResponse, TimerName } from '@siplb/sip'

/** What all machines have. */
interface Machine {
  readonly state: string
  start(): void
}

/** Something that happens to a machine. */
export type Happening<M> = (machine: M) => void

/** What happens to a server transaction of either kind. */
export const onServer = {
  respond:
    (status: number): Happening<InviteServer | NonInviteServer> =>
    (tx) =>
      tx.respond(status, Buffer.from(`SIP/2.0 ${status} X`)),
  request: (tx: InviteServer | NonInviteServer): void => tx.request(),
  ack: (tx: InviteServer | NonInviteServer): void => tx.ack(),
  failure: (tx: InviteServer | NonInviteServer): void => tx.transportError(),
}

interface Asked {
  readonly what: string
  /** State of the machine at that moment. */
  readonly state: string | undefined
}

/** A sink that writes down what it is asked for, in short: `send:INVITE`, `set:A=500`, `clear:B`, `tell:180`, `timeout`, `ended`. */
class Records implements ClientSink, ServerSink {
  machine: Machine | undefined
  /** What is done, once, when it is asked for something. */
  readonly #reactions: Map<string, () => void>
  #asked: Asked[] = []

  constructor(reactions: ReadonlyMap<string, () => void>) {
    this.#reactions = new Map(reactions)
  }

  send(bytes: Buffer): void {
    this.#note(
      `send:${
        bytes
          .toString('latin1')
          .split(' ', 2)
          .join(' ')
          .replace(/^SIP\/2.0 /, '')
          .split(' ')[0]
      }`,
    )
  }

  setTimer(name: TimerName, ms: number): void {
    this.#note(`set:${name}=${ms}`)
  }

  clearTimer(name: TimerName): void {
    this.#note(`clear:${name}`)
  }

  response({ status }: SipResponse): void {
    this.#note(`tell:${status}`)
  }

  timeout(): void {
    this.#note('timeout')
  }

  transportFailed(): void {
    this.#note('transport-failed')
  }

  tryingDue(): void {
    this.#note('trying-due')
  }

  ackReceived(): void {
    this.#note('ack-received')
  }

  ended(): void {
    this.#note('ended')
  }

  /** Since the last look. A state in front of something says that the machine was not yet, or no more, where it is now. */
  takeRow(): string {
    const now = this.machine?.state
    const asked = this.#asked.map(({ what, state }) => (state === now ? what : `${state}>${what}`))
    this.#asked = []
    return [now, ...asked].join(' ')
  }

  #note(what: string): void {
    this.#asked.push({ what, state: this.machine?.state })
    const reaction = this.#reactions.get(what)
    this.#reactions.delete(what)
    reaction?.()
  }
}

/**
 * Takes a machine through what happens to it and says after each: the state, and what it asked for.
 *
 * @param reactions what happens when something is asked for, in the midst of it
 */
export function run<M extends Machine>(
  make: (sink: ClientSink & ServerSink) => M,
  happenings: readonly Happening<M>[],
  reactions: Readonly<Record<string, Happening<M>>> = {},
): string[] {
  const records = new Records(
    new Map(Object.entries(reactions).map(([what, react]) => [what, () => react(machine)] as const)),
  )
  const machine = make(records)
  records.machine = machine
  const rows = [(machine) => machine.start(), ...happenings] satisfies Happening<M>[]
  return rows.map((happen) => {
    happen(machine)
    return records.takeRow()
  })
}

/** A machine after what happened to it. */
export function after<M extends Machine>(
  make: (sink: ClientSink & ServerSink) => M,
  ...happenings: readonly Happening<M>[]
): M {
  const machine = make(new Records(new Map()))
  machine.start()
  for (const happen of happenings) happen(machine)
  return machine
}
