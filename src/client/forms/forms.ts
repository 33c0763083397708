import { printableJson } from '../../lib/printable.ts'
import { environmentChanges, shellCommands } from '../environment.ts'
import { dotenvForm } from './dotenv.ts'
import { externalForm } from './external.ts'
import type { Form } from './form.ts'
import { jdbcForm } from './jdbc.ts'
import { mycnfForm } from './mycnf.ts'
import { pgpassForm } from './pgpass.ts'
import { serviceForm } from './service.ts'
import { uriForm } from './uri.ts'
import { userlistForm } from './userlist.ts'

const tokenForm: Form = { refersToCa: false, render: ({ reply }) => `${reply.token}\n` }

/** The whole reply, whatever its engine. */
const jsonForm: Form = { refersToCa: false, render: ({ reply }) => `${printableJson(reply, 2)}\n` }

/** For `eval` in a POSIX shell. For MySQL's command-line clients this alone is not enough: see login-files.ts. */
const envForm: Form = {
  refersToCa: true,
  render: ({ reply, ...options }) => shellCommands(environmentChanges(reply, options)),
}

/** All forms, by the name that `-o` takes. */
export const FORMS = {
  token: tokenForm,
  json: jsonForm,
  env: envForm,
  pgpass: pgpassForm,
  mycnf: mycnfForm,
  service: serviceForm,
  uri: uriForm,
  jdbc: jdbcForm,
  external: externalForm,
  dotenv: dotenvForm,
  userlist: userlistForm,
} as const satisfies Readonly<Record<string, Form>>

/** The name of a form. */
export type FormName = keyof typeof FORMS
