import { posix, relative, resolve, sep } from 'node:path'
import type { Config } from '../src/config/config.ts'
import { loadFrom } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problems.ts'
import { createFileConfigSource } from '../src/config/source/file.ts'
import { isS3Url, parseS3Url } from '../src/config/source/s3-url.ts'
import { jetonRole, requirePartition } from '../src/iam/jeton-role.ts'
import {
  type PolicyDocument,
  type PolicyStatement,
  type PolicyText,
  policyDocument,
  pseudoParameter,
} from '../src/iam/role-policies.ts'
import { parseBasePath } from '../src/lambda/base-path.ts'
import { checkDeployable } from './check-deployable.ts'
import { dashboardBody } from './dashboard.ts'
import { type HeadroomAlarm, headroomAlarms } from './headroom-alarms.ts'

export interface Deployment {
  /** The folder of serverless.yml. */
  folder: string
  /** The path of the configuration within it. */
  config: string
  /** `s3://BUCKET/KEY` if the function reads the configuration there, with `?owner=ACCOUNT` if not the stack's; else empty. */
  configInS3: string
  /** What stands before jeton's own paths; empty if nothing does. */
  basePath: string
}

/** What the stack takes from the configuration. If a name is undefined, the stack has its own. */
export interface Configured {
  /** What the function's role may do: what `jeton iam` prints, and reading the configuration from S3. */
  readonly permissions: PolicyDocument
  readonly storeTable: string | undefined
  readonly auditTable: string | undefined
  readonly keyAlias: string | undefined
  /** Where the function finds the configuration: its JETON_CONFIG. */
  readonly location: PolicyText
  /** The function's JETON_BASE_PATH. */
  readonly basePath: string
  /** The files of the package, as patterns. */
  readonly patterns: readonly string[]
  /** The body of the dashboard, for `Fn::Sub`. */
  readonly dashboard: string
  /** An alarm for each RDS resource, by its logical id. */
  readonly headroomAlarms: Readonly<Record<string, HeadroomAlarm>>
}

/**
 * Reads what the stack takes from the configuration and its parameters. Throws `ConfigError` if one of them is broken or does
 * not suit this stack.
 */
export async function readConfigured(deployment: Deployment): Promise<Configured> {
  const { folder, config: file, configInS3 } = deployment
  const { basePath, problem } = parseBasePath(deployment.basePath)
  if (problem !== undefined) throw new ConfigError([{ path: 'param.basePath', message: problem }])
  const path = resolve(folder, file)
  const { config, fileNames } = await readWithFileNames(path)
  checkDeployable(config)
  const { store, audit, databases } = config
  const partition = requirePartition(databases)
  const packagedFiles = [path, ...fileNames.map(name => resolve(path, '..', name))]
  const kmsKeyId = store.type === 'dynamodb' && store.encryption.type === 'kms' && store.encryption.kmsKeyId
  return {
    permissions: policyDocument([
      ...jetonStatements(config, partition),
      ...(configInS3 === '' ? [] : [allowReading(configInS3, { fileNames, partition })]),
    ]),
    storeTable: store.type === 'dynamodb' ? store.table : undefined,
    auditTable: audit.find(sink => sink.type === 'dynamodb')?.table,
    keyAlias: kmsKeyId || undefined,
    location: configInS3 === '' ? pathWithin(folder, path) : withOwner(configInS3),
    basePath,
    patterns: [
      '!**',
      'dist/lambda/**',
      ...(configInS3 === '' ? packagedFiles.map(each => literalPattern(pathWithin(folder, each))) : []),
    ],
    dashboard: dashboardBody(databases),
    headroomAlarms: headroomAlarms(databases),
  }
}

/** Returns the configuration and the files that it names. */
async function readWithFileNames(path: string): Promise<{ config: Config; fileNames: string[] }> {
  const fileNames: string[] = []
  const source = createFileConfigSource(path)
  const config = await loadFrom({
    ...source,
    async read() {
      const { files, ...text } = await source.read()
      const read: typeof files.read = (name, report) => {
        fileNames.push(name)
        return files.read(name, report)
      }
      return { ...text, files: { ...files, read } }
    },
  })
  return { config, fileNames }
}

function jetonStatements(config: Config, partition: string): PolicyStatement[] {
  const { permissions } = jetonRole({
    config,
    runsOn: 'lambda',
    locate: region => ({
      partition,
      account: pseudoParameter('AccountId'),
      region: region ?? pseudoParameter('Region'),
    }),
  })
  return permissions.Statement.map(onStackKey)
}

/** Elsewhere only the alias of a key is known before it exists; this stack creates the key, so it can name it. */
function onStackKey(statement: PolicyStatement): PolicyStatement {
  const usesKey = [statement.Action].flat().some(action => action.startsWith('kms:'))
  return usesKey ? { ...statement, Resource: [{ 'Fn::Sub': `$\{Key.Arn}` }] } : statement
}

function allowReading(
  url: string,
  { fileNames, partition }: { fileNames: readonly string[]; partition: string },
): PolicyStatement {
  if (!isS3Url(url)) throw new Error('configInS3 must be s3://BUCKET/KEY')
  const { bucket, key: path, owner } = parseS3Url(url)
  const key = `/${path}`
  const keys = [key, ...fileNames.map(name => posix.resolve(posix.dirname(key), name))]
  const wide = keys.map(each => `s3://${bucket}${each}`).find(each => /[*?$]/.test(each))
  if (wide !== undefined)
    throw new Error(
      `${wide} cannot have *, ? or $ in it: in the role's policy they would match other objects`,
    )
  return {
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: keys.map(each => `arn:${partition}:s3:::${bucket}${each}`),
    // no ARN of S3 has an account in it
    Condition: { StringEquals: { 'aws:ResourceAccount': owner ?? { Ref: 'AWS::AccountId' } } },
  }
}

/** Returns the URL with the account that must own the bucket: the stack's own, unless the URL names one. */
function withOwner(url: string): PolicyText {
  const { owner } = parseS3Url(url)
  return owner === undefined ? { 'Fn::Sub': `${url}?owner=${pseudoParameter('AccountId')}` } : url
}

function pathWithin(folder: string, path: string): string {
  const name = relative(folder, path).split(sep).join('/')
  if (name.startsWith('../'))
    throw new Error(`${path} is outside ${folder}, the folder that is packaged: move it there`)
  return name
}

/** Returns a pattern that matches only this name. */
function literalPattern(name: string): string {
  return name.replace(/[\\*?()[\]{}!|+@]/g, String.raw`\$&`)
}
