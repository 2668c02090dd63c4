/** An option of a command: `--pool NAME`, or without a value a switch. */
export interface Option {
  readonly value?: string
  readonly short?: string
  readonly help: string
}

export const options = {
  pool: { value: 'NAME', help: 'the pool; may be left out where there is only one' },
  weight: { value: 'N', help: 'base weight, relative within the pool' },
  tier: { value: 'N', help: 'lower tiers are used while they can carry the traffic; default 1' },
  watch: { help: 'go on printing each change as it comes' },
  shadow: { help: 'beside it what the shadow of the pool would do, where it has one' },
  since: { value: 'TIME', help: 'from when on: 90s, 30m, 2h ago, or 2026-11-25T14:00:00Z; default 1h' },
  until: { value: 'TIME', help: 'up to when; default now' },
  policy: { value: 'NAME', help: 'another policy of the choice' },
  set: { value: 'PATH=VALUE', help: 'a setting over the file, such as weights.deadBand=0.1; may be repeated' },
  proxy: { value: 'PROXY', help: 'whose load it is: its id in the pool' },
  process: { value: 'NAME', help: 'the processes of this name, with all that they started' },
  pid: { value: 'N', help: 'this process, with all that it started' },
  'pid-file': { value: 'FILE', help: 'the process whose number stands there, with all that it started' },
  port: { value: 'PORT[,PORT]', help: 'UDP ports of the proxy, whose receive queues count; default 5060' },
  'interval-ms': { value: 'MS', help: 'how often to look; default 1000' },
  once: { help: 'print one look, tell nobody, and end' },
  'dry-run': { help: 'print what would be told, and tell nobody' },
  nats: { value: 'URL', help: 'where the bus is; else SIPLB_NATS__SERVERS, the configuration, nats://127.0.0.1:4222' },
  user: { value: 'NAME', help: 'user of the bus; else SIPLB_NATS__USER' },
  password: {
    value: 'TEXT',
    help: 'its password; else SIPLB_NATS__PASSWORD, or SIPLB_NATS__PASSWORD_FILE with a file name',
  },
  config: { value: 'FILE', help: 'take the address of the bus from this configuration; else SIPLB_CONFIG' },
  output: { value: 'table|json', short: 'o', help: 'for people or for programs; default table' },
  help: { short: 'h', help: 'print what can be said, and how' },
  version: { help: 'print the version' },
} as const satisfies Readonly<Record<string, Option>>

export type OptionName = keyof typeof options

/** Those that every command takes. */
export const globalOptions: readonly OptionName[] = ['nats', 'user', 'password', 'config', 'output', 'help', 'version']

/** The options that were given, as text; a switch is `'true'`, a repeated option a list. */
export type Given = Readonly<Partial<Record<OptionName, readonly string[]>>>
