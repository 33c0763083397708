import { createReadStream } from 'node:fs'
import { readTextUpTo } from '../../lib/process-input.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import { failure } from '../errors.ts'

/** Servers refuse headers that are much shorter than this. */
const MAX_BYTES = 64 * 1024

/** Returns the text of a file with a JWT, read anew. Throws CallerError, which names the file. */
export function readCredentialFile(path: string): Promise<string> {
  return readLimited(createReadStream(path), path)
}

/** Returns all of a stream that is not longer than a JWT may be. Throws CallerError, which calls it `name`. */
export async function readLimited(stream: AsyncIterable<Uint8Array | string>, name: string): Promise<string> {
  const text = await readTextUpTo(stream, MAX_BYTES).catch(cause => {
    throw failure(`cannot read a JWT from ${name}${systemCodeNote(cause)}`, cause)
  })
  if (text === undefined) throw failure(`${name} is longer than any JWT (${MAX_BYTES} bytes)`)
  return text
}

/**
 * Returns a credential without the white space around it. Throws CallerError, which calls it `name`, if that is not fit for a
 * header: Node would quote it in an error of its own.
 */
export function singleWord(text: string, name: string): string {
  const word = text.trim()
  if (word === '') throw failure(`${name} is empty`)
  if (/^[\x21-\x7e]+$/.test(word)) return word
  throw failure(`${name} is not a credential: it contains spaces, control characters or non-ASCII letters`)
}

/** Returns a JWT that a platform gave, without white space around it. Throws CallerError, which does not quote it, if it is none. */
export function jwtWord(text: string, name: string): string {
  const word = text.trim()
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(word)) return word
  throw failure(`${name} is not a JWT`)
}
