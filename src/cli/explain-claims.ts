import { readFile } from 'node:fs/promises'
import { UsageError } from '../errors.ts'
import { readText } from '../lib/process-input.ts'
import { type GivenClaims, parseGivenClaims } from '../vending/given-claims.ts'
import type { CommandStreams } from './streams.ts'

/**
 * Reads claims as JSON, or those of a JWT, from a file, or from standard input if `source` is `-`. Throws `UsageError`, which
 * quotes nothing of it.
 */
export async function readClaims(source: string, stdin: CommandStreams['stdin']): Promise<GivenClaims> {
  return parseGivenClaims(await readSource(source, stdin))
}

async function readSource(source: string, stdin: CommandStreams['stdin']): Promise<string> {
  if (source === '-') return readText(stdin)
  return readFile(source, 'utf8').catch(() => {
    // not quoted: it may be a JWT
    throw new UsageError(
      '--claims takes the path of a file with a JWT or its claims, or -: this cannot be read',
    )
  })
}
