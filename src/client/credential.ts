import { createReadStream } from 'node:fs'
import { readTextUpTo } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import type { CredentialEnvironment } from './credential-variables.ts'
import { failure, invalidUsage } from './errors.ts'
import { fetchGithubJwt } from './github.ts'
import type { Network } from './http.ts'

/** Returns the value of the `Authorization` header, which is a secret. */
export type GetCredential = () => Promise<string>

export interface CredentialSources {
  /** `--jwt`: a file, or `-` for stdin. */
  jwtFile?: string | undefined
  env: CredentialEnvironment
  stdin: AsyncIterable<Uint8Array | string>
}

/** Servers refuse headers that are much shorter than this. */
const MAX_BYTES = 64 * 1024

const NO_CREDENTIAL =
  'no credential: set JETON_JWT_FILE (a file with a JWT, such as a projected token of Kubernetes), JETON_JWT or JETON_API_KEY, or give --jwt FILE (- for stdin); in GitHub Actions, `permissions: id-token: write` is enough'

/**
 * Chooses the caller's credential: `--jwt`, or the one set among JETON_JWT, JETON_JWT_FILE and JETON_API_KEY, or GitHub
 * Actions. Throws CallerError (exit code 2) if there is none, or if two variables are set. Each call of the returned
 * function reads the file or asks GitHub again, because Kubernetes rotates projected tokens and a JWT may expire between
 * two attempts; stdin is read once. Verifies nothing.
 */
export function findCredential({ jwtFile, env, stdin }: CredentialSources, network: Network): GetCredential {
  if (jwtFile === '-') return readOnce(async () => bearer(await readLimited(stdin, 'stdin'), 'stdin'))
  if (jwtFile !== undefined) return fromFile(jwtFile)

  const present = (['JETON_JWT', 'JETON_JWT_FILE', 'JETON_API_KEY'] as const).filter(name => env[name])
  if (present.length > 1)
    throw invalidUsage(`${present.join(' and ')} are set: leave only one, or use --jwt FILE`)
  if (env.JETON_JWT) return fixed(bearer(env.JETON_JWT, 'JETON_JWT'))
  if (env.JETON_JWT_FILE) return fromFile(env.JETON_JWT_FILE)
  if (env.JETON_API_KEY) return fixed(`ApiKey ${singleWord(env.JETON_API_KEY, 'JETON_API_KEY')}`)
  return fromGithub(env, network)
}

function fromGithub(env: CredentialEnvironment, network: Network): GetCredential {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env
  if (!url || !secret)
    throw invalidUsage(
      env.GITHUB_ACTIONS === 'true'
        ? 'this GitHub Actions job cannot request an OIDC token: add `permissions: id-token: write` to the job or the workflow (a pull request from a fork never gets one)'
        : NO_CREDENTIAL,
    )
  const requestToken = singleWord(secret, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')
  const audience = env.JETON_AUDIENCE || 'jeton'
  return async () =>
    bearer(await fetchGithubJwt({ url, requestToken, audience }, network), "GitHub's OIDC token")
}

function fromFile(path: string): GetCredential {
  return async () => bearer(await readLimited(createReadStream(path), path), path)
}

function fixed(header: string): GetCredential {
  return async () => header
}

/** Keeps a failure too, because a stream cannot be read twice. */
function readOnce(read: GetCredential): GetCredential {
  let header: Promise<string> | undefined
  return () => {
    header ??= read()
    return header
  }
}

async function readLimited(stream: AsyncIterable<Uint8Array | string>, name: string): Promise<string> {
  const text = await readTextUpTo(stream, MAX_BYTES).catch(cause => {
    throw failure(`cannot read a JWT from ${name}${systemCodeNote(cause)}`, cause)
  })
  if (text === undefined) throw failure(`${name} is longer than any JWT (${MAX_BYTES} bytes)`)
  return text
}

function bearer(text: string, name: string): string {
  return `Bearer ${singleWord(text, name)}`
}

/** fetch quotes an invalid header value in its error, so an invalid credential must never reach it. */
function singleWord(text: string, name: string): string {
  const word = text.trim()
  if (word === '') throw failure(`${name} is empty`)
  if (/^[\x21-\x7e]+$/.test(word)) return word
  throw failure(`${name} is not a credential: it contains spaces, control characters or non-ASCII letters`)
}
