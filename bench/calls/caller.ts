import { createSocket, type Socket } from 'node:dgram'
import { setTimeout as sleep } from 'node:timers/promises'
import { CallLoad } from './call-load.ts'
import { endWithParent, tell, type LoadOrder } from './tool-messages.ts'

/**
 * The caller of the benchmark: begins calls at a steady rate from many source ports, each INVITE – 180 – 200 – ACK – BYE – 200.
 *
 *   node bench/calls/caller.ts
 */
const SOURCES = 128
const RECEIVE_BUFFER = 4 * 1024 * 1024
/** For the last calls to come to their end. */
const GRACE_MS = 4500

let load: CallLoad | undefined

function open(): Promise<Socket> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.bind(0, '127.0.0.1', () => {
      socket.setRecvBufferSize(RECEIVE_BUFFER)
      socket.on('message', (bytes) => load?.received(bytes, performance.now()))
      resolve(socket)
    })
  })
}

async function carryOut(order: LoadOrder, sockets: readonly Socket[], firstNumber: number): Promise<number> {
  const running = new CallLoad(sockets, order, firstNumber)
  load = running
  running.start()
  await sleep(order.warmUpS * 1000)
  running.count()
  tell({ kind: 'counting' })
  await sleep(order.seconds * 1000)
  running.stopCounting()
  tell({ kind: 'counted' })
  for (const end = performance.now() + GRACE_MS; running.open > 0 && performance.now() < end;) await sleep(20)
  tell(running.end())
  return running.nextNumber
}

endWithParent()
const sockets = await Promise.all(Array.from({ length: SOURCES }, open))
let work = Promise.resolve(1)
process.on('message', (order: LoadOrder) => {
  work = work.then((firstNumber) => carryOut(order, sockets, firstNumber))
})
tell({ kind: 'ready' })
