import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CredentialEnvironment } from '../credential-variables.ts'
import { readCredentialFile } from './credential-text.ts'
import type { Platform, PlatformHost } from './platform.ts'

type Name = keyof CredentialEnvironment
type Names = readonly [Name, ...Name[]]

/** Whether each of these variables is set. */
export function hasAll(names: Names, { env }: Pick<PlatformHost, 'env'>): boolean {
  return names.every(name => env[name])
}

/** Whether one of these variables is set. */
export function hasAny(names: Names, { env }: Pick<PlatformHost, 'env'>): boolean {
  return names.some(name => env[name])
}

/** Returns a row's `lacks`, which is `cure` unless each of these variables is set. */
export function lacksUnless(names: Names, cure: string): (host: PlatformHost) => string | undefined {
  return host => (hasAll(names, host) ? undefined : cure)
}

/** Returns the path of the first of these files of a platform that is there. */
export function findFile(paths: readonly string[], { root }: Pick<PlatformHost, 'root'>): string | undefined {
  return paths.map(path => join(root, path)).find(path => existsSync(path))
}

/** Returns a row but for its name: its JWT is in one of these variables, or else in one of these files, which are read anew. */
export function givenIn(names: readonly Name[], files: readonly string[] = []): Omit<Platform, 'token'> {
  const inVariable = ({ env }: PlatformHost) => names.map(name => env[name]).find(Boolean)
  return {
    audience: 'fixed',
    isHere: host => inVariable(host) !== undefined || findFile(files, host) !== undefined,
    request: async host =>
      inVariable(host) ?? readCredentialFile(findFile(files, host) ?? files.join(' or ')),
  }
}
