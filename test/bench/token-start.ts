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
import { type Cores, findCores } from './cores.ts'
import { compareByPairs, type Plan } from './pairs.ts'
import { reportCheck, reportFigure, say } from './report.ts'

const FILE = fileURLToPath(new URL('../../dist/jeton.mjs', import.meta.url))
const RUNS = 31
/** The most time that `jeton token` may take, as a multiple of that of Node alone. */
const MAX_RATIO = 2
/** A token with a session token of the usual length. */
const REPLY = sampleReply({ token: `${sampleReply().token}&X-Amz-Security-Token=${'a'.repeat(1100)}` })

/** The least that can be done: the request alone, nothing read, checked or explained. */
const BARE = `require('node:http').request(process.env.JETON_URL + '/v1/tokens', { method: 'POST', agent: false },
  async response => { let text = ''; for await (const chunk of response) text += chunk
  process.stdout.write(JSON.parse(text).token + '\\n') }).end('{"database":"orders"}')`

/**
 * Measures `jeton token` of the one file, from the start of its process to its end, over `node -e 0`, both on one core and with
 * no variables but its own: NODE_EXTRA_CA_CERTS alone may double the time of Node 20. A stand-in that answers at once is its
 * server, by http and, with a CA of its own, by https. Beside it, what a request costs that does nothing else.
 */
export async function tokenStart({ pairs = RUNS }: Plan): Promise<void> {
  const cores = await findCores()
  const folder = await mkdtemp(join(tmpdir(), 'token-start-'))
  const authority = createAuthority()
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, authority.caPem)
  const { certPem, keyPem } = authority.issue(['127.0.0.1'])
  const http = await listenOnLoopback(createServer(answer))
  const https = await listenOnLoopback(createTlsServer({ cert: certPem, key: keyPem }, answer))
  try {
    say(`the start of jeton token with Node ${process.version}, ${pairs} pairs`)
    const overNode = (args: readonly string[], env: Record<string, string>) =>
      compareStarts({ args, env: { ...env, JETON_JWT: someJwt() } }, { pairs, cores })
    const command = [FILE, 'token', 'orders']
    const byHttp = await overNode(command, { JETON_URL: http.url })
    reportCheck(`jeton token over node -e 0, Node ${process.version}, at most ${MAX_RATIO} ×`, {
      isKept: byHttp.ratio <= MAX_RATIO,
      figure: byHttp.shown,
    })
    const httpsUrl = https.url.replace('http:', 'https:')
    const byHttps = await overNode(command, { JETON_URL: httpsUrl, JETON_CACERT: caFile })
    reportFigure('  by https, with a CA of its own', byHttps.shown)
    const bare = await overNode(['-e', BARE], { JETON_URL: http.url })
    reportFigure('  a script with the same request by http and nothing else', bare.shown)
  } finally {
    await Promise.all([http.close(), https.close(), rm(folder, { recursive: true })])
  }
}

const answer: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(REPLY))
  })
}

interface Start {
  readonly args: readonly string[]
  readonly env: Record<string, string>
}

/** Compares the start of Node with these arguments with that of `node -e 0`. */
async function compareStarts(start: Start, { pairs, cores }: { pairs: number; cores: Cores }) {
  const { ratio, shown, subject, base } = await compareByPairs(
    {
      subject: () => timeOf(start, { cores, expected: `${REPLY.token}\n` }),
      base: () => timeOf({ args: ['-e', '0'], env: {} }, { cores, expected: '' }),
    },
    { pairs },
  )
  return { ratio, shown: `${shown}, ${base.toFixed(0)} ms to ${subject.toFixed(0)}` }
}

/** Returns the milliseconds from the start to the end. Throws if it prints anything else. */
async function timeOf(
  { args, env }: Start,
  { cores, expected }: { cores: Cores; expected: string },
): Promise<number> {
  const [program = '', ...rest] = [...cores.server, process.execPath, ...args]
  const startedAt = performance.now()
  const { stdout } = await promisify(execFile)(program, rest, { env })
  const ms = performance.now() - startedAt
  if (stdout !== expected) throw new Error('it printed no token')
  return ms
}
