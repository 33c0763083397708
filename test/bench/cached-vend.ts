import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { ensureInstalled } from '../support/databases/install.ts'
import { startJeton } from '../support/service/jeton.ts'
import { setStage } from '../support/service/scenario.ts'
import { cpuMicroseconds, type Load, saturate } from './load.ts'
import { judged, median, say } from './report.ts'

const ROUNDS = 7
const SECONDS = 4
const CLAIMS = { repository: 'acme/orders', ref: 'refs/heads/main' }
/** What a cached vend may cost at the most, in server CPU, with its record in a file: times a bare Fastify route. */
const PROMISE = 1.6

/** The price of a cached vend, over HTTP, JWT and audit record on disk included, in turns with a bare route. */
export async function cachedVend(): Promise<void> {
  const [missing] = await ensureInstalled(['wrk'])
  if (missing) throw new Error(`cached-vend cannot run: wrk: ${missing.reason}`)
  const stage = await setStage()
  const jeton = await startJeton({ config: stage.config(), env: stage.env, folder: stage.folder })
  const authorization = `Bearer ${await stage.issuer.sign(CLAIMS, { expiresInSeconds: 3600 })}`
  await jeton.ask(authorization, { database: 'orders' })
  const constant = JSON.stringify((await jeton.ask(authorization, { database: 'orders' })).body)
  const bare = await startBare(stage.folder, constant)
  try {
    const load = { authorization, body: '{"database":"orders"}', seconds: SECONDS, wanted: '"cached":true' }
    const ofJeton = { pid: jeton.process.pid ?? 0, load: { ...load, url: `${jeton.url}/v1/tokens` } }
    const ofBare = { pid: bare.pid, load: { ...load, url: `${bare.url}/v1/tokens` } }
    for (const one of [ofBare, ofJeton]) await saturate({ ...one.load, seconds: 2 })
    const ratios: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      const [plain, vend] = [await microsecondsEach(ofBare), await microsecondsEach(ofJeton)]
      ratios.push(vend / plain)
      say(
        `  round ${round}: bare ${plain.toFixed(1)} µs, cached vend ${vend.toFixed(1)} µs, ratio ${(vend / plain).toFixed(2)}`,
      )
    }
    const figure = `${median(ratios).toFixed(2)} × the server CPU of a bare Fastify route (${constant.length} bytes, 64 connections)`
    judged(`a cached vend, its record on disk, costs at most ${PROMISE} ×`, {
      isKept: median(ratios) <= PROMISE,
      figure,
    })
  } finally {
    bare.kill()
    await jeton.close()
    await stage.close()
  }
}

async function microsecondsEach({ pid, load }: { pid: number; load: Load }): Promise<number> {
  const before = await cpuMicroseconds(pid)
  const requests = await saturate(load)
  return ((await cpuMicroseconds(pid)) - before) / requests
}

async function startBare(folder: string, constant: string) {
  const bodyFile = join(folder, 'constant.json')
  await writeFile(bodyFile, constant)
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
