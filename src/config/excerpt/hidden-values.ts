/** What is shown in the place of a secret. */
export const HIDDEN = '(hidden)'

/** Forms that only secrets have: API keys, JWTs, PEM, ids of access keys, hashes, and whoever logs in with a URL. */
const SECRET_FORMS = [
  /jeton_[\w-]+/g,
  /\beyJ[\w-]+(?:\.[\w-]*)*/g,
  /-----BEGIN[\s\S]*/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(?<!mrk-)[0-9a-fA-F]{32,}\b/g,
  /(?<=:\/\/)[^\s/@'"]{1,200}(?=@)/g,
  /[^\s/:@'"]{1,200}:(?!\/\/)[^\s@'"]{1,200}(?=@)/g,
  /(?<=[?&][\w-]{0,50}(?:token|key|secret|password|signature|credential)[\w-]{0,50}=)[^\s&'"]+/gi,
]
/** The alphabets of base64. */
const RUN = /[A-Za-z0-9+/=_-]{20,}/g
/** Of 100 neighbours in random base64, some 60 are of two kinds; in words, some 20. */
const MIN_CHANGES = 0.4

/** What is longer is shown to nobody, and searched for no secret. */
const MAX_LENGTH = 1000

/**
 * Returns text in which everything that looks like a secret is hidden, and an ellipsis for what is longer than a thousand
 * characters. A secret that looks like a word stays.
 */
export function hideSecrets(text: string): string {
  if (text.length > MAX_LENGTH) return '…'
  const withoutForms = SECRET_FORMS.reduce((hidden, form) => hidden.replace(form, HIDDEN), text)
  return withoutForms.replace(RUN, run => (isRandom(run) ? HIDDEN : run))
}

function isRandom(run: string): boolean {
  const kinds = [...run].map(kindOf)
  const count = (kind: string) => kinds.filter(other => other === kind).length
  const changes = kinds.filter((kind, i) => i > 0 && kind !== kinds[i - 1]).length
  return (
    count('lower') >= 3 && count('upper') >= 3 && count('digit') >= 1 && changes >= run.length * MIN_CHANGES
  )
}

function kindOf(char: string): string {
  if (/[a-z]/.test(char)) return 'lower'
  if (/[A-Z]/.test(char)) return 'upper'
  return /\d/.test(char) ? 'digit' : 'other'
}
