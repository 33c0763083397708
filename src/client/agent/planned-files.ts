import { resolve } from 'node:path'
import { clientFamily } from '../client-family.ts'
import { invalidUsage } from '../errors.ts'
import type { TokenReply } from '../token-reply.ts'
import { type FileKindName, familyOf, refersToCa, SHARED_KINDS, type SharedKind } from './file-kinds.ts'
import type { WantedLogin } from './wanted-login.ts'

/** A file, and whose logins go into it. */
export interface PlannedFile {
  readonly kind: FileKindName
  /** An absolute path. */
  readonly path: string
  readonly logins: readonly WantedLogin[]
  /** Of a CA bundle that nobody named: the file beside it that refers to it. */
  readonly beside?: { readonly kind: FileKindName; readonly path: string }
}

/** Stands for the name of a login in a path, so that each has a file of its own. */
const PLACEHOLDER = '{database}'

/**
 * Returns which files to write, CA bundles first, for others refer to them; without `ca`, one for each login lies beside each file
 * that refers to it. Throws CallerError (exit code 2) if there are none, or two are one.
 */
export function planFiles(
  paths: Readonly<Partial<Record<FileKindName, string | undefined>>>,
  logins: readonly WantedLogin[],
): PlannedFile[] {
  const kinds: readonly FileKindName[] = ['ca', 'pgpass', 'service', 'mycnf', 'userlist', 'dotenv', 'json']
  const files = kinds.flatMap(kind => {
    const path = paths[kind]
    if (path === undefined) return []
    if (path === '') throw invalidUsage(`--${kind} names no file`)
    refuseTilde(path)
    if (!path.includes(PLACEHOLDER)) return [{ kind, path: resolve(path), logins }]
    return logins.map(login => ({
      kind,
      path: resolve(path.replaceAll(PLACEHOLDER, login.name)),
      logins: [login],
    }))
  })
  if (files.length === 0)
    throw invalidUsage(
      'no file: give one or more of --pgpass, --service, --mycnf, --json, --dotenv, --userlist and --ca',
    )
  const all = paths.ca === undefined ? [...files.flatMap(bundlesBeside), ...files] : files
  const twice = all.find(({ path }, index) => all.findIndex(other => other.path === path) < index)
  if (twice) throw invalidUsage(`${twice.path} cannot be two files: --${twice.kind} needs another one`)
  return all
}

/** Throws CallerError (exit code 2) for a path with a `~` that a shell was to replace: none does after a `=`, and systemd has none. */
export function refuseTilde(path: string): void {
  if (path.startsWith('~'))
    throw invalidUsage(`no shell has replaced the ~ of ${path}: write the path of the home folder`)
}

function bundlesBeside({ kind, path, logins }: PlannedFile): PlannedFile[] {
  if (!refersToCa(kind)) return []
  return logins.map(login => ({
    kind: 'ca',
    path: `${path}.${login.name}.ca.pem`,
    logins: [login],
    beside: { kind, path },
  }))
}

/** Returns the CA bundle that a login in a file refers to. */
export function bundleFor(
  files: readonly PlannedFile[],
  { file, login }: { file: PlannedFile; login: WantedLogin },
): PlannedFile | undefined {
  return files.find(
    ({ kind, logins, beside }) =>
      kind === 'ca' && logins.includes(login) && (beside === undefined || beside.path === file.path),
  )
}

/** Returns the logins that the readers of a file can use. `replyOf` returns what is known of one. */
export function fittingLogins(
  { kind, logins, beside }: PlannedFile,
  replyOf: (login: WantedLogin) => TokenReply | undefined,
): WantedLogin[] {
  const family = familyOf(beside?.kind ?? kind)
  return logins.filter(login => {
    const reply = replyOf(login)
    return reply && (family === undefined || clientFamily(reply) === family)
  })
}

/**
 * Throws CallerError (exit code 2) if a file would be for none of its logins, or for more than its readers can tell apart. Every
 * login must be known.
 */
export function checkPlan(
  files: readonly PlannedFile[],
  replyOf: (login: WantedLogin) => TokenReply | undefined,
): void {
  for (const file of files.filter(({ kind }) => kind !== 'ca')) {
    const fitting = fittingLogins(file, replyOf)
    // with a placeholder, others have a file of their own
    const isForNone = files
      .filter(({ kind }) => kind === file.kind)
      .every(other => fittingLogins(other, replyOf).length === 0)
    if (isForNone) throw invalidUsage(uselessText(file))
    const clash = clashIn(file.kind, fitting, login => replyOf(login)?.user ?? '')
    if (clash)
      throw invalidUsage(
        `--${file.kind} holds one login${clash}: write ${PLACEHOLDER} in its path, and each has a file of its own`,
      )
  }
}

function uselessText({ kind, logins }: PlannedFile): string {
  const clients = familyOf(kind) === 'postgres' ? 'PostgreSQL' : 'MySQL and MariaDB'
  const names = logins.map(({ name }) => name).join(', ')
  return `--${kind} is for ${clients}, and that is not what ${names} ${logins.length > 1 ? 'are' : 'is'}`
}

/** Returns what two logins of one file have in common, to go on after "one login". */
function clashIn(
  kind: FileKindName,
  logins: readonly WantedLogin[],
  userOf: (login: WantedLogin) => string,
): string | undefined {
  if (kind === 'json' || kind === 'ca') return undefined
  const shared: SharedKind = SHARED_KINDS[kind]
  if (!shared.clashOf) return undefined
  const clashes = logins.map(login => shared.clashOf?.({ user: userOf(login) }))
  const found = logins.findIndex((_, index) => clashes.indexOf(clashes[index]) < index)
  if (found === -1) return undefined
  const first = logins[clashes.indexOf(clashes[found])]
  const of = kind === 'userlist' ? ` of ${clashes[found]}` : ''
  return `${of}, and ${first?.name} and ${logins[found]?.name} would be two`
}
