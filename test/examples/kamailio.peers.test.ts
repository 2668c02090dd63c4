import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '@siplb/children'
import { freePort, waitFor } from '@siplb/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'

const example = join(import.meta.dirname, '..', '..', 'examples', 'kamailio', 'kamailio.cfg')
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }
const folder = mkdtempSync(join(tmpdir(), 'siplb-example-'))
let stop: () => Promise<void>
let port: number
let http: string

beforeAll(async () => {
  port = await freePort('udp')
  const httpPort = await freePort('tcp')
  http = `http://127.0.0.1:${httpPort}`
  const config = readFileSync(example, 'utf8').replace('127.0.0.1:5060', `127.0.0.1:${port}`)
  const file = join(folder, 'kamailio.cfg')
  writeFileSync(file, config.replace('127.0.0.1:8080', `127.0.0.1:${httpPort}`))
  const args = ['-f', file, '-DD', '-E', '-m', '64', '-M', '8', '-Y', folder, '-P', join(folder, 'kamailio.pid')]
  const child = startChild('kamailio', args, { env })
  stop = async () => {
    child.kill('SIGTERM')
    await child.exited
  }
  const isUp = () =>
    fetch(`${http}/metrics`).then(
      ({ ok }) => ok,
      () => false,
    )
  await waitFor(isUp, 10_000, 'the Kamailio of the example')
})

afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Sends an OPTIONS as a probe is, and resolves with the answer. */
async function probe(viaParams: string): Promise<string> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port: from } = socket.address()
  const lines = [
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${from};branch=z9hG4bK${from};rport${viaParams}`,
    'Max-Forwards: 70',
    'From: <sip:siplb@localhost>;tag=1',
    `To: <sip:127.0.0.1:${port}>`,
    `Call-ID: ${from}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
  ]
  try {
    return await new Promise<string>((resolve, reject) => {
      setTimeout(() => reject(new Error('no answer to the probe')), 5000).unref()
      socket.on('message', (message) => resolve(message.toString()))
      socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1')
    })
  } finally {
    socket.close()
  }
}

it('is a configuration that Kamailio takes', async () => {
  expect(await startChild('kamailio', ['-c', '-f', example], { env }).exited).toBe(0)
})

it('tells its load in the answer to a probe, and asks for less only where that is obeyed', async () => {
  const plain = await probe('')
  expect(plain).toMatch(/^SIP\/2\.0 200 OK\r\n/)
  expect(plain).toMatch(/\r\nSIP-Load: active=\d+;capacity=200\r\n/)
  expect(plain).not.toMatch(/oc=/)
  expect(await probe(';oc;oc-algo="loss"')).toMatch(
    /\r\nVia: [^\r]*;oc=0;oc-algo="loss";oc-validity=2000;oc-seq=\d[\d.]*/,
  )
})

it('answers JSON-RPC and Prometheus', async () => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'stats.fetchn', params: ['tmx:active_transactions'] })
  const answer: unknown = await (await fetch(`${http}/RPC`, { method: 'POST', body })).json()
  expect(answer).toMatchObject({ result: { 'tmx.active_transactions': expect.any(Number) } })
  expect(await (await fetch(`${http}/metrics`)).text()).toMatch(/^kamailio_tmx_active_transactions\b/m)
})
