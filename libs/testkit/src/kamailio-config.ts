import { hostPort, type Address } from './sip/message.ts'

export interface KamailioSettings {
  readonly address: string
  readonly port: number
  readonly rpcPort: number
  /** In the `Server` header of what it answers itself. */
  readonly name: string
  /** Where requests outside dialogs go. */
  readonly next: Address
  readonly children: number
  readonly recordRoute: boolean
  /** Requests of dialogs that it knows nothing of, and OPTIONS to nobody, too. */
  readonly relaysAll: boolean
}

/**
 * A stateful, record-routing proxy before one next hop, with JSON-RPC at /RPC and Prometheus at /metrics on its TCP port.
 * OPTIONS to it is answered with its load. `$shv(delay)`, `$shv(refuse)` and `$shv(oc)` are set by RPC while it runs: microseconds
 * that every INVITE holds one of its processes, a status to refuse every INVITE with, and the percentage of requests that it
 * asks others to leave out, by overload control in its answers to OPTIONS that announce it (RFC 7339).
 */
export function kamailioConfig({
  address,
  port,
  rpcPort,
  name,
  next,
  children,
  recordRoute,
  relaysAll,
}: KamailioSettings): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=${children}
tcp_children=2              # HTTP shares the workers of SIP over TCP
listen=udp:${address}:${port}
listen=tcp:${address}:${rpcPort}
tcp_accept_no_cl=yes        # for HTTP
auto_aliases=no
alias="${name}.test"
server_header="Server: ${name}"
user_agent_header="User-Agent: ${name}"

${modules.map((module) => `loadmodule "${module}.so"`).join('\n')}

modparam("jsonrpcs", "transport", 1)
modparam("xhttp_prom", "xhttp_prom_stats", "all")
modparam("pv", "shvset", "delay=i:0")
modparam("pv", "shvset", "refuse=i:0")
modparam("pv", "shvset", "oc=i:0")

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && $rU == $null${relaysAll ? ' && false' : ''}) {
    if ($shv(oc) > 0) {
      subst('/^Via:(.*);oc;oc-algo="[a-z,]*"/Via:\\1;oc=$shv(oc);oc-algo="loss";oc-validity=3000;oc-seq=$TV(sn)/');
      msg_apply_changes();
    }
    append_to_reply("SIP-Load: active=$stat(active_transactions)\\r\\n");
    sl_send_reply("200", "OK");
    exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (${relaysAll ? 'has_totag() && is_method("ACK")' : 'has_totag()'}) {
    if (loose_route() || (is_method("ACK") && t_check_trans())) t_relay();
    else sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  if (is_method("INVITE") && $shv(delay) > 0) usleep("$shv(delay)");
  if (is_method("INVITE") && $shv(refuse) > 0) { sl_send_reply("$shv(refuse)", "Refused"); exit; }
${recordRoute ? '  if (is_method("INVITE")) record_route();\n' : ''}  $du = "sip:${hostPort(next)}";
  if (!t_relay()) sl_reply_error();
}

event_route[xhttp:request] {
  if ($hu =~ "^/RPC") { jsonrpc_dispatch(); exit; }
  if ($hu =~ "^/metrics") { prom_dispatch(); exit; }
}
`
}

// Of the base package alone.
const modules = (
  'kex corex tm tmx sl pv maxfwd rr textops textopsx siputils statistics ' + 'cfgutils xhttp jsonrpcs xhttp_prom'
).split(' ')
