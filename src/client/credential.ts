import { createReadStream } from 'node:fs'
import type { Environment } from '../lib/environment.ts'
import { failed, systemCode, usageError } from './errors.ts'
import { githubJwt } from './github.ts'
import type { Network } from './http.ts'

/** Gives the value of the `Authorization` header. It is a secret. */
export type GetCredential = () => Promise<string>

export interface CredentialSources {
  /** `--jwt`: a file, or `-` for stdin. */
  jwtFile?: string | undefined
  env: Environment
  stdin: AsyncIterable<Uint8Array | string>
}

/** Servers refuse headers well below this. */
const LIMIT_BYTES = 64 * 1024

const WAYS = `no credential: give one of
  --jwt FILE        a file with a JWT, or - for stdin
  JETON_JWT         a JWT
  JETON_JWT_FILE    a file with a JWT, such as a projected token of Kubernetes
  JETON_API_KEY     an API key
or run in GitHub Actions with \`permissions: id-token: write\``

/**
 * Finds what the caller proves itself with: `--jwt`, else the one set among JETON_JWT, JETON_JWT_FILE and JETON_API_KEY,
 * else GitHub Actions. Throws wrong usage where there is none or where two in the environment leave it open which is meant.
 * Each call of what is given reads a file or asks GitHub anew: Kubernetes rotates projected tokens, and a JWT may expire
 * between two tries. Stdin and variables are read once. Nothing is verified here.
 */
export function findCredential({ jwtFile, env, stdin }: CredentialSources, network: Network): GetCredential {
  if (jwtFile === '-') return onlyOnce(async () => bearer(await textOf(stdin, 'stdin'), 'stdin'))
  if (jwtFile !== undefined) return fromFile(jwtFile)

  const named = ['JETON_JWT', 'JETON_JWT_FILE', 'JETON_API_KEY'].filter(name => env[name])
  if (named.length > 1) throw usageError(`${named.join(' and ')} are set: leave only one, or say --jwt FILE`)
  if (env.JETON_JWT) return always(bearer(env.JETON_JWT, 'JETON_JWT'))
  if (env.JETON_JWT_FILE) return fromFile(env.JETON_JWT_FILE)
  if (env.JETON_API_KEY) return always(`ApiKey ${oneWord(env.JETON_API_KEY, 'JETON_API_KEY')}`)
  return fromGithub(env, network)
}

function fromGithub(env: Environment, network: Network): GetCredential {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env
  if (!url || !secret)
    throw usageError(
      env.GITHUB_ACTIONS === 'true'
        ? 'this GitHub Actions job may not have an OIDC token: add `permissions: id-token: write` to the job or the workflow (a pull request from a fork never gets one)'
        : WAYS,
    )
  const token = oneWord(secret, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')
  const audience = env.JETON_AUDIENCE || 'jeton'
  return async () => bearer(await githubJwt({ url, token, audience }, network), "GitHub's OIDC token")
}

function fromFile(path: string): GetCredential {
  return async () => bearer(await textOf(createReadStream(path), path), path)
}

function always(header: string): GetCredential {
  return async () => header
}

function onlyOnce(read: GetCredential): GetCredential {
  let header: Promise<string> | undefined
  return () => {
    header ??= read()
    return header
  }
}

async function textOf(stream: AsyncIterable<Uint8Array | string>, name: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of stream) {
      chunks.push(Buffer.from(chunk))
      bytes += chunk.length
      if (bytes > LIMIT_BYTES) break
    }
  } catch (cause) {
    throw failed(`cannot read a JWT from ${name}${systemCode(cause)}`, cause)
  }
  if (bytes > LIMIT_BYTES) throw failed(`${name} is longer than any JWT (${LIMIT_BYTES} bytes)`)
  return Buffer.concat(chunks).toString()
}

function bearer(text: string, name: string): string {
  return `Bearer ${oneWord(text, name)}`
}

/** fetch quotes a header value that it refuses in its error, so what is no header value must not get there. */
function oneWord(text: string, name: string): string {
  const word = text.trim()
  if (word === '') throw failed(`${name} is empty`)
  if (/^[\x21-\x7e]+$/.test(word)) return word
  throw failed(`${name} holds no credential: it has spaces, control characters or letters beyond ASCII in it`)
}
