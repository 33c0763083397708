import type { KeyObject } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import type { Audience } from '../authentication/audience.ts'
import type { GrantSpec, OperatorSpec } from '../authorization/grant.ts'
import type { Database } from '../rds/database.ts'
import type { ConfigOrigin } from './origin.ts'
import type { Problem } from './problems.ts'

/** The form of the names of issuers, API keys and grants: safe in a log, a path and a command line. */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'
export const NAME_FORM = 'letters, digits, _, . and -, a letter or digit first, 64 at most'

/** A checked configuration: every name in it refers to something, paths are absolute and defaults are filled in. */
export interface Config {
  readonly server: ServerConfig
  readonly issuers: readonly IssuerConfig[]
  /** By name, the hex SHA-256 of each of its valid keys, in lower case. */
  readonly apiKeys: Readonly<Record<string, readonly string[]>>
  readonly databases: readonly Database[]
  readonly grants: readonly GrantSpec[]
  /** Who may open the console, if it asks for a credential. */
  readonly operators?: readonly OperatorSpec[]
  readonly store: StoreConfig
  readonly audit: readonly SinkConfig[]
  readonly origin: ConfigOrigin
  /** What is doubtful in it, each with its place. */
  readonly warnings?: readonly Problem[]
}

export interface ServerConfig {
  readonly host: string
  readonly port: number
  /** Number of proxies in front of the server. */
  readonly behindProxy?: number | undefined
  /** How many may be open in all, and from one address unless they come from proxies; no limits if undefined. */
  readonly connections?: { readonly max: number; readonly maxPerAddress: number | undefined } | undefined
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  readonly admin?: AdminConfig | undefined
}

export interface AdminConfig {
  readonly host: string
  readonly port: number
  /** Whether it has the console. */
  readonly console?: boolean | undefined
  readonly tls?: ServerConfig['tls']
}

export interface IssuerConfig {
  readonly name: string
  /** The `iss` of its JWTs. */
  readonly issuer: string
  /** The `aud` that its JWTs must carry, or those of which one is enough. */
  readonly audience: Audience
  /** The longest time from `iat` to `exp` of its JWTs; a day if undefined. */
  readonly maxLifetimeSeconds?: number | undefined
  /** Pinned keys. If undefined, keys are discovered at the issuer's URL. */
  readonly jwks?: JSONWebKeySet | undefined
  /** As declared: `determineTenancy` says what holds. */
  readonly tenancy?: 'private' | 'shared' | undefined
  /** As declared: the claims that pin an owner. */
  readonly owner?: readonly string[] | undefined
}

export type StoreConfig = { readonly type: 'memory' } | DynamodbStoreConfig

export interface DynamodbStoreConfig extends TableConfig {
  readonly type: 'dynamodb'
  readonly encryption: EncryptionConfig
}

export type EncryptionConfig =
  | { readonly type: 'kms'; readonly kmsKeyId: string }
  /** The first key encrypts, all of them decrypt. */
  | { readonly type: 'files'; readonly keys: readonly KeyObject[] }

export type SinkConfig =
  | { readonly type: 'stdout' }
  | { readonly type: 'file'; readonly path: string }
  | DynamodbSinkConfig

export interface DynamodbSinkConfig extends TableConfig {
  readonly type: 'dynamodb'
  /** Days until a record may be deleted. If undefined, records are kept forever. */
  readonly retentionDays?: number
}

export interface TableConfig {
  readonly table: string
  /** Default: the region of the AWS SDK's environment. */
  readonly region?: string
}
