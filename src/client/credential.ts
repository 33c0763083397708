import type { CredentialEnvironment } from './credential-variables.ts'
import { CallerError, invalidUsage } from './errors.ts'
import type { Network, Send } from './http.ts'
import { jwtWord, readCredentialFile, readLimited, singleWord } from './identity/credential-text.ts'
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
  env: CredentialEnvironment
  stdin: AsyncIterable<Uint8Array | string>
  /** For metadata servers, which no proxy reaches; default: without a proxy. */
  sendDirectly?: Send
  /** The folder that stands for `/`, where platforms have their files and sockets. */
  root?: string
}

/** Whom a JWT is asked to be for, without JETON_AUDIENCE. */
export const DEFAULT_AUDIENCE = 'jeton'

const NO_CREDENTIAL =
  'no credential: set JETON_JWT_FILE (a file with a JWT, such as a projected token of Kubernetes), JETON_JWT or JETON_API_KEY, or give --jwt FILE (- for stdin); in GitHub Actions, GitLab CI and on other platforms the caller is found by itself, but this is none of them'
const NO_PROJECTED_TOKEN =
  'no credential: mount a projected service account token with `audience: jeton` at /var/run/secrets/jeton, with the `path: token`; or set JETON_JWT_FILE, JETON_JWT or JETON_API_KEY, or give --jwt FILE'

/**
 * Finds out by which credential the caller is known: `--jwt`, else the first that is set of JETON_JWT, JETON_JWT_FILE and
 * JETON_API_KEY, else that of the platform it runs on. Only if all that fails are metadata servers asked, for a second. Throws
 * CallerError (exit code 2) that says what to add. Each call of `getCredential` reads the file or asks the platform again,
 * because JWTs may expire between two attempts; stdin is read once. Verifies nothing.
 */
export async function findCredential(sources: CredentialSources, network: Network): Promise<Identity> {
  const [first] = listIdentities(sources, network)
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
  const host = hostOf(sources, network)
  const platforms = PLATFORMS.filter(platform => platform.isHere(host))
  return [...givenIdentities(sources), ...platforms.map(platform => platformIdentity(platform, host))]
}

function givenIdentities({ jwtFile, env, stdin }: CredentialSources): Identity[] {
  const { JETON_JWT: jwt, JETON_JWT_FILE: path, JETON_API_KEY: apiKey } = env
  return [
    ...(jwtFile === '-' ? [fromStdin(stdin)] : []),
    ...(jwtFile !== undefined && jwtFile !== '-' ? [fromFile(jwtFile, '--jwt')] : []),
    ...(jwt ? [given('the JWT in JETON_JWT', async () => bearer(jwt, 'JETON_JWT'))] : []),
    ...(path ? [fromFile(path, 'JETON_JWT_FILE')] : []),
    ...(apiKey ? [given('the API key in JETON_API_KEY', async () => apiKeyHeader(apiKey))] : []),
  ]
}

function given(description: string, getCredential: GetCredential): Identity {
  return { description, getCredential }
}

function fromFile(path: string, name: string): Identity {
  return given(`the JWT in ${path || 'no file'} (${name})`, async () =>
    bearer(await readCredentialFile(path), path),
  )
}

/** Keeps a failure too, because a stream cannot be read twice. */
function fromStdin(stdin: CredentialSources['stdin']): Identity {
  let header: Promise<string> | undefined
  return given('the JWT on standard input', () => {
    header ??= readLimited(stdin, 'stdin').then(text => bearer(text, 'stdin'))
    return header
  })
}

async function askMachine(sources: CredentialSources, network: Network): Promise<OfferedIdentity> {
  const host = hostOf(sources, network)
  const answers = await Promise.all(PLATFORMS.map(async platform => platform.answers?.(host)))
  const platform = PLATFORMS.find((_platform, index) => answers[index])
  if (platform) return platformIdentity(platform, host)
  const { KUBERNETES_SERVICE_HOST: cluster, AWS_WEB_IDENTITY_TOKEN_FILE: tokenForAws } = host.env
  throw invalidUsage(cluster || tokenForAws ? NO_PROJECTED_TOKEN : NO_CREDENTIAL)
}

function hostOf({ env, sendDirectly = createNodeSend(), root = '/' }: CredentialSources, network: Network) {
  return { ...network, env, sendDirectly, root, audience: env.JETON_AUDIENCE || DEFAULT_AUDIENCE }
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
        if (!(cause instanceof CallerError)) throw cause
        const { message, exitCode, isTemporary, retryAfterMs } = cause
        throw new CallerError(`cannot get ${token}: ${message}`, {
          exitCode,
          isTemporary,
          retryAfterMs,
          cause,
        })
      }
    },
  }
}

function bearer(text: string, name: string): string {
  return `Bearer ${singleWord(text, name)}`
}

function apiKeyHeader(text: string): string {
  return `ApiKey ${singleWord(text, 'JETON_API_KEY')}`
}
