import { statSync } from 'node:fs'
import type { CredentialEnvironment } from './credential-variables.ts'
import { CallerError, invalidUsage } from './errors.ts'
import type { Network, Send } from './http.ts'
import {
  apiKeyHeader,
  isCredential,
  jwtHeader,
  jwtWord,
  readCredentialFile,
  readLimited,
} from './identity/credential-text.ts'
import type { Platform, PlatformHost } from './identity/platform.ts'
import { PLATFORMS } from './identity/platforms.ts'
import { createNodeSend } from './node-http.ts'

/** Returns the value of the `Authorization` header, which is a secret. */
export type GetCredential = () => Promise<string>

/** A caller identity: a credential, and where it comes from. */
export interface Identity {
  /** Names the source and no secret, as in `GitHub Actions' OIDC token, audience jeton`. */
  readonly description: string
  readonly getCredential: GetCredential
}

export interface CredentialSources {
  /** `--jwt`: a file, or `-` for stdin. */
  jwtFile?: string | undefined
  /** How the program that asks is given a credential, for errors; default: by `--jwt`. */
  words?: CredentialWords
  env: CredentialEnvironment
  stdin: AsyncIterable<Uint8Array | string>
  /** For metadata servers, which no proxy reaches; default: without a proxy. */
  sendDirectly?: Send
  /** The folder that stands for `/`, where platforms have their files and sockets. */
  root?: string
}

export interface CredentialWords {
  /** What `jwtFile` is called. */
  readonly jwtFile: string
  /** How to give one, to end a sentence with `or `. */
  readonly give: string
  /** What makes it try again for a while. */
  readonly wait: string
}

const OPTION: CredentialWords = { jwtFile: '--jwt', give: 'give --jwt FILE (- for stdin)', wait: '--wait' }

/** Returns whom a JWT is asked to be for: JETON_AUDIENCE, or `jeton`. */
export function wantedAudience(env: Pick<CredentialEnvironment, 'JETON_AUDIENCE'>): string {
  return env.JETON_AUDIENCE?.trim() || 'jeton'
}

const noCredential = ({ give }: CredentialWords) =>
  `no credential: set JETON_JWT_FILE (a file with a JWT, such as a projected token of Kubernetes), JETON_JWT or JETON_API_KEY, or ${give}; in GitHub Actions, GitLab CI and on other platforms the caller is found by itself, but this is none of them`
const noProjectedToken = ({ give }: CredentialWords) =>
  `no credential: mount a projected service account token with \`audience: jeton\` at /var/run/secrets/jeton, with the \`path: token\`; or set JETON_JWT_FILE, JETON_JWT or JETON_API_KEY, or ${give}`
const noGke = ({ wait }: CredentialWords) =>
  `nor does Google's metadata server answer, if this is GKE: it may a few seconds later (${wait})`

/**
 * Finds out by which credential the caller is known: `--jwt`, else the first that is set of JETON_JWT, JETON_JWT_FILE and
 * JETON_API_KEY, else that of the platform it runs on. Only if all that fails are metadata servers asked, for a second. Throws
 * CallerError (exit code 2) that says what to add; it is temporary if a metadata server may answer later. Each call of
 * `getCredential` reads the file or asks the platform again, because JWTs may expire between two attempts; stdin is read once.
 * Verifies nothing.
 */
export async function findCredential(sources: CredentialSources, network: Network): Promise<Identity> {
  const [given] = givenIdentities(sources)
  if (given) return given
  const [first] = platformIdentities(sources, network)
  const found = first ?? (await askMachine(sources, network))
  if (found.lacks !== undefined) throw invalidUsage(`cannot get ${found.description}: ${found.lacks}`)
  return found
}

/** An identity that the caller's surroundings offer. */
export interface OfferedIdentity extends Identity {
  /** What to add, if the platform gives no JWT as it is configured. */
  readonly lacks?: string | undefined
}

/** Returns all identities that flags, variables and files offer, in the order in which `findCredential` takes them. Asks no network. */
export function listIdentities(sources: CredentialSources, network: Network): OfferedIdentity[] {
  return [...givenIdentities(sources), ...platformIdentities(sources, network)]
}

function platformIdentities(sources: CredentialSources, network: Network): OfferedIdentity[] {
  const host = hostOf(sources, network)
  return PLATFORMS.filter(platform => platform.isHere(host)).map(platform => platformIdentity(platform, host))
}

function givenIdentities({ jwtFile, env, stdin, words = OPTION }: CredentialSources): Identity[] {
  const { JETON_JWT: jwt, JETON_JWT_FILE: path, JETON_API_KEY: apiKey } = env
  return [
    ...(jwtFile === '-' ? [fromStdin(stdin)] : []),
    ...(jwtFile !== undefined && jwtFile !== '-' ? [fromFile(jwtFile, words.jwtFile)] : []),
    ...(jwt ? [given('the JWT in JETON_JWT', async () => jwtHeader(jwt, 'JETON_JWT'))] : []),
    ...(path ? [fromFile(path, 'JETON_JWT_FILE')] : []),
    ...(apiKey
      ? [given('the API key in JETON_API_KEY', async () => apiKeyHeader(apiKey, 'JETON_API_KEY'))]
      : []),
  ]
}

function given(description: string, getCredential: GetCredential): Identity {
  return { description, getCredential }
}

function fromFile(path: string, name: string): Identity {
  if (isCredential(path))
    return given(`the file of ${name}`, async () => {
      throw invalidUsage(
        `${name} is a credential itself, and not a file with a JWT: set JETON_JWT or JETON_API_KEY to it instead`,
      )
    })
  const read = () => readCredentialFile(path)
  const readOnce = once(read)
  return given(`the JWT in ${path || 'no file'} (${name})`, async () =>
    jwtHeader(await (isPipe(path) ? readOnce() : read()), path),
  )
}

function fromStdin(stdin: CredentialSources['stdin']): Identity {
  const readOnce = once(() => readLimited(stdin, 'stdin'))
  return given('the JWT on standard input', async () => jwtHeader(await readOnce(), 'stdin'))
}

/** Keeps a failure too, because a stream cannot be read twice. */
function once(read: () => Promise<string>): () => Promise<string> {
  let text: Promise<string> | undefined
  return () => {
    text ??= read()
    return text
  }
}

/** As the file of `--jwt <(COMMAND)` is. */
function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO()
  } catch {
    return false
  }
}

async function askMachine(sources: CredentialSources, network: Network): Promise<OfferedIdentity> {
  const host = hostOf(sources, network)
  const answers = await Promise.allSettled(PLATFORMS.map(async platform => platform.answers?.(host)))
  const platform = PLATFORMS.find((_platform, index) => {
    const answer = answers[index]
    return answer?.status === 'fulfilled' && answer.value
  })
  if (platform) return platformIdentity(platform, host)
  const busy = answers.find(answer => answer.status === 'rejected')
  if (busy) throw rewordError(busy.reason, message => `no credential is set, and ${message}`)
  const { KUBERNETES_SERVICE_HOST: cluster, AWS_WEB_IDENTITY_TOKEN_FILE: tokenForAws } = host.env
  const words = sources.words ?? OPTION
  // the metadata server of GKE answers some seconds after a pod has started
  if (cluster)
    throw new CallerError(`${noProjectedToken(words)}; ${noGke(words)}`, { exitCode: 2, isTemporary: true })
  throw invalidUsage(tokenForAws ? noProjectedToken(words) : noCredential(words))
}

function hostOf({ env, sendDirectly = createNodeSend(), root = '/' }: CredentialSources, network: Network) {
  return { ...network, env, sendDirectly, root, audience: wantedAudience(env) }
}

function platformIdentity(platform: Platform, host: PlatformHost): OfferedIdentity {
  const { token, audience } = platform
  return {
    description: audience === 'free' ? `${token}, audience ${host.audience}` : token,
    lacks: platform.lacks?.(host),
    getCredential: async () => {
      try {
        return `Bearer ${jwtWord(await platform.request(host), 'what it gave')}`
      } catch (cause) {
        throw rewordError(cause, message => `cannot get ${token}: ${message}`)
      }
    },
  }
}

/** Returns the error with another message if it is a CallerError; else as it is. */
function rewordError(cause: unknown, reword: (message: string) => string): unknown {
  if (!(cause instanceof CallerError)) return cause
  const { message, exitCode, isTemporary, retryAfterMs } = cause
  return new CallerError(reword(message), { exitCode, isTemporary, retryAfterMs, cause })
}
