import type { FormLogin } from './forms/form.ts'
import { jdbcUrl } from './forms/jdbc.ts'
import { databaseUrl } from './forms/uri.ts'

const URL_FORMS = { uri: (login: FormLogin) => databaseUrl(login), jdbc: jdbcUrl } as const

/** A variable to set to the URL of a login. */
export interface UrlVariable {
  name: string
  form: keyof typeof URL_FORMS
}

/** Parses `NAME` or `NAME:FORM`, such as `SPRING_DATASOURCE_URL:jdbc`. Returns undefined if it is neither. */
export function parseUrlVariable(text: string): UrlVariable | undefined {
  const [, name = '', form] = /^([A-Za-z_][A-Za-z0-9_]*)(?::(\w+))?$/.exec(text) ?? []
  if (name === '' || (form !== undefined && !isUrlForm(form))) return undefined
  return { name, form: form ?? 'uri' }
}

function isUrlForm(form: string): form is UrlVariable['form'] {
  return Object.hasOwn(URL_FORMS, form)
}

/** Returns the variables with their URLs. Throws CallerError if a login cannot be written as such a URL. */
export function urlVariables(variables: readonly UrlVariable[], login: FormLogin): Record<string, string> {
  return Object.fromEntries(variables.map(({ name, form }) => [name, URL_FORMS[form](login)]))
}
