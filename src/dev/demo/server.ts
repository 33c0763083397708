import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { PrivateFolder } from '../private-folder.ts'

export interface DemoServerOptions {
  /** The path of the command line. */
  cli: string
  configFile: string
  /** Its whole environment. */
  env: Record<string, string>
  /** Ends it if this process cannot. */
  folder: PrivateFolder
}

/** A `jeton serve` in a process of its own. */
export interface DemoServer {
  readonly url: string
  readonly ended: Promise<unknown>
  /** `POST /v1/tokens` with a JWT. */
  requestToken(jwt: string): Promise<{ status: number; body: Record<string, unknown> }>
  /** Ends it and waits until it is gone. */
  close(): Promise<void>
}

/** Starts the server on a free port and waits until it listens. Rejects with what it logged if it ends before that. */
export async function startDemoServer({
  cli,
  configFile,
  env,
  folder,
}: DemoServerOptions): Promise<DemoServer> {
  const args = [cli, 'serve', '--config', configFile, '--port', '0']
  // in a group of its own: Ctrl-C must end the demo alone, which then ends the server
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  folder.killOnExit(child, 'TERM')
  const ended = once(child, 'close')
  let log = ''
  child.stderr.setEncoding('utf8').on('data', chunk => {
    log = (log + chunk).slice(-4000)
  })
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), ended.then(() => undefined)])
  if (first === undefined) throw new Error(`the server ended before it listened: ${log.trim()}`)
  const { url } = JSON.parse(String(first[0])) as { url: string }
  return {
    url,
    ended,
    async requestToken(jwt) {
      const response = await fetch(`${url}/v1/tokens`, {
        method: 'POST',
        headers: { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' },
        body: JSON.stringify({ database: 'orders' }),
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
    async close() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
