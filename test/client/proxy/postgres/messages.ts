import {
  encodeMessage,
  FIRST_MESSAGE,
  int32,
  withLength,
} from '../../../../src/client/wire/postgres-messages.ts'

/** Far longer than what a database takes for a password. */
export const TOKEN = `orders.example.com:5432/?Action=connect&DBUser=app_rw&X-Amz-Security-Token=${'t'.repeat(1400)}`

export const latin1 = (text: string) => Buffer.from(text, 'latin1')
const message = (type: string, body: Buffer | string = '') => encodeMessage(type, Buffer.from(body as string))

export const SSL_REQUEST = withLength(int32(FIRST_MESSAGE.sslRequest))
export const GSSENC_REQUEST = withLength(int32(FIRST_MESSAGE.gssencRequest))
export const CANCEL_KEY = latin1('\0\0\x30\x39key!')
export const LONG_CANCEL_KEY = Buffer.concat([int32(7), Buffer.alloc(256, 0xfe)])
export const cancelRequest = (key: Buffer) => withLength(int32(FIRST_MESSAGE.cancelRequest), key)

/** A startup message of these texts, each of which is ended by a zero. */
export function startupMessage(texts: readonly string[], version: number = FIRST_MESSAGE.protocol3): Buffer {
  return withLength(int32(version), latin1([...texts, ''].map(text => `${text}\0`).join('')))
}
export const STARTUP = startupMessage(['user', 'grafana', 'database', 'orders'])

/** What a server may send. */
export const SERVER = {
  ok: message('R', int32(0)),
  clearText: message('R', int32(3)),
  md5: message('R', Buffer.concat([int32(5), latin1('salt')])),
  scram: message('R', Buffer.concat([int32(10), latin1('SCRAM-SHA-256\0\0')])),
  negotiate: message('v', Buffer.concat([int32(0), int32(0)])),
  notice: message('N', 'SNOTICE\0C00000\0Mhello\0\0'),
  setting: message('S', 'server_version\x0015.18\0'),
  key: message('K', CANCEL_KEY),
  longKey: message('K', LONG_CANCEL_KEY),
  ready: message('Z', 'I'),
  refusal: message('E', 'SFATAL\0VFATAL\0C28000\0MPAM authentication failed for user "app_rw"\0\0'),
  noDatabase: message('E', 'SFATAL\0VFATAL\0C3D000\0Mdatabase "x" does not exist\0\0'),
  ofToken: message('E', `SFATAL\0VFATAL\0C28P01\0Mno: ${TOKEN}\0\0`),
  noticeOfToken: message('N', `SNOTICE\0C00000\0M${TOKEN}\0\0`),
} as const

export const PASSWORD = message('p', `${TOKEN}\0`)
/** All that a client is sent of a plain login. */
export const LOGIN_REPLY = Buffer.concat([SERVER.ok, SERVER.setting, SERVER.key, SERVER.ready])

/** The fields of an ErrorResponse, by their letters. */
export function fieldsOf(response: Buffer): Record<string, string> {
  if (response[0] !== 0x45 || response.readInt32BE(1) !== response.length - 1)
    throw new Error(`no ErrorResponse: ${response.toString('latin1')}`)
  const fields = response.toString('utf8', 5).split('\0')
  return Object.fromEntries(fields.filter(Boolean).map(field => [field.slice(0, 1), field.slice(1)]))
}
