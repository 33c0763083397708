import { systemClock } from '../src/lib/clock.ts'
import { outputStream } from './process-output.ts'

/** Returns what callers' commands use of this process. Its streams are opened when they are used, for that takes a while. */
export function createCallerContext() {
  return {
    env: process.env,
    stdin: openedByUse(() => process.stdin),
    stdout: openedByUse(() => outputStream('stdout')),
    stderr: openedByUse(() => outputStream('stderr')),
    lookup: async (host: string) => (await import('node:dns/promises')).lookup(host),
    lookUpAll: async (host: string) => (await import('node:dns/promises')).lookup(host, { all: true }),
    clock: systemClock(),
  }
}

/** Returns what is in the place of a stream until one of its members is asked for. */
function openedByUse<Stream extends object>(open: () => Stream): Stream {
  return new Proxy({} as Stream, {
    get(_, name) {
      const stream = open()
      const member: unknown = Reflect.get(stream, name, stream)
      return typeof member === 'function' ? member.bind(stream) : member
    },
  })
}
