import { posix, relative, resolve, sep } from 'node:path'
import type { Config } from '../src/config/config.ts'
import { loadFrom } from '../src/config/load.ts'
import { createFileConfigSource } from '../src/config/source/file.ts'
import { isS3Url } from '../src/config/source/s3.ts'
import { jetonRoleDocuments } from '../src/iam/jeton-role.ts'
import type { PolicyDocument, PolicyStatement } from '../src/iam/role-policies.ts'
import type { Database } from '../src/rds/database.ts'
import { unfitFor } from './check-deployable.ts'
import { dashboardBody } from './dashboard.ts'

export interface Deployment {
  /** Where serverless.yml is. */
  folder: string
  /** The configuration, within it. */
  config: string
  /** `s3://BUCKET/KEY` where the function is to read the configuration there; else empty. */
  configInS3: string
}

/** What the stack takes from the configuration. Names that it does not have are undefined: the stack has others. */
export interface Configured {
  /** Of the role: what `jeton iam` prints, and reading the configuration from S3. */
  readonly permissions: PolicyDocument
  readonly storeTable: string | undefined
  readonly auditTable: string | undefined
  readonly keyAlias: string | undefined
  /** Where the function finds the configuration: its JETON_CONFIG. */
  readonly location: string
  /** The files of the package, as patterns. */
  readonly patterns: readonly string[]
  /** For `Fn::Sub`. */
  readonly dashboard: string
}

/** Throws `ConfigError` where the configuration is broken, and where it is not one for this stack. */
export async function readConfigured({ folder, config: file, configInS3 }: Deployment): Promise<Configured> {
  const path = resolve(folder, file)
  const { config, named } = await readWithNames(path)
  unfitFor(config)
  const { documents } = await jetonRoleDocuments({ configPath: path, format: 'cloudformation' })
  const inPackage = [path, ...named.map(name => resolve(path, '..', name))]
  const { store, audit, databases } = config
  const kmsKeyId = store.type === 'dynamodb' && store.encryption.type === 'kms' && store.encryption.kmsKeyId
  const inS3 = configInS3 === '' ? [] : [readingFrom(configInS3, { named, databases })]
  return {
    permissions: {
      Version: '2012-10-17',
      Statement: [...documents.permissions.Statement.map(onStacksKey), ...inS3],
    },
    storeTable: store.type === 'dynamodb' ? store.table : undefined,
    auditTable: audit.find(log => log.type === 'dynamodb')?.table,
    keyAlias: kmsKeyId || undefined,
    location: configInS3 || within(folder, path),
    patterns: [
      '!**',
      'dist/lambda/**',
      '!dist/lambda/**/*.map',
      ...(configInS3 === '' ? inPackage.map(each => literal(within(folder, each))) : []),
    ],
    dashboard: dashboardBody(databases),
  }
}

/** With the names of the files that it has in it. */
async function readWithNames(path: string): Promise<{ config: Config; named: string[] }> {
  const named: string[] = []
  const source = createFileConfigSource(path)
  const config = await loadFrom({
    ...source,
    async read() {
      const { text, files } = await source.read()
      const read: typeof files.read = (name, report) => {
        named.push(name)
        return files.read(name, report)
      }
      return { text, files: { ...files, read } }
    },
  })
  return { config, named }
}

/** Of the key nobody knows more than its alias before it is made; here the stack makes it. */
function onStacksKey(statement: PolicyStatement): PolicyStatement {
  const isOfKey = [statement.Action].flat().some(action => action.startsWith('kms:'))
  return isOfKey ? { ...statement, Resource: [{ 'Fn::Sub': `$\{Key.Arn}` }] } : statement
}

function readingFrom(
  url: string,
  { named, databases }: { named: readonly string[]; databases: readonly Database[] },
): PolicyStatement {
  if (!isS3Url(url)) throw new Error('configInS3 is given as s3://BUCKET/KEY')
  const partition = databases[0]?.partition ?? 'aws'
  const [bucket = '', ...path] = url.slice('s3://'.length).split('/')
  const key = `/${path.join('/')}`
  const keys = [key, ...named.map(name => posix.resolve(posix.dirname(key), name))]
  const wide = keys.map(each => `s3://${bucket}${each}`).find(each => /[*?$]/.test(each))
  if (wide !== undefined)
    throw new Error(
      `${wide} cannot have *, ? or $ in it: in the role's policy they stand for other objects too`,
    )
  return {
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: keys.map(each => `arn:${partition}:s3:::${bucket}${each}`),
  }
}

function within(folder: string, path: string): string {
  const name = relative(folder, path).split(sep).join('/')
  if (name.startsWith('../')) throw new Error(`${path} is not in the folder that is packaged: put it there`)
  return name
}

/** A name as a pattern that matches it alone. */
function literal(name: string): string {
  return name.replace(/[\\*?()[\]{}!|+@]/g, String.raw`\$&`)
}
