import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Jeton, startJeton } from '../support/service/jeton.ts'
import { createFakeClock } from './fake-clock.ts'

/** One place in the fleet, with an audit log of its own, whatever process runs there now. */
export interface Instance {
  readonly name: string
  /** The server that runs now; undefined between a kill and the start of the next. */
  readonly server: Jeton | undefined
  /** When (ms) its clock was last set, or its process started. */
  readonly clockSetAt: number
  readonly hasSettableClock: boolean
  /** Its audit files, the oldest first. */
  readonly auditFiles: readonly string[]
  /** What the servers wrote on stderr so far, those that have ended too. */
  stderr(): string[]
  /** How servers have ended that nobody killed or stopped. */
  readonly unexpectedEnds: readonly string[]
  /** Kills the server with SIGKILL and starts another after `downMs`. */
  crash(downMs: number): Promise<void>
  /** Puts its clock ahead of true time; negative for behind. */
  setClock(seconds: number): Promise<void>
  /** Renames the audit file, as log rotation does. */
  rotate(): Promise<void>
  /** Replaces the configuration and sends SIGHUP; resolves when the server has logged what it makes of it. */
  reload(config: object): Promise<void>
  /** Ends the server with SIGTERM. Returns the hash of its last record. */
  stop(): Promise<string | undefined>
}

export interface InstanceOptions {
  name: string
  /** A folder of its own is made in it. */
  folder: string
  config: object
  env: Record<string, string>
}

/** Starts the first server of an instance. */
export async function startInstance({ name, folder, config, env }: InstanceOptions): Promise<Instance> {
  const home = join(folder, name)
  await mkdir(home)
  const auditFile = join(home, 'audit.jsonl')
  const clock = await createFakeClock(join(home, 'clock'))
  const servers: Jeton[] = []
  const rotated: string[] = []
  const unexpectedEnds: string[] = []
  const expected = new Set<Jeton>()
  let current: Jeton | undefined
  let clockSetAt = 0

  async function start(): Promise<void> {
    const server = await startJeton({ config, env: { ...env, ...clock.env }, folder: home })
    clockSetAt = Date.now()
    servers.push(server)
    current = server
    void server.ended.then(how => {
      if (current === server) current = undefined
      if (!expected.has(server)) unexpectedEnds.push(`${name} ended with ${how}: ${server.stderr.at(-1)}`)
    })
  }

  await start()
  return {
    name,
    auditFiles: rotated,
    unexpectedEnds,
    hasSettableClock: clock.isSettable,
    get server() {
      return current
    },
    get clockSetAt() {
      return clockSetAt
    },
    stderr: () => servers.flatMap(({ stderr }) => stderr),
    async crash(downMs) {
      if (current) {
        expected.add(current)
        current.process.kill('SIGKILL')
        await current.ended
      }
      await pause(downMs)
      await start()
    },
    async setClock(seconds) {
      clockSetAt = Date.now()
      await clock.set(seconds)
    },
    async rotate() {
      const name = `${auditFile}.${rotated.length + 1}`
      await rename(auditFile, name)
      rotated.push(name)
    },
    async reload(changed) {
      const server = current
      if (!server) return
      const logged = server.stderr.length
      await server.configure(changed)
      server.process.kill('SIGHUP')
      const isReloaded = () => server.stderr.slice(logged).some(line => line.includes('"configuration_'))
      for (let tries = 0; tries < 50 && !isReloaded(); tries++) await pause(100)
    },
    async stop() {
      rotated.push(auditFile)
      if (!current) return undefined
      const server = current
      expected.add(server)
      await server.close()
      const closed = server.stderr.findLast(line => line.includes('"audit_closed"'))
      return closed === undefined ? undefined : String(JSON.parse(closed).last)
    },
  }
}
