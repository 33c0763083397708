import { sectionOf, tableRows } from './markdown.ts'
import type { SourceFile } from './source-files.ts'
import { formsOf, hasPhrase, wordsOf } from './words.ts'

/**
 * What is wrong with the table `| word | meaning |` under "Glossary" of the design: words that no file name, identifier or
 * comment uses, words without a meaning, and words that stand there twice.
 */
export function glossaryProblems(design: SourceFile, files: readonly SourceFile[]): string[] {
  const [, ...rows] = tableRows(sectionOf(design.text, 'Glossary') ?? [])
  if (rows.length === 0) return [`${design.path} has no table under "## Glossary"`]
  const entries = rows.map(([word = '', meaning = '']) => ({ word: word.replace(/[`*_]/g, ''), meaning }))
  const used = files.map(({ path, text }) => wordsOf(`${path}\n\n${text}`))
  const words = entries.map(({ word }) => word)
  const isUsed = (word: string) => {
    const forms = formsOf(word)
    return used.some(text => hasPhrase(text, forms))
  }
  return [
    ...words
      .filter(word => !isUsed(word))
      .map(word => `${design.path} explains "${word}", which the code does not use`),
    ...entries
      .filter(({ meaning }) => meaning === '')
      .map(({ word }) => `${design.path} does not say what "${word}" means`),
    ...words
      .filter((word, index) => words.indexOf(word) < index)
      .map(word => `${design.path} explains "${word}" twice`),
  ]
}
