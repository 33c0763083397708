import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { ensureInstalled } from '../support/databases/install.ts'
import { startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment } from '../support/service/test-environment.ts'
import { cpuMicroseconds, type Load, loadWithWrk } from './load.ts'
import { median, reportCheck, say } from './report.ts'

const ROUNDS = 7
const SECONDS = 4
/** The most server CPU that a cached vend may cost, as a multiple of a bare Fastify route. */
const MAX_RATIO = 1.6

/** Measures the server CPU of a cached vend, including HTTP, the JWT and the audit record on disk, alternating with a bare route. */
export async function cachedVend(): Promise<void> {
  const [missing] = await ensureInstalled(['wrk'])
  if (missing) throw new Error(`cached-vend needs wrk: ${missing.reason}`)
  const environment = await startTestEnvironment()
  const jeton = await startJeton({
    config: environment.config(),
    env: environment.serverEnv,
    folder: environment.folder,
  })
  const authorization = `Bearer ${await environment.issuer.sign(CLAIMS, { expiresInSeconds: 3600 })}`
  await jeton.requestToken(authorization, { database: 'orders' })
  const constantBody = JSON.stringify((await jeton.requestToken(authorization, { database: 'orders' })).body)
  const bare = await startBare(environment.folder, constantBody)
  try {
    const load = { authorization, body: '{"database":"orders"}', seconds: SECONDS, expected: '"cached":true' }
    const jetonLoad = { pid: jeton.process.pid ?? 0, load: { ...load, url: `${jeton.url}/v1/tokens` } }
    const bareLoad = { pid: bare.pid, load: { ...load, url: `${bare.url}/v1/tokens` } }
    for (const { load } of [bareLoad, jetonLoad]) await loadWithWrk({ ...load, seconds: 2 })
    const ratios: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      const [bareMicros, vendMicros] = [
        await cpuMicrosecondsPerRequest(bareLoad),
        await cpuMicrosecondsPerRequest(jetonLoad),
      ]
      ratios.push(vendMicros / bareMicros)
      say(
        `  round ${round}: bare ${bareMicros.toFixed(1)} µs, cached vend ${vendMicros.toFixed(1)} µs, ratio ${(vendMicros / bareMicros).toFixed(2)}`,
      )
    }
    const figure = `${median(ratios).toFixed(2)} × the server CPU of a bare Fastify route (${constantBody.length} bytes, 64 connections)`
    reportCheck(`a cached vend, its record on disk, costs at most ${MAX_RATIO} ×`, {
      isKept: median(ratios) <= MAX_RATIO,
      figure,
    })
  } finally {
    bare.kill()
    await jeton.close()
    await environment.close()
  }
}

async function cpuMicrosecondsPerRequest({ pid, load }: { pid: number; load: Load }): Promise<number> {
  const before = await cpuMicroseconds(pid)
  const requests = await loadWithWrk(load)
  return ((await cpuMicroseconds(pid)) - before) / requests
}

async function startBare(folder: string, body: string) {
  const bodyFile = join(folder, 'constant.json')
  await writeFile(bodyFile, body)
  const outfile = fileURLToPath(new URL('../../dist/bench/bare-fastify.mjs', import.meta.url))
  const entry = fileURLToPath(new URL('./bare-fastify.ts', import.meta.url))
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  })
  const child = spawn(process.execPath, [outfile, bodyFile], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = await once(child.stdout.setEncoding('utf8'), 'data')
  return { pid: child.pid ?? 0, url: `http://127.0.0.1:${String(port).trim()}`, kill: () => child.kill() }
}
