import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { listenOnLoopback } from '../../src/dev/loopback-server.ts'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { sampleReply, someJwt } from '../support/service/api-stub.ts'
import { median, reportCheck, say } from './report.ts'

const FILE = fileURLToPath(new URL('../../dist/jeton.mjs', import.meta.url))
const RUNS = 31
/** The most time that `jeton token` may take, as a multiple of that of Node alone. */
const MAX_RATIO = 1.6
/** A token with a session token of the usual length. */
const REPLY = sampleReply({ token: `${sampleReply().token}&X-Amz-Security-Token=${'a'.repeat(1100)}` })

/** The least that can be done: the request alone, nothing read, checked or explained. */
const BARE = `require('node:http').request(process.env.JETON_URL + '/v1/tokens', { method: 'POST', agent: false },
  async response => { let text = ''; for await (const chunk of response) text += chunk
  process.stdout.write(JSON.parse(text).token + '\\n') }).end('{"database":"orders"}')`

/**
 * Measures `jeton token` of the one file, from the start of its process to its end, over `node -e 0` right before it, both with
 * no variables but its own: NODE_EXTRA_CA_CERTS alone may double the time of Node 20. A stand-in that answers at once is its
 * server, by http and, with a CA of its own, by https. Beside it, what a request costs that does nothing else.
 */
export async function tokenStart(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'token-start-'))
  const authority = createAuthority()
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, authority.caPem)
  const { certPem, keyPem } = authority.issue(['127.0.0.1'])
  const http = await listenOnLoopback(createServer(answer))
  const https = await listenOnLoopback(createTlsServer({ cert: certPem, key: keyPem }, answer))
  try {
    say(`the start of jeton token with Node ${process.version}, medians of ${RUNS} runs`)
    const command = [FILE, 'token', 'orders']
    const bare = await measure(['-e', BARE], { JETON_URL: http.url })
    const byHttp = await measure(command, { JETON_URL: http.url })
    const byHttps = await measure(command, {
      JETON_URL: https.url.replace('http:', 'https:'),
      JETON_CACERT: caFile,
    })
    reportCheck(`jeton token takes at most ${MAX_RATIO} × the time of node -e 0`, {
      isKept: byHttp.ratio <= MAX_RATIO,
      figure: describe(byHttp),
    })
    say(`        by https: ${describe(byHttps)}`)
    say(`        a script with the same request by http and nothing else: ${describe(bare)}`)
  } finally {
    await Promise.all([http.close(), https.close(), rm(folder, { recursive: true })])
  }
}

const answer: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(REPLY))
  })
}

interface Measured {
  readonly nodeMs: number
  readonly ms: number
  readonly ratio: number
}

async function measure(args: readonly string[], env: Record<string, string>): Promise<Measured> {
  const callerEnv = { ...env, JETON_JWT: someJwt() }
  const times = { node: [] as number[], own: [] as number[], ratio: [] as number[] }
  for (let run = 0; run < RUNS; run++) {
    const [node, own] = [await timeOf(['-e', '0'], {}), await timeOf(args, callerEnv)]
    if (node.stdout !== '' || own.stdout !== `${REPLY.token}\n`) throw new Error('it printed no token')
    times.node.push(node.ms)
    times.own.push(own.ms)
    times.ratio.push(own.ms / node.ms)
  }
  return { nodeMs: median(times.node), ms: median(times.own), ratio: median(times.ratio) }
}

function describe({ ratio, nodeMs, ms }: Measured): string {
  return `${ratio.toFixed(2)} × (${nodeMs.toFixed(0)} ms to ${ms.toFixed(0)} ms)`
}

async function timeOf(args: readonly string[], env: Record<string, string>) {
  const startedAt = performance.now()
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  return { ms: performance.now() - startedAt, stdout }
}
