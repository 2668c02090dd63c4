export interface RegistrarSettings {
  readonly address: string
  /** Of UDP and TCP. */
  readonly port: number
  readonly rpcPort: number
  readonly name: string
  /** The domain of its phones, and what they authenticate for. */
  readonly domain: string
  /** Of every account. */
  readonly password: string
  readonly tls: { readonly port: number; readonly certPath: string; readonly keyPath: string } | undefined
}

/**
 * A registrar and record-routing proxy of one domain: bindings in memory, REGISTER challenged (RFC 3261, 22), and Path
 * taken from phones that do not announce `Supported: path` too (RFC 3327; path_mode 1), as most do not. Behind a
 * balancer it reaches phones along Path alone. JSON-RPC as with the plain proxy.
 */
export function registrarConfig(settings: RegistrarSettings): string {
  const { address, port, rpcPort, name, domain, password, tls } = settings
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2              # HTTP shares the workers of SIP over TCP
listen=udp:${address}:${port}
listen=tcp:${address}:${port}
listen=tcp:${address}:${rpcPort}
tcp_accept_no_cl=yes        # for HTTP
auto_aliases=no
alias="${domain}"
server_header="Server: ${name}"
user_agent_header="User-Agent: ${name}"
${tls === undefined ? '' : `enable_tls=yes\nlisten=tls:${address}:${tls.port}\n`}
${tls === undefined ? '' : 'loadmodule "tls.so"\n'}${modules.map((module) => `loadmodule "${module}.so"`).join('\n')}

${tls === undefined ? '' : tlsParameters(tls)}
modparam("jsonrpcs", "transport", 1)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 1)
modparam("registrar", "gruu_enabled", 0)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && $rU == $null) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route() || (is_method("ACK") && t_check_trans())) t_relay();
    else if (!is_method("ACK")) sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("${domain}", "${password}", "0")) { www_challenge("${domain}", "1"); exit; }
    if (!save("location")) sl_reply_error();
    exit;
  }
  if (is_method("INVITE|SUBSCRIBE|REFER")) record_route();
  remove_hf("Route");       # one for us, of phones that know an outbound proxy
  if (uri != myself) { sl_send_reply("403", "Not Of This Domain"); exit; }
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}

event_route[xhttp:request] {
  if ($hu =~ "^/RPC") { jsonrpc_dispatch(); exit; }
}
`
}

// Of the base package alone; tls, where asked for, is in kamailio-tls-modules.
const modules = (
  'kex corex tm tmx sl pv maxfwd rr path textops siputils usrloc registrar auth ' + 'statistics xhttp jsonrpcs'
).split(' ')

const tlsParameters = ({ certPath, keyPath }: { certPath: string; keyPath: string }) =>
  `modparam("tls", "certificate", "${certPath}")
modparam("tls", "tls_method", "TLSv1.2+")  # with its default, Debian's 5.6.3 refuses every handshake
modparam("tls", "private_key", "${keyPath}")
`
