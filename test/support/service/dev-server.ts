import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { CLI } from './jeton.ts'

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
  const child = spawn(process.execPath, [cli, 'serve', '--dev', '--port', '0', ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', chunk => {
    stderr += chunk
  })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  await Promise.race([once(reader, 'line'), ended])
  const [first] = lines
  if (first === undefined) throw new Error(`it ended before it listened: ${stderr}`)
  const { url, jwt } = JSON.parse(first) as { url: string; jwt: Record<string, string> }

  return {
    url,
    jwt,
    process: child,
    records: () => lines.slice(1).map(line => JSON.parse(line)),
    stderr: () => stderr,
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
      child.kill('SIGTERM')
      await ended
    },
  }
}
