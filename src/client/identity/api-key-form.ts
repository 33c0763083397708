/** What every API key of jeton looks like. In a file of its own, for what runs in browsers reads no files. */
export const API_KEY = /^jeton_[\w-]{43}$/
