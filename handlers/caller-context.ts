import type { DoctorContext } from '../src/cli/doctor/examination.ts'
import type { CommandStreams, TextOutput } from '../src/cli/streams.ts'
import { systemClock } from '../src/lib/clock.ts'
import { outputStream } from './process-output.ts'

/** Returns what callers' commands use of this process. Its streams are opened when they are used, for that takes a while. */
export function createCallerContext(): DoctorContext {
  return {
    env: process.env,
    stdin: standardInput(),
    stdout: output('stdout'),
    stderr: output('stderr'),
    lookup: async host => (await import('node:dns/promises')).lookup(host),
    lookUpAll: async host => (await import('node:dns/promises')).lookup(host, { all: true }),
    clock: systemClock(),
  }
}

function standardInput(): CommandStreams['stdin'] {
  return {
    [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator](),
    get isTTY() {
      return process.stdin.isTTY
    },
  }
}

function output(name: 'stdout' | 'stderr'): TextOutput {
  return {
    write: text => outputStream(name).write(text),
    get isTTY() {
      return outputStream(name).isTTY
    },
    hasColors: () => outputStream(name).hasColors(),
  }
}
