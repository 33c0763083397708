import type { KeptIdentifier } from './exceptions.ts'
import type { SourceFile } from './source-files.ts'
import { nodesOf } from './syntax-tree.ts'
import { formsOf, hasPhrase, wordsOf } from './words.ts'

/** Words that only this project used, each with the field's word for it. Prose may use them; they are English. */
export const RETIRED_WORDS: Readonly<Record<string, string>> = {
  asker: 'request origin',
  book: 'token cache',
  decoy: 'misleading claim',
  departure: 'first delivery',
  'hand out': 'deliver',
  journal: 'audit log',
  'keep back': 'cancel',
  lane: 'sink writer',
  'loose end': 'background task',
  neighbourhood: 'IP network',
  pace: 'rate limiter',
  'program log': 'pino log',
  sandbox: 'execution environment',
  seal: 'encrypt a record, or append to a hash chain',
  sealed: 'encrypted',
  sealing: 'encryption',
  shelf: 'store',
  shelved: 'stored record',
  shelves: 'stores',
  standing: 'principal access',
  steady: 'guarded',
  stranger: 'unknown resource',
  trail: 'request audit',
  turn: 'slot',
  unseal: 'decrypt',
  'way in': 'authentication scheme',
  'ways in': 'authentication schemes',
  'what stays': 'restart-only change',
  world: 'service options, or shared OIDC provider',
  'wrong usage': 'usage error',
}

const FORMS = Object.keys(RETIRED_WORDS).map(word => ({ word, forms: formsOf(word) }))

/** File names and identifiers that bring back a retired word, and exceptions that nothing needs any more. */
export function retiredWordProblems(files: readonly SourceFile[], kept: readonly KeptIdentifier[]): string[] {
  const found = files.flatMap(file => [
    ...retiredIn(file.path).map(word => ({ path: file.path, identifier: undefined, word })),
    ...identifiersOf(file).flatMap(identifier =>
      retiredIn(identifier).map(word => ({ path: file.path, identifier, word })),
    ),
  ])
  const isOf = (exception: KeptIdentifier) => (use: { path: string; identifier: string | undefined }) =>
    use.path === exception.path && use.identifier === exception.identifier
  return [
    ...found
      .filter(use => !kept.some(exception => isOf(exception)(use)))
      .map(({ path, identifier, word }) => {
        const where = identifier === undefined ? `the name of ${path}` : `${identifier} in ${path}`
        return `${where} brings back "${word}": the word is "${RETIRED_WORDS[word]}"`
      }),
    ...kept
      .filter(exception => !found.some(isOf(exception)))
      .map(({ path, identifier }) => `${path} has no ${identifier}: take it out of KEPT_IDENTIFIERS`),
  ]
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
