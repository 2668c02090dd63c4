import { parseVia, readOverload } from '@siplb/sip'
import { describe, expect, it } from 'vitest'

function read(params: string) {
  const text = `SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1${params}`
  const via = parseVia(Buffer.from(text, 'latin1'), 0, text.length)
  if (via === undefined) throw new Error(`no Via: ${text}`)
  return readOverload(via)
}

describe('overload control in a Via', () => {
  it.each([
    [';oc=30;oc-algo="loss";oc-validity=3000;oc-seq=1.7', ['loss', 30, 3000, 1.7]],
    [';oc-seq=1282321615.782;OC-Validity=60;OC=0;Oc-Algo="LOSS"', ['loss', 0, 60, 1_282_321_615.782]],
    [';oc=150;oc-algo="rate";oc-validity=1000;oc-seq=1.10', ['rate', 150, 1000, 1.1]],
    [' ; oc = 20 ; oc-algo = " loss " ; oc-seq = 1.0', ['loss', 20, 500, 1]],
    [';oc=100;oc-algo=loss;oc-validity=0;oc-seq=2.00001', ['loss', 100, 0, 2.00001]],
    [';oc=20', ['loss', 20, 500, 0]],
    [';oc=20;oc-validity;oc-seq=1.0', ['loss', 20, 500, 1]],
    [';oc=2000000;oc-algo="rate";oc-validity=2147483647;oc-seq=1.0', ['rate', 1_000_000, 3_600_000, 1]],
    [';oc=20;received=192.0.2.9;rport=7;oc-algo="loss";x="oc=99"', ['loss', 20, 500, 0]],
  ])('%s asks for %j', (params, [algorithm, value, validityMs, seq]) => {
    expect(read(params)).toEqual({ algorithm, value, validityMs, seq })
  })

  it.each(['', ';oc', ';oc;oc-algo="loss,rate"', ';oc-validity=500;oc-seq=1.7', ';ocx=20', ';oc-algo="rate"'])(
    '%j asks for nothing',
    (params) => {
      expect(read(params)).toBeUndefined()
    },
  )

  it.each([
    ';oc=101',
    ';oc=x',
    ';oc=-1',
    ';oc="20"',
    ';oc=1e1',
    ';oc=99999999999999999999',
    ';oc=20;oc=30',
    ';oc=20;oc-algo="loss,rate"',
    ';oc=20;oc-algo="window"',
    ';oc=20;oc-algo=""',
    ';oc=20;oc-algo',
    ';oc=20;oc-validity=-1',
    ';oc=20;oc-validity=1.5',
    ';oc=20;oc-seq=7',
    ';oc=20;oc-seq=.7',
    ';oc=20;oc-seq=1.',
    ';oc=20;oc-seq=1.2.3',
    ';oc=20;oc-seq=1.123456',
    ';oc=20;oc-seq=1234567890123.1',
    ';oc=20;oc-seq',
    ';oc=20;oc-seq=1.0;oc-seq=1.1',
  ])('%s is malformed', (params) => {
    expect(read(params)).toBe('malformed')
  })

  it('is not looked for in the Via values below', () => {
    const text = 'SIP/2.0/UDP h;branch=a, SIP/2.0/UDP i;branch=b;oc=20'
    const via = parseVia(Buffer.from(text), 0, text.length)
    expect(via && readOverload(via)).toBeUndefined()
  })
})
