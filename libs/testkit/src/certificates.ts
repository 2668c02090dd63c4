import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface CertificateOptions {
  /** Host names, `*.example.com` too, and addresses; the first is the subject. */
  readonly names: readonly [string, ...string[]]
  /** Who signs it; without one it is signed by itself, and may sign others. */
  readonly ca?: TestCertificate
}

/** A certificate and its key, in PEM, as text and as files for programs that want files. */
export interface TestCertificate extends AsyncDisposable {
  readonly cert: string
  readonly key: string
  readonly certPath: string
  readonly keyPath: string
  /** Removes the files. */
  remove(): Promise<void>
}

const run = promisify(execFile)

/** Made by the `openssl` program, good for a month. */
export async function makeCertificate({ names, ca }: CertificateOptions): Promise<TestCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-certificate-'))
  const config = join(folder, 'openssl.cnf')
  const certPath = join(folder, 'cert.pem')
  const keyPath = join(folder, 'key.pem')
  await writeFile(config, configOf(names, ca === undefined))
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyPath]
  const signer = ca === undefined ? [] : ['-CA', ca.certPath, '-CAkey', ca.keyPath]
  await run('openssl', ['req', '-x509', '-config', config, '-days', '30', ...key, ...signer, '-out', certPath])
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  const [certText, keyText] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')])
  return { cert: certText, key: keyText, certPath, keyPath, remove, [Symbol.asyncDispose]: remove }
}

const configOf = (names: readonly [string, ...string[]], isAuthority: boolean): string =>
  [
    '[req]',
    'prompt = no',
    'distinguished_name = subject',
    'x509_extensions = extensions',
    '[subject]',
    `CN = ${names[0]}`,
    '[extensions]',
    `basicConstraints = critical, CA:${isAuthority ? 'TRUE' : 'FALSE'}`,
    `subjectAltName = ${names.map((name) => `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`).join(', ')}`,
    '',
  ].join('\n')
