import { parentPort } from 'node:worker_threads'
import { listenUdp } from '@siplb/sip/transport'

const handlers = { onPacket: () => undefined, onError: () => undefined }
const { local } = await listenUdp({ address: '127.0.0.1', port: 0 }, handlers)
parentPort?.postMessage(local.port)
