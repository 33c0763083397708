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
import { type Cores, findCores } from './cores.ts'
import { compareByPairs, type Plan } from './pairs.ts'
import { reportCheck, say } from './report.ts'

const RUNS = 21
const MAX_RATIO = 1.45
const MAX_ZIP_BYTES = 1.5e6

/**
 * Measures a Lambda process from its start to its first token, with a stand-in STS, against Fastify and its adapter alone, both
 * on one core, as a function with 1.7 GB or less has it. Also computes the size of the deployed zip.
 */
export async function lambdaColdStart({ pairs = RUNS }: Plan): Promise<void> {
  const cores = await findCores()
  const environment = await startTestEnvironment()
  const [jeton, bare] = await Promise.all([deployFunction(), deployBare()])
  try {
    const zipBytes = await zipBytesOf(jeton.folder)
    reportCheck('the zip that Lambda gets', {
      isKept: zipBytes < MAX_ZIP_BYTES,
      figure: `${(zipBytes / 1e6).toFixed(2)} MB`,
    })
    await configure(jeton, environment)
    const event = await tokenEvent(environment)
    const start = (deployed: DeployedFunction) => () => coldStartMs(deployed, { event, environment, cores })
    const { ratio, shown, subject, base } = await compareByPairs(
      { subject: start(jeton), base: start(bare) },
      {
        pairs,
        onPair: (pair, number) =>
          say(`  pair ${number}: bare ${pair.base.toFixed(0)} ms, jeton ${pair.subject.toFixed(0)} ms`),
      },
    )
    reportCheck(
      `a cold start to the first token over Fastify and @fastify/aws-lambda alone, Node ${process.version}, at most ${MAX_RATIO} ×`,
      { isKept: ratio <= MAX_RATIO, figure: `${shown}, ${base.toFixed(0)} ms to ${subject.toFixed(0)}` },
    )
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
  { event, environment, cores }: { event: object; environment: TestEnvironment; cores: Cores },
): Promise<number> {
  const startedAt = performance.now()
  const lambda = await startLambda(deployed, {
    env: environment.serverEnv,
    node: [...cores.server, process.execPath],
    freezes: false,
  })
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
