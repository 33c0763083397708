import type { ChildProcess } from 'node:child_process'
import { CLI } from './jeton.ts'
import { startProgram } from './started-program.ts'

export interface DevServerOptions {
  args?: readonly string[]
  /** The process's whole environment, besides PATH. */
  env?: Record<string, string>
  cwd: string
  cli?: string
}

/** A `jeton serve --dev` in a process of its own. */
export interface DevServer {
  readonly url: string
  /** Where its console is, if it is on. */
  readonly console: string | undefined
  /** Where JWTs are to be had, by the issuer's name. */
  readonly jwt: Record<string, string>
  readonly process: ChildProcess
  /** Returns all records so far. */
  records(): Record<string, unknown>[]
  /** Returns what it wrote to stderr so far. */
  stderr(): string
  /** Returns a JWT of an issuer, with these claims in place of its own if there are some. */
  jwtOf(issuer: string, claims?: object): Promise<string>
  /** `POST /v1/tokens`. */
  requestToken(
    authorization: string,
    body: object,
  ): Promise<{ status: number; body: Record<string, unknown> }>
  close(): Promise<void>
}

/** Starts it on a free port and waits until it listens. Rejects with its stderr if it ends before that. */
export async function startDevServer({
  args = [],
  env = {},
  cwd,
  cli = CLI,
}: DevServerOptions): Promise<DevServer> {
  const server = startProgram([process.execPath, cli, 'serve', '--dev', '--port', '0', ...args], {
    env,
    cwd,
    lastSignal: 'TERM',
  })
  const { stdout, stderr } = server
  const first = await server.until(() => stdout[0])
  const { url, console, jwt } = JSON.parse(first) as Pick<DevServer, 'url' | 'console' | 'jwt'>

  return {
    url,
    console,
    jwt,
    process: server.process,
    records: () => stdout.slice(1).map(line => JSON.parse(line)),
    stderr: () => stderr.map(line => `${line}\n`).join(''),
    async jwtOf(issuer, claims) {
      const body = claims && { method: 'POST', body: JSON.stringify(claims) }
      return (await (await fetch(jwt[issuer] ?? '', body)).text()).trim()
    },
    async requestToken(authorization, body) {
      const response = await fetch(`${url}/v1/tokens`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
    async close() {
      await server.stop()
    },
  }
}
