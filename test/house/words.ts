/**
 * A text as its words in lower case, each between single spaces: `mintToken`, `mint-token`, `MINT_TOKEN` and `mint token`
 * are all ` mint token `. Other punctuation ends a phrase and stays, so that `mint(token)` is not the phrase "mint token".
 * The `*` at which a doc comment goes on does not.
 */
export function wordsOf(text: string): string {
  const words = text
    .replace(/\n\s*(\*|\/\/)/g, ' ')
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/[-_\s]+/g, ' ')
    .replace(/[^\p{L}\d ]+/gu, ' $& ')
    .replace(/ +/g, ' ')
  return ` ${words.trim().toLowerCase()} `
}

/** How `wordsOf` writes a phrase as it is and in the plural, to be looked for in what it makes of a longer text. */
export function formsOf(phrase: string): string[] {
  return [phrase, `${phrase}s`, `${phrase}es`, phrase.replace(/y$/, 'ies')].map(wordsOf)
}

/** Whether a phrase is among the words that `wordsOf` made of a text. */
export function hasPhrase(words: string, forms: readonly string[]): boolean {
  return forms.some(form => words.includes(form))
}
