import type { KeyObject } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import type { GrantSpec } from '../authorization/grant.ts'
import type { Database } from '../rds/database.ts'

/** A configuration that has been checked: every name in it leads somewhere, every path is absolute, every default is filled in. */
export interface Config {
  readonly server: ServerConfig
  readonly issuers: readonly IssuerConfig[]
  /** For each name, the hex SHA-256 of each key that is good for it. */
  readonly apiKeys: Readonly<Record<string, readonly string[]>>
  readonly databases: readonly Database[]
  readonly grants: readonly GrantSpec[]
  readonly store: StoreConfig
  readonly audit: readonly AuditLogConfig[]
}

export interface ServerConfig {
  readonly host: string
  readonly port: number
  /** How many proxies stand in front of the server. */
  readonly behindProxy?: number | undefined
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  readonly admin?: { readonly host: string; readonly port: number } | undefined
}

export interface IssuerConfig {
  readonly name: string
  /** The URL that its JWTs name. */
  readonly issuer: string
  readonly audience: string
  /** Pinned keys; without them they are discovered. */
  readonly jwks?: JSONWebKeySet | undefined
}

export type StoreConfig = { readonly type: 'memory' } | DynamodbStoreConfig

export interface DynamodbStoreConfig extends TableConfig {
  readonly type: 'dynamodb'
  readonly encryption: EncryptionConfig
}

export type EncryptionConfig =
  | { readonly type: 'kms'; readonly kmsKeyId: string }
  /** The first seals, all open. */
  | { readonly type: 'files'; readonly keys: readonly KeyObject[] }

export type AuditLogConfig =
  | { readonly type: 'stdout' }
  | { readonly type: 'file'; readonly path: string }
  | DynamodbAuditConfig

export interface DynamodbAuditConfig extends TableConfig {
  readonly type: 'dynamodb'
  /** When a record may be deleted; without it never. */
  readonly retentionDays?: number
}

export interface TableConfig {
  readonly table: string
  /** Without it, the AWS SDK's own environment names it. */
  readonly region?: string
}
