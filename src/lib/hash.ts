import { hash } from 'node:crypto'

/** Lower-case hex SHA-256. Of a token, this is its fingerprint: what records and logs carry in its place. */
export function sha256Hex(text: string | Uint8Array): string {
  return hash('sha256', text, 'hex')
}
