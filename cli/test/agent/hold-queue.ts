// Takes a UDP port and reads what comes, until it hears "burn": then it works for so many milliseconds and reads nothing.
import { createSocket } from 'node:dgram'

const socket = createSocket('udp4')
socket.on('message', (message) => {
  const ms = Number(/^burn (\d+)/.exec(message.toString())?.[1] ?? 0)
  for (const end = performance.now() + ms; performance.now() < end;);
})
socket.bind(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'))
