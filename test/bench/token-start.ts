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

/**
 * Measures `jeton token` of the one file, from the start of its process to its end, over `node -e 0` right before it. A
 * stand-in that answers at once is its server, by http and by https; with https, Node also reads its own list of CAs.
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
    await measure('by http', { JETON_URL: http.url })
    const tlsUrl = https.url.replace('http:', 'https:')
    await measure('by https', { JETON_URL: tlsUrl, NODE_EXTRA_CA_CERTS: caFile })
  } finally {
    await Promise.all([http.close(), https.close(), rm(folder, { recursive: true })])
  }
}

const answer: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(REPLY))
  })
}

async function measure(how: string, env: Record<string, string>): Promise<void> {
  const callerEnv = { ...env, JETON_JWT: someJwt() }
  const times = { node: [] as number[], token: [] as number[], ratio: [] as number[] }
  for (let run = 0; run < RUNS; run++) {
    const [node, token] = [await timeOf(['-e', '0'], {}), await timeOf([FILE, 'token', 'orders'], callerEnv)]
    if (node.stdout !== '' || token.stdout !== `${REPLY.token}\n`) throw new Error('it printed no token')
    times.node.push(node.ms)
    times.token.push(token.ms)
    times.ratio.push(token.ms / node.ms)
  }
  const [nodeMs, tokenMs, ratio] = [median(times.node), median(times.token), median(times.ratio)]
  reportCheck(`jeton token ${how} takes at most ${MAX_RATIO} × the time of node -e 0`, {
    isKept: ratio <= MAX_RATIO,
    figure: `${ratio.toFixed(2)} × (${nodeMs.toFixed(0)} ms to ${tokenMs.toFixed(0)} ms)`,
  })
}

async function timeOf(args: readonly string[], env: Record<string, string>) {
  const startedAt = performance.now()
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  return { ms: performance.now() - startedAt, stdout }
}
