import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * The PROTOS test suite c07-sip r2 of the University of Oulu: 4,527 INVITEs with one thing wrong each, and what tears each down.
 * It is under the GPL, so it lives outside of this project.
 */
const folder = process.env['SIPLB_PROTOS_DIR'] ?? ''
const archive = join(folder, 'c07-sip-r2-testcases.tar.xz')
export const isThere = folder !== '' && existsSync(archive)
export const CASES = 4_527

export interface Archive extends AsyncDisposable {
  /** The records of a case, tags and all: the INVITE, and what ends it. */
  read(number: number): Promise<readonly string[]>
}

export async function openArchive(): Promise<Archive> {
  const unpacked = await mkdtemp(join(tmpdir(), 'siplb-protos-'))
  await promisify(execFile)('tar', ['-xJf', archive, '-C', unpacked])
  return {
    read: async (number) =>
      records(await readFile(join(unpacked, 'testcases', String(number).padStart(7, '0')), 'latin1')),
    [Symbol.asyncDispose]: () => rm(unpacked, { recursive: true }),
  }
}

// Each is its length in decimal, a space, and so many octets.
function records(text: string): string[] {
  const found: string[] = []
  for (let at = 0; at < text.length;) {
    const start = text.indexOf(' ', at) + 1
    at = start + Number(text.slice(at, start - 1))
    found.push(text.slice(start, at))
  }
  return found
}

export interface Copy {
  readonly callId: string
  readonly branch: number
  readonly port: number
}

/** A case as it is sent: every copy a call of its own. */
export function filled(record: string, { callId, branch, port }: Copy, method = 'INVITE'): Buffer {
  const tags: Readonly<Record<string, string>> = {
    From: 'user@127.0.0.1',
    'From-Address': '127.0.0.1',
    'From-IP': '127.0.0.1',
    To: 'bob@example.com',
    'Local-Port': String(port),
    'Call-ID': callId,
    CSeq: '1',
    'Branch-ID': String(branch).padStart(6, '0'),
    'Teardown-Method': method,
  }
  const text = record.replaceAll(/<([A-Za-z-]+)>/g, (tag, name: string) => tags[name] ?? tag)
  const end = text.indexOf('\r\n\r\n')
  const length = end < 0 ? 0 : text.length - end - 4
  return Buffer.from(text.replaceAll('<Content-Length>', String(length)), 'latin1')
}
