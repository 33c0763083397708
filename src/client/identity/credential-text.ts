import { createReadStream } from 'node:fs'
import { readTextUpTo } from '../../lib/process-input.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import { failure } from '../errors.ts'
import { API_KEY } from './api-key-form.ts'

/** Servers refuse headers that are much shorter than this. */
export const MAX_CREDENTIAL_BYTES = 64 * 1024

/** Returns the text of a file with a JWT, read anew. Throws CallerError, which names the file, unless that is a credential. */
export async function readCredentialFile(path: string): Promise<string> {
  if (isCredential(path)) throw failure('a credential itself is where the path of a file with one should be')
  return readLimited(createReadStream(path), path)
}

/** Returns all of a stream that is not longer than a JWT may be. Throws CallerError, which calls it `name`. */
export async function readLimited(stream: AsyncIterable<Uint8Array | string>, name: string): Promise<string> {
  const text = await readTextUpTo(stream, MAX_CREDENTIAL_BYTES).catch(cause => {
    throw failure(`cannot read a JWT from ${name}${systemCodeNote(cause)}`, cause)
  })
  if (text === undefined) throw failure(`${name} is longer than any JWT (${MAX_CREDENTIAL_BYTES} bytes)`)
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

/** What servers read of a credential: token68 (RFC 9110, 11.2). */
const CREDENTIAL = /^[\w.~+/-]+=*$/
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/

/** Returns `Bearer` and the JWT that the caller gave. Throws CallerError if it is something else that people put there. */
export function jwtHeader(text: string, name: string): string {
  if (API_KEY.test(text.trim()))
    throw failure(`${name} is an API key of jeton: set JETON_API_KEY to it instead`)
  return `Bearer ${givenWord(text, name)}`
}

/** As `jwtHeader`, for an API key. */
export function apiKeyHeader(text: string, name: string): string {
  if (JWT.test(text.trim())) throw failure(`${name} is a JWT: set JETON_JWT to it instead`)
  return `ApiKey ${givenWord(text, name)}`
}

/** Whether a text is a credential itself, which must not be shown, where the path of a file with one is asked for. */
export function isCredential(text: string): boolean {
  const word = text.trim().replace(/^(?:Bearer|ApiKey)\s+/i, '')
  return JWT.test(word) || API_KEY.test(word)
}

function givenWord(text: string, name: string): string {
  const word = text.trim()
  if (/^["'`]/.test(word)) throw failure(`${name} has quotation marks around it: leave them out`)
  const [, scheme] = /^(Bearer|ApiKey)\s/i.exec(word) ?? []
  if (scheme !== undefined) throw failure(`${name} has the word ${scheme} in front of it: leave that out`)
  if (word.startsWith('{')) throw failure(`${name} is JSON: give the credential in it, and nothing else`)
  const fit = singleWord(word, name)
  if (CREDENTIAL.test(fit)) return fit
  throw failure(`${name} is not a credential: it contains characters that no JWT and no API key has`)
}

/** Returns a JWT that a platform gave, without white space around it. Throws CallerError, which does not quote it, if it is none. */
export function jwtWord(text: string, name: string): string {
  const word = text.trim()
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(word)) return word
  throw failure(`${name} is not a JWT`)
}
