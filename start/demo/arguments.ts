import type { Address } from '@siplb/testkit'

/** Prints the help, after what is wrong where something is, and ends the process. */
export function usage(help: string, problem?: unknown): never {
  if (problem === undefined) {
    process.stdout.write(`${help}\n`)
    process.exit(0)
  }
  process.stderr.write(`${problem instanceof Error ? problem.message : 'wrong usage'}\n\n${help}\n`)
  process.exit(2)
}

/** `udp://127.0.0.1:5070`, `udp://[::1]:5070` or `host:5060`. */
export function readAddress(text: string | undefined, option: string): Address {
  const match = /^(?:udp:\/\/)?(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text ?? '')
  const address = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (address === undefined || port > 65_535)
    throw new Error(`${option} wants an address and a port, such as 127.0.0.1:5060`)
  return { address, port }
}

/** The other way round. */
export function hostPort({ address, port }: Address): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

export function numberOf(text: string, option: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0)) throw new Error(`${option} wants a number, not "${text}"`)
  return value
}
