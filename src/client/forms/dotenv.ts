import { environmentChanges } from '../environment.ts'
import { failure } from '../errors.ts'
import type { Form } from './form.ts'

/**
 * The variables of `env` as lines of a .env file, which dotenv, `node --env-file`, docker compose, python-dotenv and shells read
 * the same. `docker run --env-file` does not: it takes quotes for a part of the value.
 */
export const dotenvForm: Form = {
  refersToCa: true,
  render({ reply, ...options }) {
    const { set } = environmentChanges(reply, options)
    const lines = Object.entries(set).map(([name, value]) => `${name}=${quoteForDotenv(name, value)}\n`)
    return lines.join('')
  },
}

/** Between single quotes nothing is special to any reader but `'`, and to some of them a doubled or last backslash and `${`. */
function quoteForDotenv(name: string, value: string): string {
  if (!/'|\\\\|\\$|\$\{/.test(value)) return `'${value}'`
  if (!/["\\$`]/.test(value)) return `"${value}"`
  throw failure(
    `the readers of .env files disagree about quotes and variables, ${name} cannot be written for all: \`jeton token -o env\` writes it for shells`,
  )
}
