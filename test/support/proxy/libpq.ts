import { dirname } from 'node:path'
import { run } from '../run.ts'
import type { LocalEndpoint } from './proxy-process.ts'

/** Who a program thinks it is: a proxy logs everybody in as whom the caller was granted. */
export const ANYBODY = 'anybody'

/** Returns the variables by which programs of libpq find a proxy. */
export function libpqEnv({ socket, port }: LocalEndpoint, database = 'orders'): Record<string, string> {
  return {
    PGHOST: socket === undefined ? '127.0.0.1' : dirname(socket),
    PGPORT: String(socket === undefined ? port : socket.split('.').at(-1)),
    PGUSER: ANYBODY,
    PGDATABASE: database,
  }
}

/** Returns the same as options of `pg`. */
export function pgOptions(endpoint: LocalEndpoint, database = 'orders') {
  const { PGHOST: host, PGPORT: port } = libpqEnv(endpoint)
  return { host, port: Number(port), user: ANYBODY, database }
}

/** Logs in with psql; returns the user, or what psql prints of why there is no login, without its own words about the socket. */
export async function logInWithPsql(endpoint: LocalEndpoint): Promise<string> {
  const { code, stdout, stderr } = await run('psql', ['-X', '-Atc', 'select current_user'], {
    env: libpqEnv(endpoint),
  })
  if (code === 0) return stdout.trim()
  const [, sentence = stderr] = /^psql: error: connection to server .*? failed: (.*)\n$/s.exec(stderr) ?? []
  return sentence
}
