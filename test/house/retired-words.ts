import type { KeptIdentifier, KeptWord } from './exceptions.ts'
import type { SourceFile } from './source-files.ts'
import { nodesOf } from './syntax-tree.ts'
import { formsOf, hasPhrase, wordsOf } from './words.ts'

/**
 * Words that only this project used, each with the field's word for it. Prose and strings may use them, here too: they are
 * English.
 */
export const RETIRED_WORDS: ReadonlyMap<string, string> = new Map([
  ['adopt', 'continue from, or use'],
  ['asker', 'request origin'],
  ['book', 'token cache'],
  ['contender', 'strategy'],
  ['crew', 'callers'],
  ['decoy', 'misleading claim'],
  ['departure', 'first delivery'],
  ['hand out', 'deliver'],
  ['hoard', 'hoarding'],
  ['hoarded', 'hoarding'],
  ['journal', 'audit log'],
  ['judge', 'verifier'],
  ['judged', 'verified'],
  ['keep back', 'cancel'],
  ['lane', 'sink writer'],
  ['loose end', 'background task'],
  ['neighbourhood', 'IP network'],
  ['pace', 'rate limiter'],
  ['play', 'run'],
  ['player', 'caller, or strategy'],
  ['program log', 'pino log'],
  ['rival', 'strategy'],
  ['sandbox', 'execution environment'],
  ['seal', 'encrypt a record, or append to a hash chain'],
  ['sealed', 'encrypted'],
  ['sealing', 'encryption'],
  ['shelf', 'store'],
  ['shelved', 'stored record'],
  ['shelves', 'stores'],
  ['shim', 'the name of what it stands in for'],
  ['stage', 'test environment'],
  ['standing', 'principal access'],
  ['steady', 'guarded'],
  ['stranger', 'unknown resource'],
  ['told', 'what was recorded or returned'],
  ['trail', 'request audit'],
  ['turn', 'slot'],
  ['unseal', 'decrypt'],
  ['way in', 'authentication scheme'],
  ['ways in', 'authentication schemes'],
  ['what stays', 'restart-only change'],
  ['world', 'service options, or shared OIDC provider'],
  ['wrong usage', 'usage error'],
])

const FORMS = [...RETIRED_WORDS.keys()].map(word => ({ word, forms: formsOf(word) }))

/** What may use a retired word all the same. */
export interface KeptWords {
  readonly identifiers: readonly KeptIdentifier[]
  readonly words: readonly KeptWord[]
}

interface Use {
  readonly path: string
  /** Undefined for the name of the file. */
  readonly identifier: string | undefined
  readonly word: string
}

/** File names and identifiers that bring back a retired word, and exceptions that nothing needs any more. */
export function retiredWordProblems(files: readonly SourceFile[], kept: KeptWords): string[] {
  const uses = files.flatMap(usesIn)
  const isIdentifier = (exception: KeptIdentifier) => (use: Use) =>
    use.path === exception.path && use.identifier === exception.identifier
  const isWord = (exception: KeptWord) => (use: Use) =>
    use.path.startsWith(exception.folder) && use.word === exception.word
  return [
    ...uses
      .filter(use => !kept.identifiers.some(exception => isIdentifier(exception)(use)))
      .filter(use => !kept.words.some(exception => isWord(exception)(use)))
      .map(({ path, identifier, word }) => {
        const where = identifier === undefined ? `the name of ${path}` : `${identifier} in ${path}`
        return `${where} brings back "${word}": the word is "${RETIRED_WORDS.get(word)}"`
      }),
    ...kept.identifiers
      .filter(exception => !uses.some(isIdentifier(exception)))
      .map(({ path, identifier }) => `${path} has no ${identifier}: take it out of KEPT_IDENTIFIERS`),
    ...kept.words
      .filter(exception => !uses.some(isWord(exception)))
      .map(({ folder, word }) => `${folder} does not use "${word}": take it out of KEPT_WORDS`),
  ]
}

function usesIn(file: SourceFile): Use[] {
  const { path } = file
  return [undefined, ...identifiersOf(file)].flatMap(identifier =>
    retiredIn(identifier ?? path).map(word => ({ path, identifier, word })),
  )
}

function identifiersOf(file: SourceFile): string[] {
  const names = nodesOf(file)
    .filter(({ type }) => type === 'Identifier' || type === 'PrivateIdentifier')
    .map(({ name }) => String(name))
  return [...new Set(names)]
}

function retiredIn(text: string): string[] {
  const words = wordsOf(text)
  return FORMS.filter(({ forms }) => hasPhrase(words, forms)).map(({ word }) => word)
}
