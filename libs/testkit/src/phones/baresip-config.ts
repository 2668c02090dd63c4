import { hostPort } from '../sip/message.ts'
import { aorOf, type PhoneOptions } from './phone.ts'

export interface BaresipSettings extends PhoneOptions {
  readonly address: string
  readonly controlPort: number
}

/** Its file `config`: what it hears is what it says (aubridge), so it needs no sound card. */
export function baresipConfig({ address, caPath, controlPort }: BaresipSettings): string {
  return `sip_listen ${address}:0
${caPath === undefined ? '' : `sip_cafile ${caPath}\n`}module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${controlPort}
audio_player aubridge,${address}
audio_source aubridge,${address}
audio_alert aubridge,alert
`
}

/** Its file `accounts`. */
export function baresipAccount(settings: BaresipSettings): string {
  const { transport = 'udp', outbound, password, expiresSeconds = 60 } = settings
  const uri = `<${aorOf(settings)};transport=${transport}>`
  const route = `"sip:${hostPort(outbound)};transport=${transport}"`
  return `${uri};auth_pass=${password};outbound=${route};regint=${expiresSeconds};answermode=auto\n`
}
