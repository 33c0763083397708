import { type Jeton, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'
import type { Cores } from './cores.ts'

/** Longer than any benchmark. */
const JWT_SECONDS = 3600

/**
 * Runs its arguments with a true pipe for stdout, as containers do, where Node would give a socket. Of what comes through it, the
 * first line is passed on, and all else is read on the core of the load, whose command is the first argument.
 */
const WITH_READ_STDOUT = `
  load=$1 pipe=$2; shift 2
  mkfifo "$pipe"
  { IFS= read -r line; printf '%s\\n' "$line"; exec $load cat >/dev/null; } <"$pipe" &
  exec "$@" >"$pipe"`

/** A `jeton serve` on the server's core, and what is outside of it. */
export interface BenchedService {
  readonly jeton: Jeton
  readonly pid: number
  readonly environment: TestEnvironment
  /** Of a caller that has the grant for the database user `migrator` of `orders`. */
  readonly authorization: string
  close(): Promise<void>
}

export interface BenchedServiceOptions {
  readonly cores: Cores
  /** Replace those of the test environment. */
  readonly sections?: object
  /** Whether stdout is a pipe that is read on the core of the load. */
  readonly readsStdout?: boolean
  /** Options of Node, such as `--import=FILE`. */
  readonly nodeOptions?: readonly string[]
  /** Variables beside those of the test environment. */
  readonly env?: Readonly<Record<string, string>>
}

export async function startBenchedService({
  cores,
  sections,
  readsStdout = false,
  nodeOptions = [],
  env = {},
}: BenchedServiceOptions): Promise<BenchedService> {
  const environment = await startTestEnvironment()
  const pinned = [...cores.server, process.execPath, ...nodeOptions]
  const withReadStdout = ['sh', '-c', WITH_READ_STDOUT, 'sh', cores.load.join(' ')]
  const jeton = await startJeton({
    config: environment.config(sections),
    env: { ...environment.serverEnv, ...env },
    folder: environment.folder,
    node: readsStdout ? [...withReadStdout, `${environment.folder}/stdout`, ...pinned] : pinned,
  })
  const jwt = await environment.issuer.sign(CLAIMS, { expiresInSeconds: JWT_SECONDS })
  return {
    jeton,
    pid: jeton.process.pid ?? 0,
    environment,
    authorization: `Bearer ${jwt}`,
    async close() {
      await jeton.close()
      await environment.close()
    },
  }
}

/** Returns a load of vends from the cache, once there is a token in it, and the body of such a reply. */
export async function cachedVendLoad({ jeton, authorization }: BenchedService) {
  await jeton.requestToken(authorization, { database: 'orders' })
  const { body } = await jeton.requestToken(authorization, { database: 'orders' })
  const load = {
    url: `${jeton.url}/v1/tokens`,
    headers: { authorization, 'content-type': 'application/json' },
    body: '{"database":"orders"}',
    expected: '"cached":true',
  }
  return { load, replyBody: JSON.stringify(body) }
}
