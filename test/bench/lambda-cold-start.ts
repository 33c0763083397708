import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { build } from 'esbuild'
import { apiGatewayEvent } from '../support/lambda/events/events.ts'
import { type DeployedFunction, deployFunction, startLambda } from '../support/lambda/runtime.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'
import { median, reportCheck } from './report.ts'

const RUNS = 21
const MAX_RATIO = 1.4
const MAX_ZIP_BYTES = 1.5e6

/**
 * Measures a Lambda process from its start to its first token, with a stand-in STS, against Fastify and its adapter alone. The
 * two alternate, so that a machine that gets slower does so for both. Also computes the size of the deployed zip.
 */
export async function lambdaColdStart(): Promise<void> {
  const environment = await startTestEnvironment()
  const [jeton, bare] = await Promise.all([deployFunction(), deployBare()])
  try {
    const zipBytes = await zipBytesOf(jeton.folder)
    reportCheck('the zip that Lambda gets, without source maps', {
      isKept: zipBytes < MAX_ZIP_BYTES,
      figure: `${(zipBytes / 1e6).toFixed(2)} MB`,
    })
    await configure(jeton, environment)
    const event = await tokenEvent(environment)
    const times = { bare: [] as number[], jeton: [] as number[] }
    for (let run = 0; run < RUNS; run++) {
      times.bare.push(await coldStartMs(bare, { event, environment }))
      times.jeton.push(await coldStartMs(jeton, { event, environment }))
    }
    const [bareMs, jetonMs] = [median(times.bare), median(times.jeton)]
    reportCheck('a cold start to the first token, against Fastify and @fastify/aws-lambda alone', {
      isKept: jetonMs <= MAX_RATIO * bareMs,
      figure: `${(jetonMs / bareMs).toFixed(2)} times (${jetonMs.toFixed(0)} ms to ${bareMs.toFixed(0)} ms, medians of ${RUNS})`,
    })
  } finally {
    await Promise.all([jeton.remove(), bare.remove(), environment.close()])
  }
}

async function deployBare(): Promise<DeployedFunction> {
  const folder = await mkdtemp(join(tmpdir(), 'bare-lambda-'))
  await build({
    entryPoints: { index: fileURLToPath(new URL('./bare-lambda.ts', import.meta.url)) },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  })
  const deployed = await deployFunction(folder)
  await rm(folder, { recursive: true })
  return deployed
}

/** Writes the configuration as JSON; to parse YAML takes some milliseconds more. */
async function configure(jeton: DeployedFunction, { config, issuer }: TestEnvironment): Promise<void> {
  const issuers = { ci: { issuer: issuer.url, audience: 'jeton', jwksFile: 'keys.json' } }
  await jeton.put('keys.json', JSON.stringify(issuer.jwks()))
  await jeton.put('jeton.yaml', JSON.stringify(config({ issuers, audit: [{ type: 'stdout' }] })))
}

async function tokenEvent({ issuer }: TestEnvironment): Promise<object> {
  const jwt = await issuer.sign(CLAIMS)
  const headers = { authorization: `Bearer ${jwt}` }
  return apiGatewayEvent({ headers, body: '{"database":"orders"}' })
}

async function coldStartMs(
  deployed: DeployedFunction,
  { event, environment }: { event: object; environment: TestEnvironment },
): Promise<number> {
  const startedAt = performance.now()
  const lambda = await startLambda(deployed, { env: environment.serverEnv, freezes: false })
  try {
    const { statusCode, body } = await lambda.invoke(event)
    const durationMs = performance.now() - startedAt
    if (statusCode !== 200) throw new Error(body)
    return durationMs
  } finally {
    await lambda.close()
  }
}

/** Returns the size of a zip: two headers with the name for each file, and one end record. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
async function zipBytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  let bytes = 22
  for (const { name, parentPath } of entries.filter(entry => entry.isFile())) {
    const path = join(parentPath, name)
    const compressed = deflateRawSync(await readFile(path), { level: 9 })
    bytes += compressed.length + 30 + 46 + 2 * Buffer.byteLength(path.slice(folder.length + 1))
  }
  return bytes
}
