import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import { listenOnLoopback } from '../../src/dev/loopback-server.ts'

/** How an issuer answers one of its documents: with a JSON value, or as it likes. */
export type Answer = object | ((response: ServerResponse, request: IncomingMessage) => void)

export interface HostileIssuer {
  readonly url: string
  /** What was requested, oldest first. */
  readonly paths: readonly string[]
  /** Replaces the answers from now on. */
  answer(answers: { discovery?: Answer; keys?: Answer }): void
}

const DISCOVERY = '/.well-known/openid-configuration'

/** Starts an issuer that answers as it likes, until the test ends. Its discovery is flawless unless replaced. */
export async function startHostileIssuer(keys: Answer): Promise<HostileIssuer> {
  const paths: string[] = []
  let answers: { discovery?: Answer; keys: Answer } = { keys }
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    paths.push(path)
    const flawless = { issuer: url, jwks_uri: `${url}/keys` }
    const answer = path === DISCOVERY ? (answers.discovery ?? flawless) : answers.keys
    if (typeof answer === 'function') answer(response, request)
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  const { url, close } = await listenOnLoopback(server)
  onTestFinished(close)
  return {
    url,
    paths,
    answer(changed) {
      answers = { ...answers, ...changed }
    },
  }
}
