import { numberText } from '../table-text.ts'
import type { AgentLoad } from './domain/agent-load.ts'

/** One look at a proxy, for people. */
export function loadText(proxy: string, { load, figures }: AgentLoad): string {
  const { processes, cpus, cpu, busy, memory, queue, queueBytes, drops } = figures
  return (
    `${proxy} load ${numberText(load, 2)}: CPU ${percent(cpu)} of ${numberText(cpus, 2)}, workers busy ${percent(busy)}, ` +
    `memory ${percent(memory)}, receive queue ${percent(queue)} (${queueBytes} octets, ${drops} lost); ${processes} processes`
  )
}

function percent(part: number): string {
  return `${numberText(part * 100)} %`
}
