import { run } from '../src/run.ts'

export interface Ran {
  readonly code: number
  readonly printed: string
  readonly remarks: string
}

/** Runs a command in this process, in an environment of its own. */
export async function ran(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const printed: string[] = []
  const remarks: string[] = []
  const code = await run(argv, {
    env,
    print: (text) => printed.push(text),
    remark: (text) => remarks.push(text),
    stopped: new AbortController().signal,
  })
  return { code, printed: printed.join('\n'), remarks: remarks.join('\n') }
}
