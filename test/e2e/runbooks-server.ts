import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { type ProgramResult, run } from '../support/run.ts'
import { type Jeton, startJeton } from '../support/service/jeton.ts'
import {
  CLAIMS,
  startTestEnvironment,
  type TestEnvironment,
  type TestEnvironmentOptions,
} from '../support/service/test-environment.ts'
import { createPathWithWrappers } from '../support/service/wrapper-scripts.ts'

export const runbooks = await readDocsPage('runbooks')
/** Returns an example of docs/runbooks.md as it is there. */
export const runbook = (name: string) => exampleIn(runbooks, name)

export interface RunbookConfig {
  apiKeys: Record<string, { sha256: string }>
  databases: Record<string, object>
  grants: { name: string }[]
}

/** Runs a server during all tests of a file, with an API key `nightly-report` that may be `app_ro` and `app_rw`. */
export function useRunbookServer({ sha256, ...options }: TestEnvironmentOptions & { sha256: string }) {
  let environment: TestEnvironment
  let jeton: Jeton
  let config: RunbookConfig
  let PATH: string
  const auditFile = () => join(environment.folder, 'audit.jsonl')

  beforeAll(async () => {
    environment = await startTestEnvironment(options)
    PATH = await createPathWithWrappers(environment)
    const principal = { issuer: 'apiKey', subject: 'nightly-report' }
    const base = environment.config() as RunbookConfig
    config = {
      ...base,
      apiKeys: { 'nightly-report': { sha256 } },
      grants: [
        ...base.grants,
        { name: 'orders-report', principal, database: 'orders', users: ['app_ro', 'app_rw'] } as {
          name: string
        },
      ],
    }
    jeton = await startJeton({ config, env: environment.serverEnv, folder: environment.folder })
  })
  afterAll(async () => {
    await jeton?.close()
    await environment?.close()
  })

  function runScript(script: string, env: Record<string, string> = {}): Promise<ProgramResult> {
    const facts = { LOG: auditFile(), JETON_CONFIG: jeton.configFile, JETON_URL: jeton.url }
    return run('/bin/sh', ['-ec', `cd "$FOLDER"\n${script}`], {
      env: { PATH, FOLDER: environment.folder, ...facts, ...env },
    })
  }

  const countReloads = async () =>
    (await readFile(auditFile(), 'utf8')).split('"jeton.audit.reloaded"').length - 1

  return {
    environment: () => environment,
    jeton: () => jeton,
    config: () => config,
    auditFile,
    /** Runs a shell script in the stand-ins' folder, with the variables that the page sets. */
    runScript,
    /** Runs an example with a folder of the stand-ins as the other disk, and expects that it ends well. Returns its stdout. */
    async shell(name: string, env: Record<string, string> = {}): Promise<string> {
      const script = runbook(name).replaceAll('/mnt/elsewhere', 'elsewhere')
      const { code, stdout, stderr } = await runScript(script, env)
      expect([name, code, stderr]).toEqual([name, 0, ''])
      return stdout.trim()
    },
    /** Replaces parts of the configuration, and waits until the server has it. */
    async reload(changes: Partial<RunbookConfig>): Promise<void> {
      const reloads = await countReloads()
      await jeton.configure({ ...config, ...changes })
      jeton.process.kill('SIGHUP')
      await expect.poll(countReloads, { timeout: 10_000 }).toBe(reloads + 1)
    },
    jwt: (claims: object = {}) => environment.issuer.sign({ ...CLAIMS, sub: 'deploy', ...claims }),
  }
}
