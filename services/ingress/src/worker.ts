/** Which worker of which instance this process is, as its parent says. */
export interface WorkerPlace {
  readonly instance: string
  readonly worker: number
}

const VARIABLE = 'INGRESS_WORKER'

export function workerEnv({ instance, worker }: WorkerPlace, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, [VARIABLE]: `${worker} ${instance}` }
}

/** Undefined for a process that nobody made a worker. */
export function workerPlace(env: NodeJS.ProcessEnv, hasParent: boolean): WorkerPlace | undefined {
  const [, worker, instance] = /^(\d+) (\S+)$/.exec(env[VARIABLE] ?? '') ?? []
  return hasParent && instance !== undefined ? { instance, worker: Number(worker) } : undefined
}

/** As it is known on the bus: a slug of at most 32 characters, as different at its end as the instance is. */
export function workerName({ instance, worker }: WorkerPlace): string {
  const end = `-w${worker}`
  return `${instance.slice(-(32 - end.length)).replace(/^-+/, '')}${end}`
}
