import { expect, it } from 'vitest'
import { cgroupPaths, parseLimits, tightest } from '../../src/agent/domain/cgroup.ts'
import { parseBusyMs, parseStat } from '../../src/agent/domain/process-stat.ts'
import { parseAvailableBytes, parseStatus } from '../../src/agent/domain/process-status.ts'
import { isNamed, treeOf } from '../../src/agent/domain/process-tree.ts'
import { parseUdpSockets } from '../../src/agent/domain/udp-sockets.ts'

const stat = (pid: number, comm: string, parent: number) =>
  `${pid} (${comm}) R ${parent} 8321 5168 0 -1 4194560 3734 0 8 0 102 3 0 0 20 0 7 0 225671 1441710080 14158 0`

it('reads a process from its stat, whatever its name is', () => {
  const read = { pid: 8324, parent: 8321, cpuMs: 1050, startedTicks: 225_671 }
  expect(parseStat(stat(8324, 'MainThread', 8321))).toEqual({ ...read, comm: 'MainThread' })
  expect(parseStat(stat(8324, 'a) R 1 (b', 8321))).toEqual({ ...read, comm: 'a) R 1 (b' })
  expect(parseStat('')).toBeUndefined()
  expect(parseStat('8324 (cut off) R 1')).toBeUndefined()
})

it('counts the wait for a CPU as busy', () => {
  expect(parseBusyMs('1060000000 40000000 13\n')).toBe(1100)
  expect(parseBusyMs('')).toBeUndefined()
})

it('finds the processes of a name with all that they started, by what the kernel keeps of the name', () => {
  const all = [stat(3, 'sh', 2), stat(2, 'kamailio', 1), stat(4, 'sh', 3), stat(5, 'other', 1), stat(6, 'kamailio', 2)]
  const stats = all.flatMap((text) => parseStat(text) ?? [])
  expect(treeOf(stats, (one) => isNamed(one, 'kamailio')).map(({ pid }) => pid)).toEqual([2, 6, 3, 4])
  expect(stats.filter((one) => isNamed({ ...one, comm: 'a-very-long-nam' }, 'a-very-long-name'))).toHaveLength(5)
})

it('reads memory and CPUs from a status', () => {
  const status =
    'Name:\tcat\nRssAnon:\t     168 kB\nRssFile:\t    1972 kB\nRssShmem:\t      64 kB\nCpus_allowed_list:\t0-3,8\n'
  expect(parseStatus(status)).toEqual({ anonymousBytes: 172_032, sharedBytes: 65_536, cpusAllowed: 5 })
  expect(parseStatus('Name:\tkthreadd\n')).toEqual({ anonymousBytes: 0, sharedBytes: 0, cpusAllowed: 1 })
  expect(parseAvailableBytes('MemTotal:  24684092 kB\nMemAvailable:   1024 kB\n')).toBe(1_048_576)
})

it('reads queues and losses of the sockets of a port', () => {
  const text = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            
12315: 00000000:B47D 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 18350 2 00000000b6a08f33 0         
13887: 0100007F:BAA1 00000000:0000 07 00000000:00033C00 00:00000000 00000000     0        0 18349 2 00000000222040cc 108       
`
  expect(parseUdpSockets(text, new Set([47_777]))).toEqual([
    { port: 47_777, queueBytes: 211_968, inode: '18349', drops: 108 },
  ])
  expect(parseUdpSockets('', new Set([47_777]))).toEqual([])
})

it('takes the tightest limits of a control group and those above it', () => {
  expect(cgroupPaths('4:memory:/x\n0::/system.slice/kamailio.service\n')).toEqual([
    '/system.slice/kamailio.service',
    '/system.slice',
    '/',
  ])
  expect(cgroupPaths('0::/../other')).toEqual([])
  const none = { cpuMax: '', memoryMax: '', memoryCurrent: '', memoryStat: '' }
  const unlimited = parseLimits({ ...none, cpuMax: 'max 100000\n', memoryMax: 'max\n', memoryCurrent: '5\n' })
  expect(unlimited).toEqual({ cpus: undefined, memory: undefined })
  const memory = { memoryMax: '1000\n', memoryCurrent: '900\n', memoryStat: 'anon 1\ninactive_file 300\n' }
  expect(
    tightest([parseLimits({ ...none, ...memory }), parseLimits({ ...none, cpuMax: '150000 100000\n' }), unlimited]),
  ).toEqual({ cpus: 1.5, memory: { usedBytes: 600, limitBytes: 1000 } })
})
