import type { CredentialEnvironment } from '../credential-variables.ts'
import type { Network, Send } from '../http.ts'

/** What a platform is asked with. */
export interface PlatformHost extends Network {
  env: CredentialEnvironment
  /** Whom the JWT is to be for: JETON_AUDIENCE, or `jeton`. */
  audience: string
  /** Sends without a proxy: metadata servers answer this machine alone. */
  sendDirectly: Send
  /** The folder that stands for `/`, where a platform's files and sockets are. */
  root: string
}

/** What runs a program and says in a JWT who it is. A row of the table in platforms.ts. */
export interface Platform {
  /** The JWT, as in `cannot get GitHub Actions' OIDC token`. */
  readonly token: string
  /** `free` if the caller chooses it, by JETON_AUDIENCE. Otherwise the platform does, or who configures the job. */
  readonly audience: 'free' | 'fixed'
  /** Whether this is the platform, by what it put into the environment or the file system. Asks no network. */
  isHere(host: PlatformHost): boolean
  /** Whether a metadata server of the platform answers. Asked within a second, if no platform is here. Throws if it is busy. */
  answers?(host: PlatformHost): Promise<boolean>
  /** Returns what to add if the platform, as it is configured, gives no JWT; undefined if it does. */
  lacks?(host: PlatformHost): string | undefined
  /** Returns a new JWT, unverified, or the one that the platform gave for good. Throws CallerError, without secrets. */
  request(host: PlatformHost): Promise<string>
}
