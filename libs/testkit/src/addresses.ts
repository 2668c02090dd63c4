// One after another, from a place that depends on the process: test files run beside each other.
let taken = process.pid % 200

/** An address of this machine that nobody else in this process has: all of 127.0.0.0/8 is ours on Linux. */
export function ownAddress(): string {
  taken += 1
  return `127.0.${1 + (Math.floor(taken / 200) % 200)}.${11 + (taken % 200)}`
}
