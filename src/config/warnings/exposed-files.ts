import { basename } from 'node:path'
import type { Report, Segments } from '../problems.ts'
import type { Sections } from '../sections.ts'
import type { Files } from '../source/files.ts'

interface WatchedFile {
  readonly path: string
  readonly segments: Segments
  readonly name: string
  /** What readers learn, if that is a secret. */
  readonly secret?: string
}

/**
 * Warns of files that others on this machine may read although they hold a secret, and of those that others may write: whoever
 * changes them decides who gets tokens. `file` is the configuration itself.
 */
export async function warnOfExposedFiles(
  sections: Sections,
  { file, files, warnings }: { file: string; files: Files; warnings: Report },
): Promise<void> {
  for (const { path, segments, name, secret } of watchedFiles(sections, basename(file))) {
    const exposure = await files.exposureOf?.(path)
    if (exposure?.isWritable)
      warnings.problem(
        `${name} may be changed by every user of this machine, who could give themselves tokens: chmod o-w it`,
        ...segments,
      )
    if (exposure?.isReadable && secret !== undefined)
      warnings.problem(
        `${name} may be read by every user of this machine, and holds ${secret}: chmod o-r it`,
        ...segments,
      )
  }
}

function watchedFiles(sections: Sections, configPath: string): WatchedFile[] {
  const { server, issuers, apiKeys, databases, store } = sections
  const keyFiles = [store?.encryption?.keyFile ?? []].flat()
  const isList = typeof store?.encryption?.keyFile === 'object'
  const hasExternalId = databases.some(([, { externalId }]) => externalId !== undefined)
  const secrets = [
    ...(apiKeys.length > 0 ? ['the hashes of API keys'] : []),
    // no secret to AWS, but whoever knows it may try it elsewhere
    ...(hasExternalId ? ['external ids'] : []),
  ]
  const config: WatchedFile = { path: configPath, segments: [], name: 'the configuration' }
  return [
    secrets.length === 0 ? config : { ...config, secret: secrets.join(' and ') },
    ...tlsFiles(server?.tls, ['server', 'tls']),
    ...tlsFiles(server?.admin?.tls, ['server', 'admin', 'tls']),
    ...issuers.flatMap(([name, { jwksFile }]) =>
      jwksFile === undefined
        ? []
        : [{ path: jwksFile, segments: ['issuers', name, 'jwksFile'], name: 'the file' }],
    ),
    ...keyFiles.map((path, position) => ({
      path,
      segments: ['store', 'encryption', 'keyFile', ...(isList ? [position] : [])],
      name: 'the file',
      secret: 'a key of the store',
    })),
  ]
}

function tlsFiles(tls: { cert: string; key: string } | undefined, at: Segments): WatchedFile[] {
  if (!tls) return []
  return [
    { path: tls.cert, segments: [...at, 'cert'], name: 'the file' },
    { path: tls.key, segments: [...at, 'key'], name: 'the file', secret: 'a private key' },
  ]
}
