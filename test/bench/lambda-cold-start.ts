import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { build } from 'esbuild'
import { apiGatewayEvent } from '../support/lambda/events/events.ts'
import { deploy, type Package, startLambda } from '../support/lambda/runtime.ts'
import { type Stage, setStage } from '../support/service/scenario.ts'
import { judged, median } from './report.ts'

const RUNS = 21
const MOST_TIMES = 1.4
const MOST_ZIP_BYTES = 1.5e6

/**
 * The start of a process on Lambda to its first token, STS beside it, against Fastify and its adapter alone: by turns, so
 * that a machine that gets slower does so for both. What is deployed is zipped as any zip would.
 */
export async function lambdaColdStart(): Promise<void> {
  const stage = await setStage()
  const [jeton, bare] = await Promise.all([deploy(), deployBare()])
  try {
    const zipBytes = await zipBytesOf(jeton.folder)
    judged('the zip that Lambda gets, without source maps', {
      isKept: zipBytes < MOST_ZIP_BYTES,
      figure: `${(zipBytes / 1e6).toFixed(2)} MB`,
    })
    await configure(jeton, stage)
    const event = await tokenEvent(stage)
    const times = { bare: [] as number[], jeton: [] as number[] }
    for (let run = 0; run < RUNS; run++) {
      times.bare.push(await coldStartMs(bare, { event, stage }))
      times.jeton.push(await coldStartMs(jeton, { event, stage }))
    }
    const [bareMs, jetonMs] = [median(times.bare), median(times.jeton)]
    judged('a cold start to the first token, against Fastify and @fastify/aws-lambda alone', {
      isKept: jetonMs <= MOST_TIMES * bareMs,
      figure: `${(jetonMs / bareMs).toFixed(2)} times (${jetonMs.toFixed(0)} ms to ${bareMs.toFixed(0)} ms, medians of ${RUNS})`,
    })
  } finally {
    await Promise.all([jeton.remove(), bare.remove(), stage.close()])
  }
}

async function deployBare(): Promise<Package> {
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
  const deployed = await deploy(folder)
  await rm(folder, { recursive: true })
  return deployed
}

/** As a machine would write it; in YAML it takes some milliseconds more. */
async function configure(jeton: Package, { config, issuer }: Stage): Promise<void> {
  const issuers = { ci: { issuer: issuer.url, audience: 'jeton', jwksFile: 'keys.json' } }
  await jeton.put('keys.json', JSON.stringify(issuer.jwks()))
  await jeton.put('jeton.yaml', JSON.stringify(config({ issuers, audit: [{ type: 'stdout' }] })))
}

async function tokenEvent({ issuer }: Stage): Promise<object> {
  const jwt = await issuer.sign({ repository: 'acme/orders', ref: 'refs/heads/main' })
  const headers = { authorization: `Bearer ${jwt}` }
  return apiGatewayEvent({ headers, body: '{"database":"orders"}' })
}

async function coldStartMs(
  deployed: Package,
  { event, stage }: { event: object; stage: Stage },
): Promise<number> {
  const startedAt = performance.now()
  const lambda = await startLambda(deployed, { env: stage.env, freezes: false })
  try {
    const { statusCode, body } = await lambda.invoke(event)
    const tookMs = performance.now() - startedAt
    if (statusCode !== 200) throw new Error(body)
    return tookMs
  } finally {
    await lambda.close()
  }
}

/** https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT: for each file two headers with its name, and one end. */
async function zipBytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  let bytes = 22
  for (const { name, parentPath } of entries.filter(entry => entry.isFile())) {
    const path = join(parentPath, name)
    const packed = deflateRawSync(await readFile(path), { level: 9 })
    bytes += packed.length + 30 + 46 + 2 * Buffer.byteLength(path.slice(folder.length + 1))
  }
  return bytes
}
