import { writeFile } from 'node:fs/promises'

const REALM = 'EXAMPLE.COM'
const AES256 = 18
/** Before 2038, which is as far as the format goes. */
const ENDS = 0x7fffffff

const int16 = (number: number) => Buffer.from([number >>> 8, number])
const int32 = (number: number) => Buffer.concat([int16(number >>> 16), int16(number)])
const counted = (bytes: string | Buffer) => Buffer.concat([int32(bytes.length), Buffer.from(bytes)])
const principal = (...names: string[]) =>
  Buffer.concat([int32(1), int32(names.length), counted(REALM), ...names.map(counted)])

/**
 * Writes a credentials cache with a ticket that no server takes, and returns the variables by which libpq finds it: with one,
 * libpq asks for GSSAPI before all else.
 * https://web.mit.edu/kerberos/krb5-latest/doc/formats/ccache_file_format.html
 */
export async function giveKerberosTicket(path: string): Promise<Record<string, string>> {
  const client = principal('ann')
  const key = Buffer.concat([int16(AES256), counted(Buffer.alloc(32, 'k'))])
  const times = [0, 0, ENDS, 0].map(int32)
  const flags = Buffer.concat([Buffer.from([0]), int32(0)])
  const [addresses, authorizations, secondTicket] = [int32(0), int32(0), counted('')]
  const ticket = Buffer.concat([
    ...[client, principal('krbtgt', REALM), key, ...times, flags],
    ...[addresses, authorizations, counted('a ticket'), secondTicket],
  ])
  // version 4, without a header
  await writeFile(path, Buffer.concat([Buffer.from([5, 4, 0, 0]), client, ticket]))
  return { KRB5CCNAME: `FILE:${path}`, KRB5_CONFIG: '/dev/null' }
}
