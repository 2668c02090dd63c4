import { z } from 'zod'

const file = z.string().min(1).max(4096)

const certificate = {
  cert: file.describe('File of the certificate chain, PEM.'),
  key: file.describe('File of its private key, PEM.'),
}

/** TLS towards callers (`tls`, `wss`) and towards proxies. All files are read again when they change. */
export const tlsConfig = z
  .strictObject({
    cert: certificate.cert.optional(),
    key: certificate.key.optional(),
    servers: z
      .record(z.string().min(1).max(253), z.strictObject(certificate))
      .default({})
      .describe('Further certificates, by the host name that a caller asks for (SNI).'),
    ca: file.optional().describe('Who may have signed certificates of callers, PEM; default: the authorities of Node.'),
    requireClientCert: z.boolean().default(false).describe('Take only callers that show a certificate signed by `ca`.'),
    proxyCa: file
      .optional()
      .describe('Who may have signed certificates of proxies, PEM; default: the authorities of Node.'),
    verifyProxies: z.boolean().default(true).describe('Send only to proxies whose certificate verifies.'),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    error: 'cert and key belong together: give both',
  })

export type TlsConfig = z.infer<typeof tlsConfig>
