import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { createRdsVerifier, type SignedEndpoint } from '../../src/dev/aws/rds-verifier.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import type { RealDatabase } from '../support/databases/database.ts'
import { startMariadb } from '../support/databases/mariadb.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { startPostgres } from '../support/databases/postgres.ts'
import { type ProgramResult, run } from '../support/run.ts'
import { CLI, startJeton } from '../support/service/jeton.ts'
import { startJetonFront } from '../support/service/jeton-front.ts'
import { CLAIMS, LEDGER, startTestEnvironment } from '../support/service/test-environment.ts'

// a program that could not renew its token, as on a busy machine, asks again after 10 s
vi.setConfig({ testTimeout: 90_000 })

/** So long that a token is due for renewal after a second, and can be vended for a minute. */
const SHORT_SESSION_MS = 361_000
const TOKEN_LIFETIME_MS = 15 * 60_000

/** A login that a database has checked. */
export interface CheckedLogin {
  readonly user: string
  readonly fingerprint: string
  readonly ok: boolean
}

/** What a recipe runs in: the command `jeton` with a server, and a real database under RDS's own name. */
export interface RecipeEnvironment {
  readonly folder: string
  /** The variables that programs get. */
  readonly env: Readonly<Record<string, string>>
  readonly database: RealDatabase
  /** All logins so far, oldest first. */
  readonly logins: CheckedLogin[]
  /** Writes a file to the folder, which programs run in; returns its path. */
  put(name: string, text: string, mode?: number): Promise<string>
  /** Runs a program in the folder. Never throws for its exit code. */
  run(file: string, args: readonly string[], options?: { input?: string }): Promise<ProgramResult>
  /** How many tokens the server has been asked for. */
  countRequests(): number
  /** From now on tokens last for their 15 minutes; until then they are due for renewal after a second. */
  useLongSessions(): void
  /** Until the test ends, the database refuses every token that was vended so far, as it does after their 15 minutes. */
  expireTokens(): void
  /** From now on the database refuses the tokens that anybody has logged in with so far, as if they had ended; newer ones it takes. */
  endTokensInUse(): void
  /** Resolves once jeton has a token that has not ended in this way. Never with long sessions. */
  waitForNewToken(): Promise<void>
  /** From now on tokens are accepted by the time of day again, before the test ends. */
  restoreClock(): void
  close(): Promise<void>
}

const START = { postgres: startPostgres, mariadb: startMariadb }

/** Starts `orders` (PostgreSQL) or `ledger` (MariaDB). Programs find it under RDS's name by libnss_wrapper. */
export async function startRecipeEnvironment(engine: 'postgres' | 'mariadb'): Promise<RecipeEnvironment> {
  const [name, facts, users] =
    engine === 'postgres'
      ? (['orders', ORDERS, ORDERS.users] as const)
      : (['ledger', LEDGER, ['app_rw']] as const)
  const environment = await startTestEnvironment()
  const { folder, sts, issuer, authority } = environment
  sts.faults.lifetimeMs = SHORT_SESSION_MS

  const logins: CheckedLogin[] = []
  const ended = new Set<string>()
  let aheadMs = 0
  let endpoint: SignedEndpoint = facts
  const database = await START[engine]({
    authority,
    // PgBouncer looks no name up that only libnss_wrapper knows
    hosts: [facts.host, '127.0.0.1'],
    users,
    database: name,
    check: async login => {
      const verify = createRdsVerifier({ endpoint, sts, now: () => Date.now() + aheadMs })
      const fingerprint = sha256Hex(login.token)
      const result = ended.has(fingerprint)
        ? { ok: false as const, reason: 'the token has ended' }
        : await verify(login)
      logins.push({ user: login.user, fingerprint, ok: result.ok })
      return result
    },
  })
  endpoint = { ...facts, port: database.port }

  const config = environment.config() as { databases: Record<string, object> }
  const jeton = await startJeton({
    config: {
      ...config,
      databases: { ...config.databases, [name]: { ...config.databases[name], port: database.port } },
    },
    env: environment.serverEnv,
    folder,
  })

  const put = async (file: string, text: string, mode = 0o600) => {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text, { mode })
    await chmod(join(folder, file), mode)
    return join(folder, file)
  }
  const front = await startJetonFront(jeton.url, authority.caPem)
  await put('jeton', `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, 0o755)
  const env = {
    PATH: `${folder}:${process.env.PATH}`,
    HOME: folder,
    JETON_URL: front.url,
    JETON_JWT: await issuer.sign({ sub: 'me', ...CLAIMS }),
    LD_PRELOAD: 'libnss_wrapper.so',
    NSS_WRAPPER_HOSTS: await put('hosts', `127.0.0.1 localhost ${facts.host}\n`),
    PYTHONDONTWRITEBYTECODE: '1',
  }

  const runHere: RecipeEnvironment['run'] = (file, args, options) =>
    run('sh', ['-c', 'cd "$0" && exec "$@"', folder, file, ...args], { env, ...options })

  return {
    folder,
    env,
    database,
    logins,
    put,
    run: runHere,
    countRequests: () => front.requests.length,
    useLongSessions() {
      sts.faults.lifetimeMs = undefined
    },
    expireTokens() {
      aheadMs = TOKEN_LIFETIME_MS
      // a test that takes too long does not get to it, and the next would be refused
      onTestFinished(() => {
        aheadMs = 0
      })
    },
    endTokensInUse() {
      for (const { fingerprint } of logins) ended.add(fingerprint)
    },
    async waitForNewToken() {
      while (ended.has(sha256Hex((await runHere('jeton', ['token', name])).stdout.trim())));
    },
    restoreClock() {
      aheadMs = 0
    },
    async close() {
      await front.close()
      await jeton.close()
      await database.close()
      await environment.close()
    },
  }
}
