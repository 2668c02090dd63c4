/** The part of the `sip` package (0.0.6, no types of its own) that we use: printing. */
declare module 'sip' {
  export interface PrintedMessage {
    method: string
    uri: string
    version: string
    headers: Record<string, unknown>
    content: string
  }
  export function stringify(message: PrintedMessage): string
}
