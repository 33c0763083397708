import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import { parseConfigText } from '../../src/config/yaml/parse-yaml.ts'
import { exampleIn } from '../support/markdown.ts'
import { type ProgramResult, run } from '../support/run.ts'
import { type Jeton, startJeton } from '../support/service/jeton.ts'
import {
  startTestEnvironment,
  type TestEnvironment,
  type TestEnvironmentOptions,
} from '../support/service/test-environment.ts'
import { createPathWithWrappers } from '../support/service/wrapper-scripts.ts'

export const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
/** The configuration example of README.md. */
export const configText = exampleIn(readme, 'configuration')

/** Runs a server with the README's configuration during all tests of a file. */
export function useReadmeServer(options: TestEnvironmentOptions) {
  let current: TestEnvironment
  let jeton: Jeton
  let callerEnv: Record<string, string>

  beforeAll(async () => {
    current = await startTestEnvironment(options)
    const { certPem, keyPem } = current.authority.issue(['127.0.0.1'])
    await writeFile(join(current.folder, 'server.pem'), certPem)
    await writeFile(join(current.folder, 'server-key.pem'), keyPem, { mode: 0o600 })
    await writeFile(join(current.folder, 'cluster-jwks.json'), JSON.stringify(current.issuer.jwks()))
    jeton = await startJeton({
      config: standInConfig(current),
      env: current.serverEnv,
      folder: current.folder,
      args: ['--host', '127.0.0.1'],
    })
    callerEnv = {
      PATH: await createPathWithWrappers(current),
      JETON_URL: jeton.url,
      NODE_EXTRA_CA_CERTS: current.caFile,
      CURL_CA_BUNDLE: current.caFile,
    }
  })
  afterAll(async () => {
    await jeton?.close()
    await current?.close()
  })

  return {
    environment: () => current,
    /** The environment of a caller: jeton's URL and the CA to trust. */
    callerEnv: () => callerEnv,
    /** Runs a shell script as a caller, in the stand-ins' folder. */
    shell: (script: string, env: Record<string, string>): Promise<ProgramResult> =>
      run('/bin/sh', ['-ec', `cd "$FOLDER"\n${script}`], {
        env: { ...callerEnv, FOLDER: current.folder, ...env },
      }),
  }
}

/** Returns the README's configuration, with stand-ins for GitHub and the database. */
export function standInConfig({ issuer, postgres }: TestEnvironment): ConfigFile {
  const config = parseConfigText(configText) as ConfigFile
  const { github } = config.issuers ?? {}
  const { orders } = config.databases
  if (!github || !orders)
    throw new Error('the configuration example lacks the issuer github or the database orders')
  github.issuer = issuer.url
  if (postgres) orders.connect = `127.0.0.1:${postgres.port}`
  return config
}
