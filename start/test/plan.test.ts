import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StartOptions } from '../options.ts'
import { makePlan, neededPorts, serviceArguments } from '../plan.ts'

let home: string
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'siplb-plan-'))))
afterEach(() => rmSync(home, { recursive: true, force: true }))

function planOf(yaml: string, options: Partial<StartOptions> = {}) {
  const configFile = join(home, 'siplb.yaml')
  writeFileSync(configFile, yaml)
  const whole = { configFile, isDemo: false, settings: [], natsPort: undefined, ...options }
  return makePlan(whole, { XDG_STATE_HOME: home })
}

const onePool = 'pools: { default: {} }'

const twoProxies = `
ingress: { listen: ['udp://0.0.0.0:5060'] }
pools:
  default: { proxies: [{ id: px1, uri: 'sip:127.0.0.1:7001' }, { id: px2, uri: 'sip:127.0.0.1:7002;transport=udp' }] }
`

describe('the plan of a start', () => {
  it('gives each service its port of health, from http.port on', () => {
    expect(planOf(onePool).httpPorts).toEqual({ ingress: 9101, prober: 9102, weigher: 9103, location: 9104 })
    const plan = planOf(`http: { port: 7000 }\n${onePool}`)
    expect(serviceArguments(plan, 'weigher')).toContain('http.port=7002')
    expect(serviceArguments(planOf(`http: { port: 0 }\n${onePool}`), 'weigher')).toContain('http.port=0')
  })

  it('puts a sample proxy at the address of every proxy for a demo, the last one slow', () => {
    const plan = planOf(twoProxies, { isDemo: true })
    expect(plan.sampleProxies).toEqual([
      { id: 'px1', address: '127.0.0.1', port: 7001, delayMs: 5 },
      { id: 'px2', address: '127.0.0.1', port: 7002, delayMs: 60 },
    ])
    expect(plan.temporaryDir).toBe(plan.stateDir)
    rmSync(plan.stateDir, { recursive: true })
    expect(planOf(twoProxies).sampleProxies).toEqual([])
  })

  it('keeps what it learns in the state folder of the user, or where the configuration says', () => {
    expect(planOf(onePool).stateDir).toBe(join(home, 'siplb'))
    expect(planOf(`stateDir: /srv/siplb\n${onePool}`).stateDir).toBe('/srv/siplb')
  })

  it('names a cure for every port that may be taken', () => {
    const needed = neededPorts(planOf(twoProxies))
    expect(needed.map(({ transport, port }) => `${transport} ${port}`)).toEqual([
      'udp 5060',
      'tcp 9101',
      'tcp 9102',
      'tcp 9103',
      'tcp 9104',
    ])
    expect(needed[0]?.cure).toContain('--set ingress.listen=udp://0.0.0.0:5070')
    expect(needed[1]?.cure).toContain('--set http.port=0')
  })

  it('refuses what is wrong with the file or the settings', () => {
    expect(() => planOf('probe: { intervalMs: soon }')).toThrow(/siplb\.yaml:1:22: probe\.intervalMs: must be a/)
    expect(() => planOf('')).toThrow(/siplb\.yaml:1:1: pools: name at least one pool/)
    expect(() => planOf(onePool, { settings: ['nonsense'] })).toThrow('--set wants path=value')
    const byName = "pools: { default: { proxies: [{ id: a, uri: 'sip:px.example' }] } }"
    expect(() => planOf(byName, { isDemo: true })).toThrow('the uri of a wants an address and a port')
  })
})
