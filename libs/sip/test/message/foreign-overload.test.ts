import { applyEdits, removeForeignOverload, scan } from '@siplb/sip'
import { expect, it } from 'vitest'
import { octets } from '../messages.ts'

function after(...vias: string[]): string[] {
  const head = ['SIP/2.0 200 OK', ...vias, 'From: <sip:a@b>;tag=1', 'To: <sip:c@d>;tag=2', 'Call-ID: i']
  const scanned = scan(octets(...head, 'CSeq: 1 INVITE', '', ''))
  if (scanned.kind !== 'response') throw new Error('not a response')
  const lines = applyEdits(scanned, removeForeignOverload(scanned)).toString('latin1').split('\r\n')
  expect(lines.slice(vias.length + 1)).toEqual([...head.slice(vias.length + 1), 'CSeq: 1 INVITE', '', ''])
  return lines.slice(1, vias.length + 1)
}

const top = 'Via: SIP/2.0/UDP lb;branch=z9hG4bK1;oc=20;oc-algo="loss";oc-seq=1.7'

it.each([
  {
    vias: [top, 'v: SIP/2.0/UDP a;oc=20;branch=z9hG4bK2;oc-algo="loss,rate" ; oc-validity = 500;OC-Seq=1.7;x'],
    left: [top, 'v: SIP/2.0/UDP a;branch=z9hG4bK2;x'],
  },
  { vias: [top, 'Via: SIP/2.0/UDP a;oc;oc-seq=1.0'], left: [top, 'Via: SIP/2.0/UDP a'] },
  {
    vias: [`${top} , SIP/2.0/UDP a;oc=5 , SIP/2.0/UDP b ;oc;oc-validity=0;y="oc=1"`],
    left: [`${top} , SIP/2.0/UDP a , SIP/2.0/UDP b;y="oc=1"`],
  },
])('feedback below the topmost Via goes, and no other octet: $vias', ({ vias, left }) => {
  expect(after(...vias)).toEqual(left)
})

it.each([
  [[top]],
  [[top, 'Via: SIP/2.0/UDP a;oc;oc-algo="loss,rate";branch=z9hG4bK2']],
  [[top, 'Via: SIP/2.0/UDP a;ocx=1;oc-sequence=1;y="oc=20"']],
  [[top, 'Via: no via;oc=20']],
])('nothing is changed where there is no feedback: %j', (vias) => {
  expect(after(...vias)).toEqual(vias)
})
