import { freePort, spawnService, waitFor, type ServiceProcess } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import type { Heard } from '../../../services/ingress/test/peer.ts'
import { judgeKept } from '../../fuzz/judge.ts'
import { nameOf } from '../../fuzz/plain.ts'
import { CASES, filled, folder, isThere, openArchive, type Archive } from './archive.ts'
import { Callee } from './callee.ts'
import { settledMb, settles } from './memory.ts'
import { openTcp, openUdp, type Sender } from './sender.ts'
import { wellMeantCall } from './well-meant-call.ts'

const BLOCK = 100
const ANSWERED_MS = 500
/** Those damage the body only, and the first nothing. */
const wellFormed = (number: number): boolean => number === 0 || number >= 2_428
const BOUND = 16_384
/** Valid calls as fast as the cases come, so that nothing but what is wrong with those is weighed. */
const WARM_UP = 1_500

async function ingress(pool: Callee): Promise<{ service: ServiceProcess; place: { address: string; port: number } }> {
  const port = await freePort('udp')
  const listen = [`udp://127.0.0.1:${port}`, `tcp://127.0.0.1:${port}`]
  const pools = { default: { proxies: [{ id: 'px1', uri: pool.uri }] } }
  const config = { nats: { servers: ['nats://127.0.0.1:1'] }, http: { port: 0 }, ingress: { listen }, pools }
  const service = await spawnService('ingress', { config, env: { NODE_OPTIONS: settles } })
  return { service, place: { address: '127.0.0.1', port } }
}

let branches = 100_000

interface Sent {
  readonly number: number
  readonly bytes: Buffer
}

/** One case as a call of its own, then what tears it down. */
async function sendCase(
  archive: Archive,
  { number, callId }: { readonly number: number; readonly callId: string },
  sender: Sender,
  sent: Map<string, Sent>,
): Promise<void> {
  const [invite = '', teardown = ''] = await archive.read(number)
  const copy = { callId, branch: branches++, port: sender.port }
  const bytes = filled(invite, copy)
  sent.set(copy.callId, { number, bytes })
  await sender.sendCase([bytes, filled(teardown, copy, 'CANCEL'), filled(teardown, copy, 'ACK')])
}

/** The best of three: the machine has other things to do as well. */
async function answeredMs(sender: Sender): Promise<number> {
  let best = await wellMeantCall(sender)
  for (let again = 0; best > ANSWERED_MS && again < 2; again++) best = Math.min(best, await wellMeantCall(sender))
  return best
}

async function metric({ httpPort }: ServiceProcess, start: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(start))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Each lives on for 64*T1 and what follows. */
async function transactionsEnded(service: ServiceProcess): Promise<void> {
  await waitFor(async () => (await metric(service, 'siplb_transactions')) < 10, 150_000, 'the transactions to end')
}

/** What went on is what came, octet for octet, with nothing mended. */
function judgeForwarded({ bytes }: Sent, heard: Heard): void {
  const end = bytes.indexOf('\r\n\r\n') + 4
  const body = Buffer.from(heard.body, 'latin1')
  expect(bytes.subarray(end, end + body.length).equals(body)).toBe(true)
  const ours = heard.lines.filter((line) => /^(Via|Record-Route): .*127\.0\.0\.1/.test(line))
  const added = [ours.find((line) => line.startsWith('Via')) ?? '', ...ours.filter((line) => line.startsWith('Record'))]
  const isChanged = (line: string) => ['via', 'max-forwards'].includes(nameOf(line))
  judgeKept(bytes.subarray(0, end + body.length), heard.bytes, added, isChanged)
  expect(heard.one('CSeq')).toMatch(/^\d{1,10}\s+INVITE$/)
  expect(Number(heard.one('Max-Forwards'))).toBeLessThan(255)
}

describe.skipIf(!isThere)('the 4,527 INVITEs of PROTOS', () => {
  it.each([
    { transport: 'UDP', open: openUdp },
    { transport: 'TCP', open: openTcp },
  ])(
    'by $transport: it lives, takes calls between them, and has its memory back',
    { timeout: 400_000 },
    async ({ open }) => {
      await using stack = new AsyncDisposableStack()
      const archive = stack.use(await openArchive())
      const callee = stack.use(await Callee.open())
      const { service, place } = await ingress(callee)
      stack.use(service)
      const sender = stack.use(await open(place))
      for (let i = 0; i < WARM_UP; i++) await sendCase(archive, { number: 0, callId: `valid${i}` }, sender, new Map())
      await transactionsEnded(service)
      const before = await settledMb(service.pid)
      const h = async () =>
        `heap ${(await metric(service, 'nodejs_heap_size_used_bytes')) / 1e6} ${(await metric(service, 'nodejs_heap_size_total_bytes')) / 1e6} ext ${(await metric(service, 'nodejs_external_memory_bytes')) / 1e6}`
      console.log(before, await h())
      const sent = new Map<string, Sent>()
      let slowest = 0
      for (let first = 0; first < CASES; first += BLOCK) {
        for (let number = first; number < Math.min(CASES, first + BLOCK); number++)
          await sendCase(archive, { number, callId: `case${number}` }, sender, sent)
        const ms = await answeredMs(sender)
        expect(ms, `after case ${first + BLOCK - 1}`).toBeLessThanOrEqual(ANSWERED_MS)
        slowest = Math.max(slowest, ms)
      }
      const heardOf = (callId: string) => callee.invites.get(`${callId}@127.0.0.1`)
      const meant = [...sent].filter(([, { number, bytes }]) => wellFormed(number) && bytes.length <= BOUND)
      const lost = () => meant.filter(([callId]) => heardOf(callId) === undefined).map(([callId]) => callId)
      await expect.poll(lost, { timeout: 10_000 }).toEqual([])
      const forwarded = [...sent].flatMap(([callId, one]) => {
        const heard = heardOf(callId)
        return heard === undefined ? [] : [{ ...one, heard }]
      })
      for (const one of forwarded) judgeForwarded(one, one.heard)
      expect(await metric(service, 'siplb_sip_dropped_total{reason="error"')).toBe(0)
      expect(service.log().filter(({ level }) => Number(level) >= 50)).toEqual([])
      await transactionsEnded(service)
      let after = await settledMb(service.pid)
      for (let again = 0; after > before * 1.1 && again < 10; again++) after = await settledMb(service.pid)
      console.log(await h())
      console.log(
        `PROTOS ${sender.transport}: ${forwarded.length} of ${CASES} forwarded, slowest call ${slowest.toFixed(0)} ms, PSS ${before.toFixed(1)} then ${after.toFixed(1)} MB`,
      )
      expect(after).toBeLessThan(before * 1.1)
    },
  )
})

it.runIf(!isThere)(`PROTOS is left out: it is not at ${folder}, and SIPLB_PROTOS_DIR names no other place`, () => {})
