import { hostPort } from '../sip/message.ts'
import { aorOf, type PhoneOptions, type PhoneTransport } from './phone.ts'

// -1: any free port; 0: not at all.
const portOf = (transport: PhoneTransport, chosen: PhoneTransport) => (transport === chosen ? -1 : 0)

/**
 * The rc file of linphonec. It says what a file holds and hears nothing, so it needs no sound card. Over TLS it checks who
 * vouches for the server, and not its name: it does not read addresses in certificates (mbed TLS 2.28).
 */
export function linphoneConfig(options: PhoneOptions & { address: string }): string {
  const { user, domain, password, outbound, transport = 'udp', address, caPath, expiresSeconds = 60 } = options
  const via = `<sip:${hostPort(outbound)};transport=${transport}>`
  return `[sip]
sip_port=${portOf('udp', transport)}
sip_tcp_port=${portOf('tcp', transport)}
sip_tls_port=${portOf('tls', transport)}
bind_address=${address}
use_ipv6=0
guess_hostname=0
contact="${user}" <sip:${user}@${address}>
default_proxy=0
auto_net_state_mon=0
register_only_when_network_is_up=0
media_encryption=none
${caPath === undefined ? '' : `root_ca=${caPath}\nverify_server_cn=0\n`}
[rtp]
audio_rtp_port=-1

[auth_info_0]
username=${user}
passwd=${password}
realm=${domain}
domain=${domain}

[proxy_0]
reg_proxy=${via}
reg_route=${via}
reg_identity=${aorOf(options)}
reg_expires=${expiresSeconds}
reg_sendregister=1
publish=0
`
}
