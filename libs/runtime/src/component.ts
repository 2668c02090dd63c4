/** A part of a service that is started, drained and stopped with it. */
export interface Component {
  readonly name: string
  start?(): Promise<void> | void
  /** Takes nothing new and resolves when what is there is finished; cut short when the grace time is over. */
  drain?(): Promise<void> | void
  stop?(): Promise<void> | void
}
